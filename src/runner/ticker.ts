// The one clock that pulls audio for all calls: every 20 ms each, spread over the period so that they do not come all at once.
import type { Clock } from './clock.ts';

export const TICK_MS = 20;
const PHASES = 4;

export interface Ticker {
  /** Calls `tick` every 20 ms from now on; returns how to stop. */
  add(tick: (nowMs: number) => void): () => void;
  readonly size: number;
}

/** Runs a timer only while something is added. Ticks keep to their times: one that comes late does not move the next. */
export function createTicker(clock: Clock): Ticker {
  const phases: Set<(nowMs: number) => void>[] = Array.from({ length: PHASES }, () => new Set());
  let next = 0;
  let dueMs = 0;
  let cancel: (() => void) | null = null;
  const size = () => phases.reduce((sum, p) => sum + p.size, 0);

  const run = () => {
    cancel = null;
    const phase = phases[next] as Set<(nowMs: number) => void>;
    next = (next + 1) % PHASES;
    const nowMs = clock.now();
    try {
      for (const tick of phase) tick(nowMs);
    } finally {
      // One tick that throws must not silence the other calls.
      goOn();
    }
  };

  const goOn = () => {
    if (cancel !== null || size() === 0) return;
    dueMs += TICK_MS / PHASES;
    // After a hold-up the rhythm starts anew: catching up would send a burst.
    if (clock.now() - dueMs > TICK_MS) dueMs = clock.now();
    cancel = clock.setTimer(run, dueMs - clock.now());
  };

  return {
    add(tick) {
      const phase = phases.reduce((a, b) => (b.size < a.size ? b : a));
      phase.add(tick);
      if (cancel === null) {
        dueMs = clock.now() + TICK_MS / PHASES;
        cancel = clock.setTimer(run, TICK_MS / PHASES);
      }
      return () => {
        phase.delete(tick);
        if (size() === 0) {
          cancel?.();
          cancel = null;
        }
      };
    },
    get size() {
      return size();
    },
  };
}
