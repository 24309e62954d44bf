// Clocks that can be wound: a day of history is lived through in seconds, then time goes on as usual, up to a full hour that was chosen.

export interface Times {
  /** Monotonic ms. */
  now(): number;
  setTimer(run: () => void, delayMs: number): () => void;
  /** Wall clock, ms since 1970. */
  epochNow(): number;
  /** Winds on and runs what is due; only before `release`. */
  wind(ms: number): void;
  /** From here on time passes by itself. */
  release(): void;
}

interface Timer {
  readonly run: () => void;
  readonly atMs: number;
}

export function createTimes(startEpochMs: number): Times {
  let woundMs = 0;
  let releasedAtMs: number | undefined;
  const waiting = new Set<Timer>();
  const now = (): number => (releasedAtMs === undefined ? woundMs : woundMs + performance.now() - releasedAtMs);
  const arm = (run: () => void, delayMs: number): (() => void) => {
    const timer = setTimeout(run, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  };
  return {
    now,
    setTimer(run, delayMs) {
      if (releasedAtMs !== undefined) return arm(run, delayMs);
      const timer = { run, atMs: now() + Math.max(0, delayMs) };
      waiting.add(timer);
      let cancel = (): void => void waiting.delete(timer);
      // A timer of before the release is armed by it.
      cancels.set(timer, (real) => {
        cancel = real;
      });
      return () => cancel();
    },
    epochNow: () => startEpochMs + now(),
    wind(ms) {
      woundMs += ms;
      for (const timer of [...waiting]) {
        if (timer.atMs > woundMs) continue;
        waiting.delete(timer);
        timer.run();
      }
    },
    release() {
      releasedAtMs = performance.now();
      for (const timer of waiting) cancels.get(timer)?.(arm(timer.run, timer.atMs - woundMs));
      waiting.clear();
    },
  };
}

const cancels = new WeakMap<Timer, (real: () => void) => void>();
