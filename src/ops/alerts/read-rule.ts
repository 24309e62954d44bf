// Reads an alert rule as people write it, and says of everything that is wrong where it stands and what was probably meant.
import { GRANTED_CHANNELS } from './channel-names.ts';
import { SERIES_FUNCTIONS, type SeriesFunction, WINDOW_FUNCTIONS, type WindowFunction } from './fold.ts';
import type { Matcher } from './labels.ts';
import type { Catalogue, MetricFact } from './metric-catalogue.ts';
import { type AlertRule, RULE_DEFAULTS } from './rule.ts';
import { CONDITIONS, isKey, KEYS, type Key, keyFor, LABEL, NO_DATA, SEVERITIES } from './rule-keys.ts';
import { checkThresholds } from './thresholds.ts';
import { parseTemplate, usesValue } from './template.ts';

/** Where a key stands, for messages: `alerts.high_latency.metric`, or a file with its line. */
export type Place = (path: readonly string[]) => string;

/** The candidate that was probably meant, if one is near enough. */
export type Nearest = (name: string, candidates: Iterable<string>) => string | undefined;

export interface RuleContext {
  readonly metrics: Catalogue;
  /** Channels that are configured. */
  readonly channels: readonly string[];
  readonly place?: Place | undefined;
  readonly nearest?: Nearest | undefined;
}

export interface ReadRule {
  /** Undefined when there are problems. */
  readonly rule: AlertRule | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Thrown for a rule that is refused; one line for each problem. */
export class AlertRuleError extends Error {
  override readonly name = 'AlertRuleError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export function readAlertRule(name: string, given: unknown, context: RuleContext): ReadRule {
  return new RuleReader(name, context).read(given);
}

class RuleReader {
  readonly #name: string;
  readonly #context: RuleContext;
  readonly #values = new Map<Key, unknown>();
  /** The key as it was written. */
  readonly #written = new Map<Key, string>();
  readonly #problems: string[] = [];
  readonly #warnings: string[] = [];

  constructor(name: string, context: RuleContext) {
    this.#name = name;
    this.#context = context;
  }

