// One channel's own queue: bounded, one attempt at a time, patient with its receiver, and of no concern to any other channel.
import type { Notification } from '../alerts/notification.ts';
import { type BackoffPolicy, backoffMs, DELIVERY_BACKOFF } from './backoff.ts';
import type { Clock, Deliver, DeliveryRecord, Ending, Outcome } from './delivery.ts';
import type { NotifyInstruments } from './instruments.ts';

export interface ChannelOptions {
  readonly name: string;
  readonly deliver: Deliver;
  readonly clock: Clock;
  /** Wall clock in ms since 1970, for the log. */
  readonly wallNow: () => number;
  readonly random: () => number;
  /** Called once for each notification. */
  readonly onSettled?: ((notification: Notification, ending: Ending) => void) | undefined;
  /** Called after each attempt, and for what is given up without one. */
  readonly onAttempt?: ((record: DeliveryRecord) => void) | undefined;
  readonly instruments?: NotifyInstruments | undefined;
  /** One attempt. Default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** Notifications that wait; the oldest makes room. Default 200. */
  readonly maxQueued?: number | undefined;
  /** After that nobody wants to hear of it. Default 6 h. */
  readonly maxAgeMs?: number | undefined;
  /** Between the starts of two attempts, for receivers that count. Default 0. */
  readonly minIntervalMs?: number | undefined;
  readonly backoff?: BackoffPolicy | undefined;
}

interface Item {
  readonly notification: Notification;
  readonly sinceMs: number;
  attempts: number;
  nextMs: number;
}

const LOG_LENGTH = 200;
const MAX_MESSAGE_CHARS = 300;

export class ChannelQueue {
  readonly name: string;
  readonly #options: ChannelOptions;
  #items: Item[] = [];
  #busy: Item | undefined;
  #abandon: (() => void) | undefined;
  /** Attempts in a row that failed, of whatever notification. */
  #failures = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #stopTimer: (() => void) | undefined;
  #stopped = false;
  #idle: (() => void)[] = [];
  readonly #log: DeliveryRecord[] = [];

  constructor(options: ChannelOptions) {
    this.name = options.name;
    this.#options = options;
    options.instruments?.opened(options.name);
  }

  /** Waiting and under way. */
  get size(): number {
    return this.#items.length;
  }

  /** The last 200 attempts, oldest first. */
  log(): readonly DeliveryRecord[] {
    return this.#log;
  }

  push(notification: Notification): void {
    const { clock, maxQueued = 200 } = this.#options;
    if (this.#stopped || this.#items.some(({ notification: { id } }) => id === notification.id)) return;
    const waiting = this.#items.some(({ notification: { groupKey } }) => groupKey === notification.groupKey);
    if (waiting && notification.reason === 'repeat interval elapsed') return this.#drop(notification, 'superseded');
    if (this.#items.length >= maxQueued) {
      const oldest = this.#items.find((item) => item !== this.#busy);
      if (oldest !== undefined) this.#remove(oldest, 'overflow');
    }
    this.#items.push({ notification, sinceMs: clock.now(), attempts: 0, nextMs: clock.now() });
    this.#report();
    this.#pump();
  }

  /** Resolves when nothing is left to do now, or after `graceMs`. What is left stays unsettled, for the next process. */
  async stop(graceMs: number): Promise<void> {
    if (this.#busy !== undefined || this.#ready() !== undefined) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.setTimer(resolve, graceMs);
        this.#idle.push(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#stopped = true;
    this.#stopTimer?.();
    this.#abandon?.();
  }

  #pump(): void {
    if (this.#busy !== undefined || this.#stopped) return;
    this.#expire();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const item = this.#ready();
    if (item !== undefined) {
      this.#busy = item;
      void this.#attempt(item);
      return;
    }
    for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#items.length === 0) return;
    const { clock } = this.#options;
    const nextMs = Math.max(this.#pausedUntilMs, Math.min(...this.#heads().map((head) => head.nextMs)));
    this.#stopTimer = clock.setTimer(() => this.#pump(), Math.max(1, nextMs - clock.now()));
  }

  /** The first of each group: a group's notifications stay in order, and one that fails holds up no other group. */
  #heads(): Item[] {
    const groups = new Set<string>();
    return this.#items.filter(({ notification: { groupKey } }) => {
      const first = !groups.has(groupKey);
      groups.add(groupKey);
      return first;
    });
  }

