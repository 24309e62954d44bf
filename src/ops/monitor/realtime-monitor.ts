// Watches one session four times a second: what its components measure, thresholds, health and a report each minute.
import { type Health, healthOf, trendOf } from './score.ts';

export const COMPONENTS = [
  'audio_processor',
  'webrtc_handler',
  'llm_client',
  'stream_manager',
  'speech_handle',
  'vad_client',
  'session',
] as const;
export type Component = (typeof COMPONENTS)[number];

/** What a session measures now, as plain data; what is unknown is left out. */
export interface SessionReading {
  readonly id: string;
  readonly components: Readonly<Partial<Record<Component, Readonly<Record<string, number>>>>>;
  /** Failed of all that was tried, 0..1. */
  readonly errorRate?: number | undefined;
}
export interface MonitorSource {
  /** Monotonic ms. */
  now(): number;
  setTimer(run: () => void, delayMs: number): () => void;
  /** Undefined: no such session, or it has ended. */
  session(id: string): SessionReading | undefined;
  /** Measured of the process; asked once a second. */
  system(): { readonly memoryMb?: number | undefined; readonly cpuPercent?: number | undefined };
}

const METRICS = ['latency_ms', 'quality_score', 'memory_mb', 'cpu_percent', 'error_rate'] as const;
export type ThresholdMetric = (typeof METRICS)[number];
/** What `RealtimeMonitor.start` is given: the session, parts of it to watch, and limits. */
export interface MonitorOptions {
  /** The session, or its id. */
  readonly sessionPid: string | { readonly id: string };
  readonly components: readonly string[];
  /** Numbers by `latency_ms` or `latencyMs`; quality alerts below its threshold, the others above. */
  readonly alertThresholds?: Readonly<Record<string, number>> | undefined;
}
/** A limit that is exceeded at this tick. */
export interface MonitorAlert {
  readonly metric: ThresholdMetric;
  readonly value: number;
  readonly threshold: number;
}
/** One tick, four a second. What is not measured is absent. */
export interface MonitorSnapshot {
  readonly sessionId: string;
  readonly atMs: number;
  readonly components: SessionReading['components'];
  readonly system: ReturnType<MonitorSource['system']>;
  readonly alerts: readonly MonitorAlert[];
  readonly health: Health;
}
/** A minute of ticks. */
export interface MonitorReport {
  readonly fromMs: number;
  readonly toMs: number;
  readonly ticks: number;
  /** Means and extremes of what was measured. */
  readonly metrics: Readonly<Record<string, { readonly mean: number; readonly min: number; readonly max: number }>>;
  readonly trends: Readonly<Record<string, ReturnType<typeof trendOf>>>;
  readonly health: Health;
}

const TICK_MS = 250;
const TICKS_A_SECOND = 4;
const HEALTH_TICKS = 20;
const REPORT_TICKS = 240;
/** Ten minutes. */
const MAX_HISTORY = 2400;
const MAX_REPORTS = 60;

let source: MonitorSource | undefined;
/** The program tells what there is to watch; undefined: nothing, and no monitor has a timer. */
export function provideMonitorSource(given: MonitorSource | undefined): void {
  source = given;
}

/** Watches one session at 4 Hz with its own timer, until it is stopped or the session ends. */
export class RealtimeMonitor {
  readonly sessionId: string;
  readonly reports: MonitorReport[] = [];
  readonly #components: readonly Component[];
  readonly #thresholds: ReadonlyMap<ThresholdMetric, number>;
  readonly #subscribers = new Set<(snapshot: MonitorSnapshot) => void>();
  readonly #history: MonitorSnapshot[] = [];
  readonly #source: MonitorSource | undefined;
  #system: ReturnType<MonitorSource['system']> = {};
  #health: Health = healthOf({});
  #ticks = 0;
  #dueMs = 0;
  #cancel: (() => void) | undefined;

  /** Begins to watch. Throws `RangeError` for unknown components, thresholds and sessions. Where monitoring is off, or no
   *  program runs, it has no timer and `running` is false. */
  static start(options: MonitorOptions, from: MonitorSource | undefined = source): RealtimeMonitor {
    return new RealtimeMonitor(options, from);
  }