  read(given: unknown): ReadRule {
    if (!/^[\w][\w .:-]{0,127}$/.test(this.#name)) this.#wrong(undefined, 'is no name for a rule');
    if (!isRecord(given)) {
      this.#wrong(undefined, 'must be an object with metric, condition and threshold');
      return { rule: undefined, problems: this.#problems, warnings: [] };
    }
    this.#collect(given);
    const fact = this.#metric();
    const condition = this.#condition();
    const severity = this.#choice('severity', SEVERITIES);
    const windowMs = this.#ms('window_seconds') ?? 0;
    const runbook = this.#text('runbook_url');
    const rule: AlertRule = {
      ...RULE_DEFAULTS,
      name: this.#name,
      metric: fact?.name ?? '',
      condition,
      threshold: this.#number('threshold') ?? 0,
      clearThreshold: this.#number('clear_threshold') ?? null,
      where: this.#where(fact),
      windowMs,
      windowFunction: this.#window(windowMs),
      across: this.#across(),
      forMs: this.#ms('duration_seconds') ?? 0,
      keepFiringForMs: this.#ms('keep_firing_for_seconds') ?? 0,
      noData: this.#choice('no_data', NO_DATA) ?? 'ok',
      labels: { ...this.#texts('labels', true), ...(severity === undefined ? {} : { severity }) },
      annotations: { ...this.#texts('annotations', false), ...(runbook === undefined ? {} : { runbook_url: runbook }) },
      channels: this.#channels(),
      groupBy: this.#names('group_by') ?? RULE_DEFAULTS.groupBy,
      groupWaitMs: this.#ms('group_wait_seconds') ?? RULE_DEFAULTS.groupWaitMs,
      groupIntervalMs: this.#ms('group_interval_seconds') ?? RULE_DEFAULTS.groupIntervalMs,
      repeatIntervalMs: this.#ms('repeat_interval_seconds') ?? RULE_DEFAULTS.repeatIntervalMs,
      maxInstances: this.#number('max_instances') ?? RULE_DEFAULTS.maxInstances,
      enabled: this.#values.get('enabled') !== false,
    };
    if (condition !== 'absent') {
      if (!this.#values.has('threshold')) this.#wrong('threshold', 'is missing');
      else if (this.#problems.length === 0) {
        const says = checkThresholds(rule, fact);
        if (says !== undefined) this.#wrong(says.key, says.message);
      }
    } else if (this.#values.has('threshold')) this.#wrong('threshold', 'has no meaning with "absent"');
    if (!(Number.isInteger(rule.maxInstances) && rule.maxInstances >= 1)) {
      this.#wrong('max_instances', 'must be a whole number from 1');
    }
    if (rule.repeatIntervalMs < 60_000) this.#wrong('repeat_interval_seconds', 'must be at least 60');
    const refused = this.#problems.length > 0;
    return { rule: refused ? undefined : rule, problems: this.#problems, warnings: this.#warnings };
  }

  #collect(given: Record<string, unknown>): void {
    for (const [written, value] of Object.entries(given)) {
      const key = keyFor(written);
      if (!isKey(key)) {
        const near = this.#context.nearest?.(key, KEYS);
        const hint = near === undefined ? `Known: ${KEYS.join(', ')}.` : `Did you mean "${near}"?`;
        this.#problems.push(`${this.#at(written)} is not known. ${hint}`);
      } else if (this.#values.has(key)) this.#problems.push(`${this.#at(written)} is given twice`);
      else if (value !== undefined) {
        this.#values.set(key, value);
        this.#written.set(key, written);
      }
    }
    const enabled = this.#values.get('enabled');
    if (enabled !== undefined && typeof enabled !== 'boolean') this.#wrong('enabled', 'must be true or false');
  }

  #metric(): MetricFact | undefined {
    const name = this.#values.get('metric');
    if (typeof name !== 'string' || name === '') {
      this.#wrong('metric', name === undefined ? 'is missing' : 'must be the name of a metric');
      return undefined;
    }
    const fact = this.#context.metrics.get(name);
    if (fact === undefined) this.#unknown('metric', name, 'metric', [...this.#context.metrics.keys()]);
    return fact;
  }

  #condition(): AlertRule['condition'] {
    const given = this.#values.get('condition');
    // Elixir's atoms, as somebody may copy them.
    const name = typeof given === 'string' ? given.replace(/^:/, '') : given;
    const known = typeof name === 'string' && Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined;
    if (known === undefined) {
      if (name === undefined) this.#wrong('condition', 'is missing');
      else this.#unknown('condition', String(name), 'condition', Object.keys(CONDITIONS));
    }
    return known ?? '>';
  }

  #channels(): readonly string[] {
    const names = this.#names('notification_channels');
    if (names === undefined || names.length === 0) {
      this.#warnings.push(`${this.#name}: no notification_channels, so nobody is told`);
      return [];
    }
    const { channels } = this.#context;
    return names.flatMap((written) => {
      const name = written.replace(/^:/, '');
      if (channels.includes(name)) return [name];
      if ((GRANTED_CHANNELS as readonly string[]).includes(name)) {
        this.#warnings.push(`${this.#name}: channel "${name}" is not configured, so nobody is told by it`);
        return [];
      }
      this.#unknown('notification_channels', name, 'channel', [...new Set([...channels, ...GRANTED_CHANNELS])]);
      return [];
    });
  }

  #where(fact: MetricFact | undefined): readonly Matcher[] {
    const given = this.#values.get('where');
    if (given === undefined) return [];
    if (!isRecord(given)) {
      this.#wrong('where', 'must be an object such as {"agent": "front-desk", "provider": "!openai"}');
      return [];
    }
    return Object.entries(given).map(([name, value]): Matcher => {
      if (fact?.labels !== undefined && !fact.labels.includes(name)) {
        this.#unknown('where', name, `label of ${fact.name}`, fact.labels);
      }
      if (typeof value !== 'string') this.#wrong('where', `"${name}" must be a text`);
      const text = String(value);
      return text.startsWith('!') ? { name, op: '!=', value: text.slice(1) } : { name, op: '=', value: text };
    });
  }

  #window(windowMs: number): WindowFunction {
    const fn = this.#choice('aggregation', WINDOW_FUNCTIONS) ?? (windowMs > 0 ? 'avg' : 'last');
    if (fn !== 'last' && windowMs === 0) this.#wrong('aggregation', `"${fn}" needs window_seconds`);
    return fn;
  }

  #across(): AlertRule['across'] {
    const given = this.#values.get('across');
    if (given === undefined) return null;
    const { fn, by = [] } = isRecord(given) ? given : { fn: given };
    const known = SERIES_FUNCTIONS.find((one) => one === fn) as SeriesFunction | undefined;
    if (known === undefined) this.#unknown('across', String(fn), 'function', SERIES_FUNCTIONS);
    if (!isTexts(by)) this.#wrong('across', '"by" must be a list of labels');
    return { fn: known ?? 'sum', by: isTexts(by) ? by : [] };
  }

  #choice<T extends string>(key: Key, choices: readonly T[]): T | undefined {
    const given = this.#values.get(key);
    if (given === undefined) return undefined;
    const name = String(given).replace(/^:/, '');
    const found = choices.find((one) => one === name);
    if (found === undefined) this.#unknown(key, name, 'value', choices);
    return found;
  }

  #number(key: Key): number | undefined {
    const given = this.#values.get(key);
    if (given === undefined) return undefined;
    if (typeof given === 'number' && Number.isFinite(given)) return given;
    this.#wrong(key, `must be a number, not ${typeof given === 'number' ? given : JSON.stringify(given)}`);
    return undefined;
  }

