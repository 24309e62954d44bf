// The alert engine at work: fed from the registry at an interval, its journal written, its notifications handed to the channels.
import type { DataFolder } from '../../hosts/port.ts';
import type { DeliveryRecord, Ending } from '../notify/delivery.ts';
import { AlertEngine, type AlertEngineOptions, type Evaluation } from './engine.ts';
import { Journal, readJournal, setAside } from './journal.ts';
import type { Notification } from './notification.ts';
import { NewerRecordsError } from './records.ts';
import { RegistryFeed, type TakeReadings } from './registry-feed.ts';
import type { RuleProblem, Transition } from './rule-state.ts';

export interface WatchClock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once, `delayMs` from now; returns how to prevent it. */
  setTimer(run: () => void, delayMs: number): () => void;
}

/** What is told besides the alerts themselves. */
export type WatchNews =
  | { readonly kind: 'transition'; readonly transition: Transition }
  | { readonly kind: 'problem'; readonly problem: RuleProblem }
  /** Nothing is kept for a restart from now on, or it is again. */
  | { readonly kind: 'journal'; readonly message: string; readonly error?: unknown };

export interface AlertWatchOptions {
  readonly engine: Omit<AlertEngineOptions, 'journal'>;
  /** What there is to judge. */
  readonly readings: TakeReadings;
  readonly clock: WatchClock;
  /** Wall clock, ms since 1970. */
  readonly wallNow: () => number;
  readonly intervalMs: number;
  /** Where the state outlives the process; undefined: in memory alone. */
  readonly folder: DataFolder | undefined;
  readonly onNews: (news: WatchNews) => void;
}

/** Longest wait for a slow disk before a page goes out all the same. */
const DISK_WAIT_MS = 1000;
/** What an earlier process could not deliver is no news after that. */
const MAX_AGE_MS = 6 * 3_600_000;
/** Work at one time; then calls have their turn. What one slice takes beyond it is far below a millisecond. */
const SLICE_MS = 0.25;
/** Time between two evaluations beyond so many intervals is time in which nobody looked, and does not count. */
const MAX_STEP_INTERVALS = 4;
const MIN_STEP_MS = 15_000;

/** Makes the watch with what an earlier process left in the folder. Rejects for no reason that has to do with the disk. */
export async function createAlertWatch(options: AlertWatchOptions): Promise<AlertWatch> {
  const { folder, onNews } = options;
  const inMemory = (message: string, error?: unknown): AlertWatch => {
    onNews({ kind: 'journal', message: `${message}; alerts go on in memory`, error });
    return new AlertWatch({ ...options, folder: undefined }, new AlertEngine(options.engine));
  };
  if (folder === undefined) return new AlertWatch(options, new AlertEngine(options.engine));
  let lines: string[];
  try {
    lines = await readJournal(folder);
  } catch (error) {
    return inMemory('the journal of alerts cannot be read', error);
  }
  let engine: AlertEngine;
  try {
    engine = new AlertEngine({ ...options.engine, journal: lines });
  } catch (error) {
    if (error instanceof NewerRecordsError) return inMemory(`the journal is left as it is: ${error.message}`);
    throw error;
  }
  if (engine.unreadableLines > 0) {
    // A torn last line is what a kill leaves; more than that is worth a look.
    const copy = engine.unreadableLines > 1 ? await setAside(folder, 'damaged').catch(() => undefined) : undefined;
    const kept = copy === undefined ? '' : `, a copy is kept as ${copy}`;
    onNews({
      kind: 'journal',
      message: `lines of the journal that could not be read: ${engine.unreadableLines}${kept}`,
    });
  }
  return new AlertWatch(options, engine);
}

export class AlertWatch {
  readonly engine: AlertEngine;
  readonly #options: AlertWatchOptions;
  readonly #journal: Journal;
  readonly #feed = new RegistryFeed();
  readonly #startMs: number;
  #send: (notifications: readonly Notification[]) => void = () => {};
  #cancel = (): void => {};
  #stopped = false;
  /** The engine's clock: monotonic, from the wall clock at the start. */
  #hostMs: number;
  #lookedMs: number;
  #dueMs: number;

