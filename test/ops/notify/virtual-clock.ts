// Time that passes when a test says so; promises settle in between.
import type { Clock } from '../../../src/ops/notify/index.ts';

export class VirtualClock implements Clock {
  #nowMs = 0;
  #next = 0;
  readonly #timers = new Map<number, { atMs: number; run: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  get pending(): number {
    return this.#timers.size;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const id = this.#next++;
    this.#timers.set(id, { atMs: this.#nowMs + Math.max(0, delayMs), run });
    return () => this.#timers.delete(id);
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs);
      const [first] = due.sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b);
      if (first === undefined) break;
      const [id, { atMs, run }] = first;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      run();
    }
    this.#nowMs = untilMs;
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 25; i++) await Promise.resolve();
}
