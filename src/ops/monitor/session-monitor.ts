// Watches one session: keeps its ticks and minutes, judges thresholds and health, and tells subscribers. The desk turns it.
import {
  COLUMNS,
  type Component,
  COMPONENTS,
  columnOf,
  shown,
  SYSTEM_FIGURES,
  type SystemFigure,
  systemColumnOf,
} from './figures.ts';
import { type FigureReport, MinuteLog, type Summary } from './minute-log.ts';
import { type Nearest, thresholdMetric, checkThreshold, type Thresholds } from './options.ts';
import type { MonitorEvent, MonitorReport, MonitorSnapshot, MonitorTick, RealtimeMonitor } from './realtime-monitor.ts';
import { efficiencyOf, type Health, healthOf } from './score.ts';
import { type AlertLevel, ALERT_LEVELS, type MonitorAlert, Threshold, type ThresholdMetric } from './thresholds.ts';
import { TickLog } from './tick-log.ts';

export interface SessionMonitorOptions {
  readonly sessionId: string;
  readonly components: readonly Component[];
  readonly thresholds: Thresholds;
  readonly historyMinutes: number;
  readonly reportMinutes: number;
  readonly nearest: Nearest;
  /** Of the desk's clock. */
  readonly startedMs: number;
  /** It is not to be turned any more. */
  onStop(monitor: SessionMonitor): void;
  onAlert(alert: MonitorAlert): void;
  /** A subscriber threw. */
  onFailed(): void;
  /** Another listener besides the subscribers, told while it hears; a minute's report is for it to ask for. */
  readonly listener?: { readonly hears: boolean; tell(event: MonitorNews): void } | undefined;
}

/** One turn: what all monitors of a process share, and where the session's row begins. */
export interface Turn {
  /** When it was due, on the desk's clock. */
  readonly dueMs: number;
  /** ms since 1970. */
  readonly atMs: number;
  readonly values: Float64Array;
  readonly offset: number;
  readonly system: Float64Array;
}

/** What a listener is told between the turns. */
export type MonitorNews =
  | Exclude<MonitorEvent, { readonly type: 'metrics' | 'report' }>
  | { readonly type: 'minute'; readonly sessionId: string };

/** Null: not measured. */
export interface Headline {
  readonly latencyMs: number | null;
  readonly qualityScore: number | null;
  readonly responseMs: number | null;
  readonly errorRate: number | null;
}

const HEALTH_MS = 5000;
const MINUTE_MS = 60_000;
const MAX_SUBSCRIBERS = 100;

const ROW_METRICS = {
  latency_ms: columnOf('audio_processor', 'latency_ms'),
  quality_score: columnOf('audio_processor', 'quality_score'),
  error_rate: columnOf('session', 'error_rate'),
} as const;
const RESPONSE = columnOf('session', 'response_ms');
const SYSTEM_METRICS = {
  memory_mb: systemColumnOf('memory_mb'),
  memory_percent: systemColumnOf('memory_percent'),
  cpu_percent: systemColumnOf('cpu_percent'),
} as const;

/** A threshold and where the value stands that it judges. */
interface Judged {
  readonly threshold: Threshold;
  readonly ofSystem: boolean;
  readonly column: number;
}

/** Columns of the session's row that belong to these components; of all of them one list for all sessions. */
function columnsOf(components: readonly Component[]): readonly number[] {
  if (components === COMPONENTS) return ALL_COLUMNS;
  const wanted = new Set(components);
  return COLUMNS.flatMap(({ component }, i) => (wanted.has(component) ? [i] : []));
}
const ALL_COLUMNS: readonly number[] = COLUMNS.map((_, i) => i);

export class SessionMonitor implements RealtimeMonitor {
  readonly sessionId: string;
  readonly #o: SessionMonitorOptions;
  /** Columns of the session's row that are kept; those of the system follow. */
  readonly #columns: readonly number[];
  readonly #row: Float64Array;
  readonly #ticks: TickLog;
  readonly #minutes: MinuteLog;
  readonly #thresholds = new Map<ThresholdMetric, Threshold>();
  /** The same, to go through without an iterator. */
  #judged: readonly Judged[] = [];
  readonly #subscribers = new Set<(event: MonitorEvent) => void>();
  /** Of the last 5 s: sums and counts of latency, quality, CPU and memory. */
  readonly #recent = new Float64Array(8);
  /** What they were when health was last assessed. */
  readonly #assessed = new Float64Array(8);
  /** By them; null: nobody has asked yet. */
  #health: Health | null = null;
  #healthDueMs = 0;
  #minuteFromMs: number;
  /** Of the newest turn; NaN before the first. */
  #dueMs = Number.NaN;
  /** Wall time at 0 of the desk's clock, as it was then: what is set is the wall clock, never the order of ticks. */
  #epochMs = 0;
  #running: boolean;