  constructor(options: AlertWatchOptions, engine: AlertEngine) {
    const { clock, wallNow, folder, onNews } = options;
    this.#options = options;
    this.engine = engine;
    this.#hostMs = wallNow();
    this.#startMs = clock.now();
    this.#lookedMs = this.#startMs;
    this.#dueMs = this.#startMs;
    this.#journal = new Journal({
      folder,
      whole: () => engine.wholeJournal(),
      onTrouble: (error) =>
        onNews({ kind: 'journal', message: 'the journal of alerts cannot be written; alerts go on in memory', error }),
      onRecovery: () => onNews({ kind: 'journal', message: 'the journal of alerts is written again' }),
      now: () => clock.now(),
    });
  }

  /** Whether a restart would know what this process knows. */
  get persistent(): boolean {
    return this.#journal.works;
  }

  get hostMs(): number {
    return this.#hostMs;
  }

  /** Evaluates at once and then at the interval. What an earlier process left undelivered is sent first. */
  start(send: (notifications: readonly Notification[]) => void): void {
    this.#send = send;
    const [old, young] = [[] as Notification[], [] as Notification[]];
    for (const one of this.engine.unsettled()) {
      (this.#options.wallNow() - one.atMs >= MAX_AGE_MS ? old : young).push(one);
    }
    for (const one of old) this.engine.settled(one.id, this.#hostMs);
    send(young);
    this.#evaluate(this.#startMs);
  }

  /** One evaluation, for this moment of the clock; then the next one is planned. */
  #evaluate(atMs: number): void {
    this.#look(atMs);
    this.#go(this.#slices());
  }

  *#slices(): Generator<undefined, Evaluation, undefined> {
    const { readings, wallNow } = this.#options;
    const hostMs = this.#hostMs;
    const taken = yield* readings(this.#feed.sources(this.engine.metrics()));
    const points = this.#feed.points(taken, hostMs);
    yield;
    yield* this.engine.observing(points, hostMs);
    return yield* this.engine.evaluation(hostMs, wallNow());
  }

  /** Goes on with an evaluation for as long as others can wait. */
  #go(slices: Generator<undefined, Evaluation, undefined>): void {
    const { clock, onNews } = this.#options;
    const startedMs = clock.now();
    for (;;) {
      const { done, value } = slices.next();
      if (done === true) {
        for (const transition of value.transitions) onNews({ kind: 'transition', transition });
        for (const problem of value.problems) onNews({ kind: 'problem', problem });
        this.#write(value.notifications);
        return this.#plan();
      }
      if (clock.now() - startedMs < SLICE_MS) continue;
      this.#cancel = clock.setTimer(() => this.#go(slices), 0);
      return;
    }
  }

  /** A notification that says it is a test, through the real channels. Empty: no such rule, or nobody to tell. */
  test(rule: string): readonly Notification[] {
    const notifications = this.engine.test(rule, this.#hostMs, this.#options.wallNow());
    this.#write(notifications);
    return notifications;
  }

  /** Writes what has changed outside of an evaluation: silences, acknowledgements, rules. */
  changed(): void {
    this.#write([]);
  }

  /** A channel made an attempt. */
  attempted(record: DeliveryRecord): void {
    this.engine.delivered(record, this.#hostMs);
    this.#write([]);
  }

  /** A channel is done with a notification. */
  settled(notification: Notification, _ending: Ending): void {
    this.engine.settled(notification.id, this.#hostMs);
    this.#write([]);
  }

  /** No more evaluations. The channels may still settle; then `close`. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#journal.append(this.engine.takeJournal());
    await this.#journal.close();
  }

  #look(atMs: number): void {
    const { intervalMs } = this.#options;
    const passedMs = Math.max(0, atMs - this.#lookedMs);
    this.#lookedMs = atMs;
    this.#hostMs += Math.min(passedMs, Math.max(MIN_STEP_MS, MAX_STEP_INTERVALS * intervalMs));
  }

  #plan(): void {
    const { clock, intervalMs } = this.#options;
    if (this.#stopped) return;
    const nowMs = clock.now();
    // By the grid of the start, so that evaluations do not drift; those that were missed stay missed.
    this.#dueMs += intervalMs;
    this.#cancel = clock.setTimer(() => {
      // For the moment at which it was due: a timer that is a little late makes no duration longer.
      const lateMs = Math.max(0, clock.now() - this.#dueMs);
      this.#dueMs += Math.floor(lateMs / intervalMs) * intervalMs;
      this.#evaluate(this.#dueMs);
    }, this.#dueMs - nowMs);
  }

  /** Nothing is sent before the disk knows, so that a restart repeats nothing; a disk that hangs stops nobody's page. */
  #write(notifications: readonly Notification[]): void {
    const written = this.#journal.append(this.engine.takeJournal());
    if (notifications.length === 0) return;
    let sent = false;
    const send = (): void => {
      if (sent) return;
      sent = true;
      cancel();
      this.#send(notifications);
    };
    const cancel = this.#options.clock.setTimer(send, DISK_WAIT_MS);
    void written.then(send);
  }
}
