// Time as this folder needs it: the program's own clock fits, and tests bring one that jumps.

export interface Clock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once, `delayMs` from now; returns how to prevent it. */
  setTimer(run: () => void, delayMs: number): () => void;
}
