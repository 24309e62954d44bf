// How late timers run: a blocked event loop. A probe of our own, since runtimes measure it differently or not at all.
import type { Registry } from '../../metrics/index.ts';

export interface ProbeClock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once, `delayMs` from now; returns how to prevent it. */
  setTimer(run: () => void, delayMs: number): () => void;
}

/** Blocks shorter than this may fall between two looks; longer ones are seen less at most one interval. */
const PROBE_MS = 50;

/** Begins at once; returns how to stop. */
export function probeLoop(registry: Registry, clock: ProbeClock): () => void {
  const lag = registry
    .histogram({ name: 'syrinx.event.loop.lag', unit: 's', help: `Delay of a timer that is due every ${PROBE_MS} ms.` })
    .labels();
  let dueMs = clock.now() + PROBE_MS;
  let cancel = clock.setTimer(look, PROBE_MS);

  function look(): void {
    const nowMs = clock.now();
    lag.record(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + PROBE_MS;
    cancel = clock.setTimer(look, PROBE_MS);
  }

  return () => cancel();
}
