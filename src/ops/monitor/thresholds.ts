// Limits of monitors: raised at the first value beyond, cleared when it is well inside again; so that nothing flaps.
import { columnOf, systemColumnOf } from './figures.ts';

interface Limit {
  /** Alerts below instead of above. */
  readonly below?: boolean;
  readonly least: number;
  readonly most: number;
  readonly says: string;
}

export const LIMITS = {
  latency_ms: { least: 0, most: 3_600_000, says: 'milliseconds' },
  quality_score: { below: true, least: 1, most: 5, says: 'a score from 1 to 5' },
  memory_mb: { least: 0, most: 1e8, says: 'megabytes' },
  memory_percent: { least: 0, most: 100, says: 'percent, 0 to 100' },
  cpu_percent: { least: 0, most: 100, says: 'percent of all cores, 0 to 100' },
  error_rate: { least: 0, most: 1, says: 'a fraction from 0 to 1 (0.05 is 5 %)' },
} as const satisfies Readonly<Record<string, Limit>>;

/** What a threshold can be set on. */
export type ThresholdMetric = keyof typeof LIMITS;
export const THRESHOLD_METRICS = Object.keys(LIMITS) as readonly ThresholdMetric[];

/** Where in the rows of the session and of the system they stand. */
export const ROW_METRICS = {
  latency_ms: columnOf('audio_processor', 'latency_ms'),
  quality_score: columnOf('audio_processor', 'quality_score'),
  error_rate: columnOf('session', 'error_rate'),
} as const;
export const SYSTEM_METRICS = {
  memory_mb: systemColumnOf('memory_mb'),
  memory_percent: systemColumnOf('memory_percent'),
  cpu_percent: systemColumnOf('cpu_percent'),
} as const;

/** How bad it is that a limit is exceeded: for whoever is told. */
export type AlertLevel = 'info' | 'warning' | 'error' | 'critical';
export const ALERT_LEVELS: readonly AlertLevel[] = ['info', 'warning', 'error', 'critical'];

/** A limit that is exceeded, or has just ceased to be. */
export interface MonitorAlert {
  readonly sessionId: string;
  readonly metric: ThresholdMetric;
  readonly state: 'raised' | 'cleared';
  readonly level: AlertLevel;
  /** The value that raised or cleared it; null: it is measured no more. */
  readonly value: number | null;
  readonly threshold: number;
  /** ms since 1970. */
  readonly raisedAtMs: number;
  readonly atMs: number;
}

/** An alert stays for at least so long: one in this time, however the value jumps. */
const LEAST_MS = 30_000;
/** It ends when the value has been inside by a twentieth of the threshold for so long, ... */
const CALM_MS = 1000;
const MARGIN = 0.05;
/** ... or has not been measured for so long. */
const UNMEASURED_MS = 30_000;

/** A limit. The same for every session that has it: what a session adds when it is beyond is an `Excess`. */
export class Threshold {
  readonly metric: ThresholdMetric;
  readonly threshold: number;
  readonly level: AlertLevel;
  /** Where the value stands that is judged: in the row of the system, or of the session. */
  readonly ofSystem: boolean;
  readonly column: number;
  readonly #below: boolean;
  readonly #clearAt: number;

  constructor(metric: ThresholdMetric, threshold: number, level: AlertLevel) {
    this.metric = metric;
    this.threshold = threshold;
    this.level = level;
    this.ofSystem = metric in SYSTEM_METRICS;
    this.column = { ...ROW_METRICS, ...SYSTEM_METRICS }[metric];
    const { below = false, most }: Limit = LIMITS[metric];
    this.#below = below;
    // Near the end of its range no value can be a whole twentieth inside.
    this.#clearAt = below ? Math.min(threshold * (1 + MARGIN), (threshold + most) / 2) : threshold * (1 - MARGIN);
  }

  /** False of what is not measured, NaN; as is `clears`. */
  isExceeded(value: number): boolean {
    return this.#below ? value < this.threshold : value > this.threshold;
  }

  clears(value: number): boolean {
    return this.#below ? value >= this.#clearAt : value <= this.#clearAt;
  }
}

/** One session beyond one threshold. */
export class Excess {
  /** What was told when it began. */
  readonly alert: MonitorAlert;
  readonly #threshold: Threshold;
  readonly #raisedMs: number;
  #lastBadMs: number;

  constructor(sessionId: string, threshold: Threshold, value: number, nowMs: number, atMs: number) {
    const { metric, level, threshold: limit } = threshold;
    this.alert = { sessionId, metric, state: 'raised', level, value, threshold: limit, raisedAtMs: atMs, atMs };
    this.#threshold = threshold;
    this.#raisedMs = nowMs;
    this.#lastBadMs = nowMs;
  }

  /** NaN: not measured. Returns what there is to tell when it is over. */
  look(value: number, nowMs: number, atMs: number): MonitorAlert | null {
    const isUnmeasured = Number.isNaN(value);
    if (!isUnmeasured && !this.#threshold.clears(value)) this.#lastBadMs = nowMs;
    const calmMs = nowMs - this.#lastBadMs;
    if (nowMs - this.#raisedMs < LEAST_MS || calmMs < (isUnmeasured ? UNMEASURED_MS : CALM_MS)) return null;
    return { ...this.alert, state: 'cleared', value: isUnmeasured ? null : value, atMs };
  }
}