  #ready(): Item | undefined {
    const nowMs = this.#options.clock.now();
    return nowMs < this.#pausedUntilMs ? undefined : this.#heads().find(({ nextMs }) => nextMs <= nowMs);
  }

  async #attempt(item: Item): Promise<void> {
    const { clock, wallNow, random, minIntervalMs = 0, backoff = DELIVERY_BACKOFF } = this.#options;
    const startedMs = clock.now();
    const atMs = wallNow();
    item.attempts++;
    const outcome = await this.#within(item.notification);
    this.#busy = undefined;
    if (this.#stopped) return;
    const latencyMs = clock.now() - startedMs;
    this.#note(
      item,
      outcome.kind,
      atMs,
      latencyMs,
      outcome.status ?? null,
      'message' in outcome ? outcome.message : null,
    );
    this.#options.instruments?.attempted(this.name, outcome.kind, latencyMs);
    this.#pausedUntilMs = startedMs + minIntervalMs;
    if (outcome.kind === 'retry') {
      const waitMs = Math.max(backoffMs(item.attempts, random(), backoff), outcome.retryAfterMs ?? 0);
      item.nextMs = clock.now() + waitMs;
      this.#failures++;
      // One that fails may be to blame itself; two in a row, or a receiver that says so, are the receiver.
      const steps = outcome.pause === true ? this.#failures : this.#failures - 1;
      const pauseMs = steps > 0 ? backoffMs(steps, random(), backoff) : 0;
      const untilMs = clock.now() + Math.max(pauseMs, outcome.pause === true ? (outcome.retryAfterMs ?? 0) : 0);
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs);
      // Of several that fail, each has its turn.
      this.#items = [
        ...this.#items.filter((one) => !sameGroup(one, item)),
        ...this.#items.filter((one) => sameGroup(one, item)),
      ];
    } else {
      this.#failures = 0;
      this.#remove(item, outcome.kind);
    }
    this.#pump();
  }

  /** Ends in time even if the attempt takes no notice of its signal. */
  #within(notification: Notification): Promise<Outcome> {
    const { deliver, clock, timeoutMs = 10_000 } = this.#options;
    const controller = new AbortController();
    return new Promise((resolve) => {
      let over = false;
      const end = (outcome: Outcome): void => {
        // An answer that comes too late belongs to nobody.
        if (over) return;
        over = true;
        cancel();
        this.#abandon = undefined;
        resolve(outcome);
      };
      const give = (message: string): void => {
        end({ kind: 'retry', message });
        controller.abort();
      };
      const cancel = clock.setTimer(() => give(`no answer in ${timeoutMs} ms`), timeoutMs);
      this.#abandon = () => give('the program stops');
      const failed = (error: unknown): void => end({ kind: 'retry', message: messageOf(error) });
      try {
        deliver(notification, controller.signal).then(end, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  #expire(): void {
    const { clock, maxAgeMs = 6 * 3_600_000 } = this.#options;
    const nowMs = clock.now();
    for (const item of this.#items.filter(({ sinceMs }) => nowMs - sinceMs >= maxAgeMs)) this.#remove(item, 'expired');
  }

  #remove(item: Item, ending: Ending): void {
    this.#items = this.#items.filter((one) => one !== item);
    if (ending !== 'delivered' && ending !== 'rejected') this.#drop(item.notification, ending, item.attempts);
    else this.#options.onSettled?.(item.notification, ending);
    this.#report();
  }

  #drop(notification: Notification, ending: Exclude<Ending, 'delivered' | 'rejected'>, attempts = 0): void {
    this.#note({ notification, attempts }, ending, this.#options.wallNow(), 0, null, null);
    this.#options.instruments?.dropped(this.name, ending);
    this.#options.onSettled?.(notification, ending);
  }

  #note(
    { notification: { id, reason }, attempts: attempt }: Pick<Item, 'notification' | 'attempts'>,
    outcome: DeliveryRecord['outcome'],
    atMs: number,
    latencyMs: number,
    status: number | null,
    text: string | null,
  ): void {
    const message = text === null ? null : text.slice(0, MAX_MESSAGE_CHARS);
    const record = { id, channel: this.name, reason, attempt, atMs, latencyMs, outcome, status, message };
    this.#log.push(record);
    this.#options.onAttempt?.(record);
    if (this.#log.length > LOG_LENGTH) this.#log.shift();
  }

  #report(): void {
    this.#options.instruments?.queued(this.name, this.#items.length);
  }
}

const sameGroup = (a: Item, b: Item): boolean => a.notification.groupKey === b.notification.groupKey;

/** Errors of fetch say little themselves and more in their cause; where several addresses fail, Node's have a code alone. Addresses are
 *  cut out: they may hold secrets. */
function messageOf(error: unknown): string {
  const known: Error & { readonly code?: unknown } = error instanceof Error ? error : new Error(String(error));
  const { message, cause, code } = known;
  const said = message === '' ? String(code) : message;
  const text = cause instanceof Error && cause.message !== '' ? `${said}: ${cause.message}` : said;
  return text.replace(/\bhttps?:\/\/\S+/g, '[address]');
}
