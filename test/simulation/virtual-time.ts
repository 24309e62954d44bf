// Time that moves only when a test moves it; whatever is due runs in order, and every promise settles before time goes on.
import type { Clock } from '../../src/runner/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Lets everything that waits for a promise run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class VirtualTime implements Clock {
  #nowMs: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Timers that have neither run nor been prevented. */
  get pending(): number {
    return this.#timers.length;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    let at = this.#timers.length;
    while (at > 0 && (this.#timers[at - 1] as Timer).atMs > timer.atMs) at--;
    this.#timers.splice(at, 0, timer);
    return () => {
      const found = this.#timers.indexOf(timer);
      if (found >= 0) this.#timers.splice(found, 1);
    };
  }

  /** Resolves after `ms`; rejects with what `aborted` gives when the signal ends first. */
  wait(ms: number, signal: AbortSignal, aborted: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        cancel();
        reject(aborted());
      };
      const cancel = this.setTimer(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Runs what is due until `untilMs`. */
  async runTo(untilMs: number): Promise<void> {
    await settled();
    for (let next = this.#timers[0]; next !== undefined && next.atMs <= untilMs; next = this.#timers[0]) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      // All that is due at this instant, then the promises that it settled.
      for (let due: Timer | undefined = next; due !== undefined && due.atMs <= this.#nowMs; due = this.#timers[0]) {
        this.#timers.shift();
        due.run();
      }
      await settled();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }
}
