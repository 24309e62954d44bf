// Time that stands still until a test moves it.
import type { Clock } from '../../../src/livekit/clock.ts';

export interface VirtualClock extends Clock {
  /** Moves on, runs what falls due in its order, and lets promises settle after each. */
  advance(ms: number): Promise<void>;
  readonly pending: number;
}

export function createVirtualClock(): VirtualClock {
  let nowMs = 1000;
  let sequence = 0;
  const timers = new Map<number, { atMs: number; run: () => void }>();
  const next = (untilMs: number) =>
    [...timers.entries()].filter(([, t]) => t.atMs <= untilMs).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
  return {
    now: () => nowMs,
    setTimer(run, delayMs) {
      const id = sequence++;
      timers.set(id, { atMs: nowMs + Math.max(0, delayMs), run });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let due = next(untilMs); due !== undefined; due = next(untilMs)) {
        timers.delete(due[0]);
        nowMs = due[1].atMs;
        due[1].run();
        await settle();
      }
      nowMs = untilMs;
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Lets everything run that waits for promises only. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