  #ms(key: Key): number | undefined {
    const seconds = this.#number(key);
    if (seconds !== undefined && (seconds < 0 || seconds > 31 * 86_400)) {
      this.#wrong(key, `must be between 0 and ${31 * 86_400} seconds`);
    }
    return seconds === undefined ? undefined : seconds * 1000;
  }

  #text(key: Key): string | undefined {
    const given = this.#values.get(key);
    if (given !== undefined && typeof given !== 'string') this.#wrong(key, 'must be a text');
    return typeof given === 'string' ? given : undefined;
  }

  #names(key: Key): readonly string[] | undefined {
    const given = this.#values.get(key);
    if (given === undefined || isTexts(given)) return given;
    this.#wrong(key, 'must be a list of names');
    return undefined;
  }

  #texts(key: Key, identity: boolean): Record<string, string> {
    const given = this.#values.get(key);
    if (given === undefined) return {};
    if (!isRecord(given)) {
      this.#wrong(key, 'must be an object of texts');
      return {};
    }
    for (const [name, text] of Object.entries(given)) {
      if (!LABEL.test(name) || name.startsWith('__')) this.#wrong(key, `"${name}" is no name that Prometheus takes`);
      if (typeof text !== 'string') this.#wrong(key, `"${name}" must be a text`);
      else this.#template(key, name, text, identity);
    }
    return Object.fromEntries(Object.entries(given).map(([name, text]) => [name, String(text)]));
  }

  #template(key: Key, name: string, text: string, identity: boolean): void {
    try {
      const changing = usesValue(parseTemplate(text));
      if (identity && changing) {
        this.#wrong(key, `"${name}" must not use $value: each new value would be a new alert`);
      }
    } catch (error) {
      this.#wrong(key, `"${name}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #at(written?: string): string {
    const path = written === undefined ? [this.#name] : [this.#name, written];
    return this.#context.place?.(path) ?? `alerts.${path.join('.')}`;
  }

  #wrong(key: Key | undefined, message: string): void {
    this.#problems.push(`${this.#at(key === undefined ? undefined : (this.#written.get(key) ?? key))} ${message}`);
  }

  #unknown(key: Key, name: string, what: string, candidates: readonly string[]): void {
    const near = this.#context.nearest?.(name, candidates);
    const some = candidates.slice(0, 12).join(', ');
    const hint =
      near !== undefined ? `Did you mean "${near}"?` : `Known: ${some}${candidates.length > 12 ? ', ...' : ''}.`;
    this.#wrong(key, `names an unknown ${what}, "${name}". ${hint}`);
  }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '');

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