  private constructor(
    { sessionPid, components, alertThresholds = {} }: MonitorOptions,
    from: MonitorSource | undefined,
  ) {
    this.sessionId = typeof sessionPid === 'string' ? sessionPid : sessionPid.id;
    this.#components = components.map((name) => {
      const known = COMPONENTS.find((one) => one === name);
      if (known === undefined) throw new RangeError(`Unknown component '${name}': there are ${COMPONENTS.join(', ')}`);
      return known;
    });
    this.#thresholds = new Map(
      Object.entries(alertThresholds).map(([key, value]) => {
        const metric = METRICS.find((one) => one === key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
        if (metric === undefined) throw new RangeError(`Unknown threshold '${key}': there are ${METRICS.join(', ')}`);
        if (!Number.isFinite(value)) throw new RangeError(`Threshold '${key}' must be a number`);
        return [metric, value] as const;
      }),
    );
    this.#source = from;
    if (from === undefined) return;
    if (from.session(this.sessionId) === undefined) throw new RangeError(`No session '${this.sessionId}' is running`);
    this.#dueMs = from.now();
    this.#tick();
  }

  get running(): boolean {
    return this.#cancel !== undefined;
  }

  /** Returns how to unsubscribe. A subscriber that throws is told no more. */
  subscribe(subscriber: (snapshot: MonitorSnapshot) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  snapshot(): MonitorSnapshot | null {
    return this.#history.at(-1) ?? null;
  }

  history(minutes = 10): readonly MonitorSnapshot[] {
    const fromMs = (this.#history.at(-1)?.atMs ?? 0) - minutes * 60_000;
    return this.#history.filter(({ atMs }) => atMs >= fromMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#subscribers.clear();
  }

  #tick(): void {
    const from = this.#source as MonitorSource;
    const reading = from.session(this.sessionId);
    if (reading === undefined) return this.stop();
    if (this.#ticks % TICKS_A_SECOND === 0) this.#system = from.system();
    const atMs = from.now();
    const components = Object.fromEntries(
      this.#components.flatMap((name) => {
        const measured = reading.components[name];
        return measured === undefined ? [] : [[name, measured] as const];
      }),
    );
    const values = this.#valuesOf(reading);
    if (this.#ticks % HEALTH_TICKS === 0)
      this.#health = healthOf({
        latencyMs: values.latency_ms,
        quality: values.quality_score,
        cpuPercent: values.cpu_percent,
        memoryMb: values.memory_mb,
      });
    const alerts = [...this.#thresholds].flatMap(([metric, threshold]) => {
      const value = values[metric];
      if (value === undefined) return [];
      return (metric === 'quality_score' ? value < threshold : value > threshold) ? [{ metric, value, threshold }] : [];
    });
    const { sessionId } = this;
    const snapshot = { sessionId, atMs, components, system: this.#system, alerts, health: this.#health };
    this.#history.push(snapshot);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
    this.#ticks++;
    if (this.#ticks % REPORT_TICKS === 0) this.reports.push(this.report(1));
    if (this.reports.length > MAX_REPORTS) this.reports.shift();
    // Ticks that were missed are not made up for.
    this.#dueMs = Math.max(this.#dueMs + TICK_MS, atMs);
    this.#cancel = from.setTimer(() => this.#tick(), this.#dueMs - from.now());
    for (const subscriber of [...this.#subscribers]) {
      try {
        subscriber(snapshot);
      } catch {
        this.#subscribers.delete(subscriber);
      }
    }
  }

  #valuesOf({ components, errorRate }: SessionReading): Partial<Record<ThresholdMetric, number | undefined>> {
    const { latency_ms, quality_score } = components.audio_processor ?? {};
    const { memoryMb: memory_mb, cpuPercent: cpu_percent } = this.#system;
    return { latency_ms, quality_score, memory_mb, cpu_percent, error_rate: errorRate };
  }

  /** Of the last minutes. */
  report(minutes = 10): MonitorReport {
    const ticks = this.history(minutes);
    const columns = new Map<string, number[]>();
    for (const { components } of ticks)
      for (const [component, measured] of Object.entries(components))
        for (const [name, value] of Object.entries(measured ?? {})) {
          const key = `${component}.${name}`;
          const column = columns.get(key);
          if (column === undefined) columns.set(key, [value]);
          else column.push(value);
        }
    const metrics = [...columns].map(([key, values]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [key, { mean, min: Math.min(...values), max: Math.max(...values) }] as const;
    });
    const trends = [...columns].map(([key, values]) => [key, trendOf(values)] as const);
    return {
      fromMs: ticks[0]?.atMs ?? 0,
      toMs: ticks.at(-1)?.atMs ?? 0,
      ticks: ticks.length,
      metrics: Object.fromEntries(metrics),
      trends: Object.fromEntries(trends),
      health: this.#health,
    };
  }
}