  constructor(options: SessionMonitorOptions, running: boolean) {
    this.#o = options;
    this.#running = running;
    this.sessionId = options.sessionId;
    this.#minuteFromMs = options.startedMs;
    this.#healthDueMs = options.startedMs;
    this.#columns = columnsOf(options.components);
    const width = this.#columns.length + SYSTEM_FIGURES.length;
    this.#row = new Float64Array(width).fill(Number.NaN);
    this.#ticks = new TickLog(width, options.historyMinutes);
    this.#minutes = new MinuteLog(width, options.reportMinutes);
    for (const [metric, limit] of options.thresholds) this.#limit(metric, limit, 'warning');
  }

  get running(): boolean {
    return this.#running;
  }
  get health(): Health {
    // 0 of 0 is NaN: not measured.
    const mean = (at: number) => this.#assessed[at]! / this.#assessed[at + 1]!;
    this.#health ??= healthOf({ latencyMs: mean(0), quality: mean(2), cpuPercent: mean(4), memoryMb: mean(6) });
    return this.#health;
  }
  get alerts(): readonly MonitorAlert[] {
    return [...this.#thresholds.values()].flatMap(({ active }) => (active === null ? [] : [active]));
  }
  get reports(): readonly MonitorReport[] {
    return this.#minutes.minutes().map((summary) => this.#reported(summary));
  }

  setAlertThreshold(name: string, threshold: number, level: AlertLevel = 'warning'): void {
    const metric = thresholdMetric(name, this.#o.nearest);
    checkThreshold(metric, threshold);
    if (!ALERT_LEVELS.includes(level)) throw new RangeError(`The levels are ${ALERT_LEVELS.join(', ')}, not ${level}`);
    this.#limit(metric, threshold, level);
  }

  #limit(metric: ThresholdMetric, threshold: number, level: AlertLevel): void {
    this.#thresholds.set(metric, new Threshold(this.sessionId, metric, threshold, level));
    this.#judged = [...this.#thresholds].map(([name, one]): Judged => {
      const ofSystem = name in SYSTEM_METRICS;
      const column = { ...ROW_METRICS, ...SYSTEM_METRICS }[name];
      return { threshold: one, ofSystem, column };
    });
  }

  subscribe(subscriber: (event: MonitorEvent) => void): () => void {
    if (this.#subscribers.size >= MAX_SUBSCRIBERS)
      throw new RangeError(`A monitor takes ${MAX_SUBSCRIBERS} subscribers`);
    if (this.#running) this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  stop(): void {
    this.#end(false);
  }

  /** The session is over: subscribers are told, and nothing holds them any more. */
  ended(): void {
    this.#end(true);
  }

  #end(tell: boolean): void {
    if (!this.#running) return;
    this.#running = false;
    if (tell) this.#news({ type: 'ended', sessionId: this.sessionId });
    this.#subscribers.clear();
    this.#o.onStop(this);
  }

  /** Four times a second. */
  turn(turn: Turn): void {
    const { dueMs, atMs, values, offset, system } = turn;
    const row = this.#row;
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) row[i] = values[offset + columns[i]!]!;
    row.set(system, columns.length);
    this.#dueMs = dueMs;
    this.#epochMs = atMs - dueMs;
    this.#ticks.add(row, dueMs);
    const minuteMs = dueMs - this.#minuteFromMs;
    this.#minutes.add(row, dueMs, minuteMs > MINUTE_MS / 2);
    this.#sumUp(turn);
    const isHealthDue = dueMs >= this.#healthDueMs;
    if (isHealthDue) this.#assess(dueMs);
    const changed = this.#judge(turn);
    if (this.#subscribers.size > 0) this.#tell({ type: 'metrics', snapshot: this.#shown() });
    if (isHealthDue && this.#isHeard()) {
      this.#news({ type: 'health', sessionId: this.sessionId, atMs, health: this.health });
    }
    if (changed !== null) for (const alert of changed) this.#news({ type: 'alert', alert });
    if (minuteMs < MINUTE_MS) return;
    this.#minutes.close();
    this.#minuteFromMs = dueMs;
    if (this.#subscribers.size > 0) this.#tell({ type: 'report', report: this.minute() });
    const { listener } = this.#o;
    if (listener?.hears === true) listener.tell({ type: 'minute', sessionId: this.sessionId });
  }

  #isHeard(): boolean {
    return this.#subscribers.size > 0 || this.#o.listener?.hears === true;
  }

  /** Null where there is nothing to tell. */
  #judge({ values, offset, system, dueMs, atMs }: Turn): readonly MonitorAlert[] | null {
    let changed: MonitorAlert[] | null = null;
    const judged = this.#judged;
    for (let i = 0; i < judged.length; i++) {
      const { threshold, ofSystem, column } = judged[i]!;
      const value = ofSystem ? system[column]! : values[offset + column]!;
      if (threshold.passes(value)) continue;
      const alert = threshold.look(value, dueMs, atMs);
      if (alert === null) continue;
      changed ??= [];
      changed.push(alert);
      this.#o.onAlert(alert);
    }
    return changed;
  }

  #sumUp({ values, offset, system }: Turn): void {
    this.#add(0, values[offset + ROW_METRICS.latency_ms]!);
    this.#add(2, values[offset + ROW_METRICS.quality_score]!);
    this.#add(4, system[SYSTEM_METRICS.cpu_percent]!);
    this.#add(6, system[SYSTEM_METRICS.memory_mb]!);
  }

  #add(at: number, value: number): void {
    if (Number.isNaN(value)) return;
    this.#recent[at]! += value;
    this.#recent[at + 1]!++;
  }

  #assess(dueMs: number): void {
    this.#assessed.set(this.#recent);
    this.#health = null;
    this.#recent.fill(0);
    this.#healthDueMs = Math.max(this.#healthDueMs + HEALTH_MS, dueMs + 1);
  }

  #news(event: Exclude<MonitorEvent, { readonly type: 'metrics' | 'report' }>): void {
    this.#tell(event);
    const { listener } = this.#o;
    if (listener?.hears === true) listener.tell(event);
  }

  #tell(event: MonitorEvent): void {
    if (this.#subscribers.size === 0) return;
    for (const subscriber of [...this.#subscribers]) {
      try {
        subscriber(event);
      } catch {
        this.#subscribers.delete(subscriber);
        this.#o.onFailed();
      }
    }
  }

  /** What one looks at first, without the rest. */
  headline(): Headline {
    const of = (column: number) => shown(this.#row[this.#columns.indexOf(column)]);
    return {
      latencyMs: of(ROW_METRICS.latency_ms),
      qualityScore: of(ROW_METRICS.quality_score),
      responseMs: of(RESPONSE),
      errorRate: of(ROW_METRICS.error_rate),
    };
  }

  snapshot(): MonitorSnapshot | null {
    return Number.isNaN(this.#dueMs) ? null : this.#shown();
  }

  #shown(): MonitorSnapshot {
    return {
      sessionId: this.sessionId,
      ...this.#tick(this.#dueMs, this.#row),
      alerts: this.alerts,
      health: this.health,
    };
  }

  #tick(nowMs: number, row: Float64Array | Float32Array): MonitorTick {
    const components: Partial<Record<Component, Record<string, number | null>>> = {};
    this.#columns.forEach((column, i) => {
      const { component, figure } = COLUMNS[column]!;
      const figures = (components[component] ??= {});
      figures[figure] = shown(row[i]);
    });
    const system = SYSTEM_FIGURES.map((figure, i) => [figure, shown(row[this.#columns.length + i])] as const);
    const atMs = this.#epochMs + nowMs;
    return { atMs, components, system: Object.fromEntries(system) as Record<SystemFigure, number | null> };
  }

  history(minutes: number = this.#o.historyMinutes): readonly MonitorTick[] {
    const ticks: MonitorTick[] = [];
    this.#ticks.each(this.#dueMs - minutes * MINUTE_MS, (nowMs, row) => ticks.push(this.#tick(nowMs, row)));
    return ticks;
  }

  report(minutes = 60): MonitorReport {
    return this.#reported(this.#minutes.summary(this.#dueMs - minutes * MINUTE_MS));
  }

  /** The minute that ended last. */
  minute(): MonitorReport {
    return this.#reported(this.#minutes.last());
  }

  #reported({ figures, ticks, fromMs, toMs }: Summary): MonitorReport {
    const metrics: Record<string, FigureReport> = {};
    const mean = (key: string) => metrics[key]?.mean ?? null;
    figures.forEach((figure, i) => {
      if (figure !== null) metrics[this.#keyOf(i)] = figure;
    });
    return {
      sessionId: this.sessionId,
      fromMs: this.#epochMs + fromMs,
      toMs: this.#epochMs + toMs,
      ticks,
      metrics,
      efficiency: efficiencyOf({
        lossPercent: mean('webrtc_handler.loss_percent'),
        jitterMs: mean('webrtc_handler.jitter_ms'),
        cpuPercent: mean('system.cpu_percent'),
        memoryPercent: mean('system.memory_percent'),
      }),
      health: this.health,
      alerts: this.alerts,
    };
  }

  #keyOf(i: number): string {
    const column = this.#columns[i];
    if (column === undefined) return `system.${SYSTEM_FIGURES[i - this.#columns.length]}`;
    const { component, figure } = COLUMNS[column]!;
    return `${component}.${figure}`;
  }
}
