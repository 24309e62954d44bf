// A clock that jumps: whoever sleeps moves the time.
import type { Clock } from '../../src/models/simulated/index.ts';

export function createJumpingClock(): Clock & { sleeps: number[] } {
  let time = 0;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => time,
    async sleep(ms, signal) {
      if (signal.aborted || ms <= 0) return;
      sleeps.push(ms);
      time += ms;
    },
  };
}
