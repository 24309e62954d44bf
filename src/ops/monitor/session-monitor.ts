// Watches one session: keeps its ticks and minutes, judges thresholds and health, and tells subscribers. The desk turns it.
import { COLUMNS, type Component, COMPONENTS, columnOf, shown, SYSTEM_FIGURES, type SystemFigure } from './figures.ts';
import { type FigureReport, MinuteLog, type Summary } from './minute-log.ts';
import { type Nearest, thresholdMetric, checkThreshold, type Thresholds } from './options.ts';
import type { MonitorEvent, MonitorReport, MonitorSnapshot, MonitorTick, RealtimeMonitor } from './realtime-monitor.ts';
import { efficiencyOf, type Health, healthOf } from './score.ts';
import {
  type AlertLevel,
  ALERT_LEVELS,
  Excess,
  type MonitorAlert,
  ROW_METRICS,
  SYSTEM_METRICS,
  Threshold,
} from './thresholds.ts';
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
const NONE: readonly undefined[] = [];

const RESPONSE = columnOf('session', 'response_ms');

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
  #thresholds: Thresholds;
  /** By threshold; undefined: this session is not beyond it, as almost always. */
  #excesses: readonly (Excess | undefined)[] = NONE;
  /** Made for the first of them. */
  #subscribers: Set<(event: MonitorEvent) => void> | undefined;
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
    this.#thresholds = options.thresholds;
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
    return this.#excesses.flatMap((excess) => (excess === undefined ? [] : [excess.alert]));
  }
  get reports(): readonly MonitorReport[] {
    return this.#minutes.minutes().map((summary) => this.#reported(summary));
  }

  setAlertThreshold(name: string, threshold: number, level: AlertLevel = 'warning'): void {
    const metric = thresholdMetric(name, this.#o.nearest);
    checkThreshold(metric, threshold);
    if (!ALERT_LEVELS.includes(level)) throw new RangeError(`The levels are ${ALERT_LEVELS.join(', ')}, not ${level}`);
    const made = new Threshold(metric, threshold, level);
    const at = this.#thresholds.findIndex((one) => one.metric === metric);
    this.#thresholds = at < 0 ? [...this.#thresholds, made] : this.#thresholds.with(at, made);
    if (at >= 0) this.#excess(at, undefined);
  }

  #excess(at: number, excess: Excess | undefined): void {
    if (this.#excesses[at] === excess) return;
    const all = this.#thresholds.map((_, i) => (i === at ? excess : this.#excesses[i]));
    this.#excesses = all.some((one) => one !== undefined) ? all : NONE;
  }

  subscribe(subscriber: (event: MonitorEvent) => void): () => void {
    const subscribers = (this.#subscribers ??= new Set());
    if (subscribers.size >= MAX_SUBSCRIBERS) throw new RangeError(`A monitor takes ${MAX_SUBSCRIBERS} subscribers`);
    if (this.#running) subscribers.add(subscriber);
    return () => void subscribers.delete(subscriber);
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
    this.#subscribers?.clear();
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
    if (this.#isSubscribed()) this.#tell({ type: 'metrics', snapshot: this.#shown() });
    if (isHealthDue && this.#isHeard()) {
      this.#news({ type: 'health', sessionId: this.sessionId, atMs, health: this.health });
    }
    if (changed !== null) for (const alert of changed) this.#news({ type: 'alert', alert });
    if (minuteMs < MINUTE_MS) return;
    this.#minutes.close();
    this.#minuteFromMs = dueMs;
    if (this.#isSubscribed()) this.#tell({ type: 'report', report: this.minute() });
    const { listener } = this.#o;
    if (listener?.hears === true) listener.tell({ type: 'minute', sessionId: this.sessionId });
  }

  #isSubscribed(): boolean {
    return this.#subscribers !== undefined && this.#subscribers.size > 0;
  }

  #isHeard(): boolean {
    return this.#isSubscribed() || this.#o.listener?.hears === true;
  }

  /** Null where there is nothing to tell. */
  #judge({ values, offset, system, dueMs, atMs }: Turn): readonly MonitorAlert[] | null {
    let changed: MonitorAlert[] | null = null;
    const thresholds = this.#thresholds;
    for (let i = 0; i < thresholds.length; i++) {
      const threshold = thresholds[i]!;
      const { ofSystem, column } = threshold;
      const value = ofSystem ? system[column]! : values[offset + column]!;
      const excess = this.#excesses[i];
      if (excess === undefined && !threshold.isExceeded(value)) continue;
      const begun = excess === undefined ? new Excess(this.sessionId, threshold, value, dueMs, atMs) : undefined;
      const alert = begun?.alert ?? excess?.look(value, dueMs, atMs) ?? null;
      if (alert === null) continue;
      this.#excess(i, begun);
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
    const subscribers = this.#subscribers;
    if (subscribers === undefined || subscribers.size === 0) return;
    for (const subscriber of [...subscribers]) {
      try {
        subscriber(event);
      } catch {
        subscribers.delete(subscriber);
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
