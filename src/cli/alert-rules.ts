// The alert rules of a configuration: those that come with the program, with its limits, and the user's own in their place or beside them.
import type { LoadedConfig } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import { snakeCase } from '../config/settings.ts';
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
} from '../ops/alerts/index.ts';
import { EXIT } from './exit-codes.ts';
import { UserError } from './user-error.ts';

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
  const { rules, shippedRules: shipped } = config.alerts;
  if (shipped) {
    for (const { name, rule } of shippedRules(config.monitoring.alertThresholds)) {
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
    const base = shippedRules(config.monitoring.alertThresholds).find((one) => one.name === name)?.rule ?? {};
    const written = new Set(Object.keys(rule).map(keyFor));
    const missing = Object.entries(base).filter(([key]) => !written.has(key));
    const merged = written.has('metric') ? rule : { ...Object.fromEntries(missing), ...rule };
    set(name, merged, (path) => placed(`alerts.rules.${path.join('.')}`, origins), true);
  }
  if (problems.length > 0) throw new AlertRuleError(problems);
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

/** One rule of the configuration, for commands that have no running program: a metric is taken on trust, since instruments are
 *  declared by what runs. Throws a `UserError`. */
export function loneRule({ config, origins }: Pick<LoadedConfig, 'config' | 'origins'>, name: string): AlertRule {
  const names: string[] = [];
  let found: AlertRule | undefined;
  let problems: readonly string[] = [];
  rulesOf(
    { config, origins },
    {
      setAlertRule(rule, given, place) {
        names.push(rule);
        if (rule !== name) return [];
        const { metric } = given as Record<string, unknown>;
        const trusted =
          typeof metric === 'string' && metric.includes('.') ? [{ name: metric, unit: '', help: '' }] : [];
        const known = catalogueOf([]);
        const metrics = catalogueOf(trusted.filter((fact) => !known.has(fact.name)));
        const channels = [...GRANTED_CHANNELS];
        const read = readAlertRule(rule, given, { metrics, channels, place, nearest });
        found = read.rule;
        problems = read.problems;
        return [];
      },
    },
  );
  if (found !== undefined) return found;
  const meant = nearest(name, names);
  throw new UserError(problems.length > 0 ? 'Alert rule is not valid' : `No rule is called '${name}'`, {
    exitCode: EXIT.config,
    problems:
      problems.length > 0
        ? problems
        : [meant === undefined ? `known: ${names.join(', ')}` : `did you mean '${meant}'?`],
  });
}
