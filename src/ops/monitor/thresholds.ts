// Limits of one monitor: raised at the first value beyond, cleared when it is well inside again; so that nothing flaps.

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

export class Threshold {
  readonly metric: ThresholdMetric;
  readonly threshold: number;
  readonly level: AlertLevel;
  readonly #sessionId: string;
  readonly #below: boolean;
  readonly #clearAt: number;
  #raised: MonitorAlert | null = null;
  #raisedMs = 0;
  #lastBadMs = 0;

  constructor(sessionId: string, metric: ThresholdMetric, threshold: number, level: AlertLevel) {
    this.#sessionId = sessionId;
    this.metric = metric;
    this.threshold = threshold;
    this.level = level;
    const { below = false, most }: Limit = LIMITS[metric];
    this.#below = below;
    // Near the end of its range no value can be a whole twentieth inside.
    this.#clearAt = below ? Math.min(threshold * (1 + MARGIN), (threshold + most) / 2) : threshold * (1 - MARGIN);
  }

  get active(): MonitorAlert | null {
    return this.#raised;
  }

  /** Whether `look` would have nothing to tell and nothing to note: of almost every value. */
  passes(value: number): boolean {
    return this.#raised === null && !(this.#below ? value < this.threshold : value > this.threshold);
  }

  /** NaN: not measured. Returns what there is to tell, almost always nothing. */
  look(value: number, nowMs: number, atMs: number): MonitorAlert | null {
    const { threshold } = this;
    const isBeyond = this.#below ? value < threshold : value > threshold;
    if (this.#raised === null) {
      if (!isBeyond) return null;
      this.#raisedMs = nowMs;
      this.#lastBadMs = nowMs;
      this.#raised = this.#alert('raised', value, atMs, atMs);
      return this.#raised;
    }
    const isUnmeasured = Number.isNaN(value);
    const isInside = this.#below ? value >= this.#clearAt : value <= this.#clearAt;
    if (!isUnmeasured && !isInside) this.#lastBadMs = nowMs;
    const calmMs = nowMs - this.#lastBadMs;
    if (nowMs - this.#raisedMs < LEAST_MS || calmMs < (isUnmeasured ? UNMEASURED_MS : CALM_MS)) return null;
    const cleared = this.#alert('cleared', value, this.#raised.raisedAtMs, atMs);
    this.#raised = null;
    return cleared;
  }

  #alert(state: MonitorAlert['state'], value: number, raisedAtMs: number, atMs: number): MonitorAlert {
    const { metric, threshold, level } = this;
    return {
      sessionId: this.#sessionId,
      metric,
      state,
      level,
      value: Number.isNaN(value) ? null : value,
      threshold,
      raisedAtMs,
      atMs,
    };
  }
}
