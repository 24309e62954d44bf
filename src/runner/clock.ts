// Time for everything that waits. Tests and replays bring their own.

export interface Clock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once, `delayMs` from now; returns how to prevent it. */
  setTimer(run: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
