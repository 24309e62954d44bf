// Turns all monitors of a process with one timer, four times a second; there is none while nothing is watched.
import { COMPONENTS, columnOf, SYSTEM_FIGURES, WIDTH } from './figures.ts';
import { ErrorWindow } from './error-window.ts';
import type { MonitorInstruments } from './instruments.ts';
import { type MonitorOptions, type Nearest, readMonitorOptions, type Thresholds } from './options.ts';
import type { RealtimeMonitor } from './realtime-monitor.ts';
import { type MonitorNews, SessionMonitor, type SessionMonitorOptions, type Turn } from './session-monitor.ts';

/** All sessions as plain data: a row of `WIDTH` numbers each, NaN where nothing is measured. */
export interface SessionRows {
  readonly ids: readonly string[];
  readonly values: Float64Array;
}
export interface MonitorDeskOptions {
  /** Monotonic ms. */
  now(): number;
  setTimer(run: () => void, delayMs: number): () => void;
  /** ms since 1970. */
  epochNowMs(): number;
  /** Asked four times a second; the rows are only read until the next time. */
  sessions(): SessionRows;
  /** Asked once a second: `SYSTEM_FIGURES`. */
  system(): Float64Array;
  /** Of the configuration: for monitors that set none. */
  readonly thresholds: Thresholds;
  readonly instruments: MonitorInstruments;
  readonly nearest?: Nearest | undefined;
  /** A turn failed; the next one comes all the same. */
  onError(error: unknown): void;
}

interface Watched {
  /** Keeps little, for whoever looks; there from the session's beginning to its end. */
  readonly own: SessionMonitor;
  /** Those that `start` gave; made for the first of them. */
  given: Set<SessionMonitor> | undefined;
  readonly errors: ErrorWindow;
}

const TICK_MS = 250;
const SECOND_MS = 1000;
const OWN_HISTORY_MINUTES = 0.25;
const OWN_REPORT_MINUTES = 5;
const REPORT_MINUTES = 60;
const MAX_MONITORS = 20;
/** Then whatever else is ready goes first. */
const MONITORS_A_SLICE = 25;
/** Turns over which what is due each minute, or each 5 s, is spread. */
const SPREAD_TURNS = 20;
const TRIED = columnOf('session', 'requests');
const FAILED = columnOf('session', 'errors');
const ERROR_RATE = columnOf('session', 'error_rate');

/** News of the desk's own monitors, and a beat for each turn. */
export type DeskEvent = MonitorNews | { readonly type: 'turn'; readonly atMs: number };

export class MonitorDesk {
  readonly #o: MonitorDeskOptions;
  readonly #nearest: Nearest;
  readonly #sessions = new Map<string, Watched>();
  #opened = 0;
  readonly #listeners = new Set<(event: DeskEvent) => void>();
  readonly #system: Float64Array = new Float64Array(SYSTEM_FIGURES.length).fill(Number.NaN);
  /** Of all of the desk's own monitors: what they tell goes to the listeners. */
  readonly #ear: NonNullable<SessionMonitorOptions['listener']>;
  #systemDueMs = 0;
  #dueMs = 0;
  #cancel: (() => void) | undefined;

  constructor(options: MonitorDeskOptions) {
    this.#o = options;
    this.#nearest = options.nearest ?? (() => undefined);
    const listeners = this.#listeners;
    this.#ear = {
      get hears() {
        return listeners.size > 0;
      },
      tell: (event) => this.#tell(event),
    };
    options.instruments.watch(() => this.#sessions.size);
  }

  /** Whether there is a timer. */
  get isTurning(): boolean {
    return this.#cancel !== undefined;
  }
  /** Sessions that are watched. */
  get size(): number {
    return this.#sessions.size;
  }
  /** `SYSTEM_FIGURES`, at most a second old. */
  get system(): Float64Array {
    if (!this.isTurning) this.#system.set(this.#o.system());
    return this.#system;
  }

  /** A session has begun: it is watched from now on. */
  opened(sessionId: string): void {
    // Minutes and health of sessions that began together fall due in turns of their own.
    const aheadMs = (this.#opened++ % SPREAD_TURNS) * TICK_MS;
    const own = this.#monitor(
      {
        sessionId,
        components: COMPONENTS,
        thresholds: this.#o.thresholds,
        historyMinutes: OWN_HISTORY_MINUTES,
        reportMinutes: OWN_REPORT_MINUTES,
        listener: this.#ear,
      },
      aheadMs,
    );
    this.#sessions.set(sessionId, { own, given: undefined, errors: new ErrorWindow() });
    this.#run();
  }

  /** It has ended: its monitors are told, and nothing of it is left here. */
  closed(sessionId: string): void {
    const watched = this.#sessions.get(sessionId);
    if (watched === undefined) return;
    this.#sessions.delete(sessionId);
    for (const monitor of [watched.own, ...(watched.given ?? [])]) monitor.ended();
    this.#restIfIdle();
  }

