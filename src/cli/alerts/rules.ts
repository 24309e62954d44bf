// The alert rules of a configuration: those that come with the program, with its limits, and the user's own in their place or beside them.
import type { LoadedConfig } from '../../config/load.ts';
import { nearest } from '../../config/nearest.ts';
import { snakeCase } from '../../config/settings.ts';
import {
  type AlertEngine,
  type AlertRule,
  AlertRuleError,
  catalogueOf,
  GRANTED_CHANNELS,
  keyFor,
  LIMIT_OF_RULE,
  type Place,
  readAlertRule,
  shippedRules,
} from '../../ops/alerts/index.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

/** A limit of the specification that nothing measured can be compared with. */
const IDLE_LIMIT = 'monitoring.alert_thresholds.session_memory_mb';

/** Sets them all; returns what is odd but not wrong. Throws one `AlertRuleError` with the problems of all rules. */
export function rulesOf(
  { config, origins }: Pick<LoadedConfig, 'config' | 'origins'>,
  engine: Pick<AlertEngine, 'setAlertRule'>,
): string[] {
  const problems: string[] = [];
  const warnings: string[] = [];
  const set = (name: string, rule: unknown, place: Place, own: boolean): void => {
    try {
      const odd = engine.setAlertRule(name, rule, place);
      // That the program's own rules tell nobody until a channel is configured is no news.
      if (own) warnings.push(...odd);
    } catch (error) {
      if (!(error instanceof AlertRuleError)) throw error;
      problems.push(...error.problems);
    }
  };
  const { rules } = config.alerts;
  const shipped = shippedRules(config.monitoring.alertThresholds);
  if (config.alerts.shippedRules) {
    for (const { name, rule } of shipped) {
      if (Object.hasOwn(rules, name)) continue;
      const limit = LIMIT_OF_RULE[name];
      set(
        name,
        rule,
        ([, key]) =>
          limit !== undefined && key === 'threshold'
            ? placed(`monitoring.alert_thresholds.${snakeCase(limit)}`, origins)
            : `alerts.rules.${name}${key === undefined ? '' : `.${key}`}`,
        false,
      );
    }
  }
  for (const [name, rule] of Object.entries(rules)) {
    // Of a shipped rule only what is to be different need be said.
    const base = shipped.find((one) => one.name === name)?.rule ?? {};
    const written = new Set(Object.keys(rule).map(keyFor));
    const missing = Object.entries(base).filter(([key]) => !written.has(key));
    const merged = written.has('metric') ? rule : { ...Object.fromEntries(missing), ...rule };
    set(name, merged, (path) => placed(`alerts.rules.${path.join('.')}`, origins), true);
  }
  if (problems.length > 0) throw new AlertRuleError(problems);
  const idle = origins.get(IDLE_LIMIT);
  if (idle !== undefined && idle.kind !== 'default')
    warnings.push(`${placed(IDLE_LIMIT, origins)} has no effect: the memory of a single session cannot be told apart`);
  return warnings;
}

/** `alerts.rules.slow.metric (file app.json:12)`. */
function placed(key: string, origins: LoadedConfig['origins']): string {
  const parts = key.split('.');
  // A key that is missing stands nowhere: then its rule's place is told.
  for (let length = parts.length; length > 1; length--) {
    const origin = origins.get(parts.slice(0, length).join('.'));
    if (origin !== undefined) return origin.kind === 'default' ? key : `${key} (${origin.kind} ${origin.name})`;
  }
  return key;
}

/** The rules of a configuration where nothing runs: a metric that is not of the specification may be an instrument that only a
 *  running program declares, and is taken on trust unless it looks like a slip. Throws a `UserError`. */
export function rulesOnTrust(loaded: Pick<LoadedConfig, 'config' | 'origins'>): ReadonlyMap<string, AlertRule> {
  const found = new Map<string, AlertRule>();
  const known = catalogueOf([]);
  const read: Pick<AlertEngine, 'setAlertRule'> = {
    setAlertRule(name, given, place) {
      const { metric } = given as Record<string, unknown>;
      const isOwn = typeof metric === 'string' && !known.has(metric) && nearest(metric, known.keys()) === undefined;
      const metrics = isOwn ? catalogueOf([{ name: metric, unit: '', help: '' }]) : known;
      const { rule, problems, warnings } = readAlertRule(name, given, {
        metrics,
        channels: GRANTED_CHANNELS,
        place,
        nearest,
      });
      if (rule === undefined) throw new AlertRuleError(problems);
      found.set(name, rule);
      return warnings;
    },
  };
  try {
    rulesOf(loaded, read);
  } catch (error) {
    if (!(error instanceof AlertRuleError)) throw error;
    throw new UserError('Alert rules are not valid', { exitCode: EXIT.config, problems: error.problems, cause: error });
  }
  return found;
}

/** One of them; throws a `UserError` with the nearest name. */
export function ruleOnTrust(loaded: Pick<LoadedConfig, 'config' | 'origins'>, name: string): AlertRule {
  const rules = rulesOnTrust(loaded);
  const found = rules.get(name);
  if (found !== undefined) return found;
  const meant = nearest(name, rules.keys());
  throw new UserError(`No rule is called '${name}'`, {
    exitCode: EXIT.config,
    problems: [meant === undefined ? `known: ${[...rules.keys()].join(', ')}` : `did you mean '${meant}'?`],
  });
}
