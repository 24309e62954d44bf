// Reads what `RealtimeMonitor.start` is given: names in camelCase or snake_case, refused with the nearest one that there is.
import { type Component, COMPONENTS } from './figures.ts';
import { LIMITS, Threshold, THRESHOLD_METRICS, type ThresholdMetric } from './thresholds.ts';

/** What `RealtimeMonitor.start` is given: the session, parts of it to watch, and limits. Keys may be written in snake_case. */
export interface MonitorOptions {
  /** The session, or its id. Needed, by one of its two names. */
  readonly sessionPid?: string | { readonly id: string } | undefined;
  readonly session_pid?: string | { readonly id: string } | undefined;
  /** Default: all. */
  readonly components?: readonly string[] | undefined;
  /** Numbers by name; quality alerts below its limit, everything else above. Default: those of the configuration. */
  readonly alertThresholds?: Readonly<Record<string, number>> | undefined;
  readonly alert_thresholds?: Readonly<Record<string, number>> | undefined;
  /** How far back `history` goes, 1 to 60; default 10. */
  readonly historyMinutes?: number | undefined;
  readonly history_minutes?: number | undefined;
}

/** One for each metric at most. */
export type Thresholds = readonly Threshold[];
export interface ReadOptions {
  readonly sessionId: string;
  readonly components: readonly Component[];
  /** Undefined: those of the configuration. */
  readonly thresholds: Thresholds | undefined;
  readonly historyMinutes: number;
}

/** Finds the name that was probably meant. */
export type Nearest = (name: string, candidates: Iterable<string>) => string | undefined;

const OPTIONS = ['session_pid', 'components', 'alert_thresholds', 'history_minutes'] as const;
const MAX_HISTORY_MINUTES = 60;
const DEFAULT_HISTORY_MINUTES = 10;

/** Throws `TypeError` for what has the wrong shape and `RangeError` for what does not exist. */
export function readMonitorOptions(given: MonitorOptions, nearest: Nearest = () => undefined): ReadOptions {
  const options: Partial<Record<(typeof OPTIONS)[number], unknown>> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) options[known('option', key, OPTIONS, nearest)] = value;
  }
  return {
    sessionId: sessionIdOf(options.session_pid),
    components: componentsOf(options.components ?? COMPONENTS, nearest),
    thresholds: options.alert_thresholds === undefined ? undefined : readThresholds(options.alert_thresholds, nearest),
    historyMinutes: minutesOf(options.history_minutes ?? DEFAULT_HISTORY_MINUTES),
  };
}

export function readThresholds(given: unknown, nearest: Nearest): Thresholds {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new TypeError('alertThresholds must be an object of numbers by name');
  const limits = new Map<ThresholdMetric, number>();
  for (const [key, value] of Object.entries(given)) {
    const metric = known('threshold', key, THRESHOLD_METRICS, nearest);
    checkThreshold(metric, value);
    limits.set(metric, value as number);
  }
  return [...limits].map(([metric, limit]) => new Threshold(metric, limit, 'warning'));
}

export function thresholdMetric(name: string, nearest: Nearest): ThresholdMetric {
  return known('threshold', name, THRESHOLD_METRICS, nearest);
}

export function checkThreshold(metric: ThresholdMetric, value: unknown): void {
  const { least, most, says } = LIMITS[metric];
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw new RangeError(`Threshold '${metric}' must be ${says}, not ${String(value)}`);
}

/** `audioProcessor`, `audio_processor`, and Elixir's `:audio_processor` mean the same. */
function known<Name extends string>(what: string, given: string, names: readonly Name[], nearest: Nearest): Name {
  const name = given.replace(/^:/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const found = names.find((one) => one === name);
  if (found !== undefined) return found;
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : `, did you mean '${meant}'?`;
  throw new RangeError(`Unknown ${what} '${given}'${hint} (there are ${names.join(', ')})`);
}

function sessionIdOf(given: unknown): string {
  const id = typeof given === 'object' && given !== null ? (given as { readonly id?: unknown }).id : given;
  if (typeof id === 'string' && id !== '') return id;
  throw new TypeError('sessionPid must be a session, or the id of one');
}

function componentsOf(given: unknown, nearest: Nearest): readonly Component[] {
  if (!Array.isArray(given) || given.length === 0) throw new TypeError('components must be a list of names');
  return [...new Set(given.map((name) => known('component', String(name), COMPONENTS, nearest)))];
}

function minutesOf(given: unknown): number {
  if (typeof given === 'number' && given >= 1 && given <= MAX_HISTORY_MINUTES) return given;
  throw new RangeError(`historyMinutes must be a number from 1 to ${MAX_HISTORY_MINUTES}, not ${String(given)}`);
}