  start(given: MonitorOptions): RealtimeMonitor {
    const { thresholds = this.#o.thresholds, ...options } = readMonitorOptions(given, this.#nearest);
    const watched = this.#sessions.get(options.sessionId);
    if (watched === undefined) throw new RangeError(`No session '${options.sessionId}' is running`);
    const monitors = (watched.given ??= new Set());
    if (monitors.size >= MAX_MONITORS)
      throw new RangeError(`Session '${options.sessionId}' has ${MAX_MONITORS} monitors already: stop one`);
    const monitor = this.#monitor({ ...options, thresholds, reportMinutes: REPORT_MINUTES });
    monitors.add(monitor);
    return monitor;
  }

  /** As if it had begun so much earlier. */
  #monitor(
    options: Omit<SessionMonitorOptions, 'nearest' | 'startedMs' | 'onStop' | 'onAlert' | 'onFailed'>,
    aheadMs = 0,
  ): SessionMonitor {
    const { instruments } = this.#o;
    return new SessionMonitor(
      {
        ...options,
        nearest: this.#nearest,
        startedMs: (this.isTurning ? this.#dueMs - TICK_MS : this.#o.now()) - aheadMs,
        onStop: (monitor) => void this.#sessions.get(monitor.sessionId)?.given?.delete(monitor),
        onAlert: (alert) => instruments.alert(alert),
        onFailed: () => instruments.subscriberFailed(),
      },
      true,
    );
  }

  /** The desk's own monitor of a session. */
  of(sessionId: string): SessionMonitor | undefined {
    return this.#sessions.get(sessionId)?.own;
  }
  /** The desk's own monitor of each session. */
  all(): SessionMonitor[] {
    return [...this.#sessions.values()].map(({ own }) => own);
  }

  /** Hears of all sessions; the timer runs as long. Returns how to stop that. */
  listen(listener: (event: DeskEvent) => void): () => void {
    this.#listeners.add(listener);
    this.#run();
    return () => {
      this.#listeners.delete(listener);
      this.#restIfIdle();
    };
  }

  /** Ends all of it. */
  stop(): void {
    for (const id of [...this.#sessions.keys()]) this.closed(id);
    this.#listeners.clear();
    this.#restIfIdle();
  }

  #run(): void {
    if (this.isTurning) return;
    const nowMs = this.#o.now();
    this.#dueMs = nowMs + TICK_MS;
    this.#systemDueMs = this.#dueMs;
    this.#wait();
  }

  #wait(): void {
    this.#cancel = this.#o.setTimer(() => this.#turn(), this.#dueMs - this.#o.now());
  }

  #restIfIdle(): void {
    if (this.#sessions.size > 0 || this.#listeners.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #turn(): void {
    const dueMs = this.#dueMs;
    this.#dueMs += TICK_MS;
    this.#go(dueMs, this.#slices(dueMs));
  }

  /** On with a turn that was due then: one slice of it. */
  #go(dueMs: number, slices: Iterator<void, void>): void {
    const { now, instruments, onError, setTimer } = this.#o;
    const timer = this.#cancel;
    let over = true;
    try {
      over = slices.next().done === true;
    } catch (error) {
      onError(error);
    }
    // A subscriber may have ended everything, and begun anew.
    if (this.#cancel !== timer) return;
    if (!over) {
      this.#cancel = setTimer(() => this.#go(dueMs, slices), 0);
      return;
    }
    instruments.turned(now() - dueMs);
    // Turns that were missed are not made up for.
    this.#dueMs = Math.max(this.#dueMs, now());
    this.#wait();
  }

  /** A turn of all sessions; where it yields, whatever else is ready goes first. */
  *#slices(dueMs: number): Generator<void, void> {
    const isSecond = dueMs >= this.#systemDueMs;
    if (isSecond) {
      this.#system.set(this.#o.system());
      this.#systemDueMs = dueMs + SECOND_MS;
    }
    const { ids, values } = this.#o.sessions();
    if (ids.length < this.#sessions.size) this.#forget(ids);
    const atMs = this.#o.epochNowMs();
    const turn = { dueMs, atMs, values, offset: 0, system: this.#system };
    yield;
    let turned = 0;
    for (let row = 0; row < ids.length; row++) {
      if (turned >= MONITORS_A_SLICE) {
        yield;
        turned = 0;
      }
      turn.offset = row * WIDTH;
      turned += this.#turnSession(ids[row]!, turn, isSecond);
    }
    if (this.#listeners.size === 0) return;
    yield;
    this.#tell({ type: 'turn', atMs });
  }

  /** Returns how many monitors it had. */
  #turnSession(id: string, turn: Turn, isSecond: boolean): number {
    const watched = this.#sessions.get(id);
    if (watched === undefined) return 0;
    const { values, offset } = turn;
    const tried = values[offset + TRIED]!;
    const failed = values[offset + FAILED]!;
    values[offset + ERROR_RATE] = watched.errors.rate(tried, failed);
    if (isSecond) watched.errors.turn(tried, failed);
    if (watched.own.running) watched.own.turn(turn);
    // Most sessions have none: of an empty set no iterator is made either, each quarter of a second.
    if (watched.given === undefined || watched.given.size === 0) return 1;
    for (const monitor of watched.given) monitor.turn(turn);
    return 1 + watched.given.size;
  }

  /** Sessions that have no row any more have ended, whoever forgot to say so. */
  #forget(ids: readonly string[]): void {
    const there = new Set(ids);
    for (const id of [...this.#sessions.keys()]) if (!there.has(id)) this.closed(id);
  }

  #tell(event: DeskEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
