// Whether measuring makes frames late: the measured process beside one that does the same and measures nothing.
import { check, notJudged } from './verdicts.ts';

/** What a process of calls has counted since its start. */
export interface LoadState {
  readonly frames: number;
  readonly late: number;
  /** Times that frames began to be late. */
  readonly pauses: number;
  readonly turns: number;
}

/** More late frames than this in the control: it got too little of the machine for anything to be told. */
const BUSY_SHARE = 0.01;
/** Below this a difference between the two is no chance any more. Six comparisons are made in CI: at 1 % one run in twenty would fail for nothing. */
export const CHANCE = 0.001;

/**
 * Two equal processes share out the pauses of a machine like a coin that is tossed for each. One pause makes a frame of every call late, so
 * pauses are counted, and the exact chance of so many of them in the measured process is judged.
 */
export function judgeLate(
  name: string,
  [from, to]: readonly [LoadState, LoadState],
  [controlFrom, controlTo]: readonly [LoadState, LoadState],
): void {
  const [late, controlLate] = [to.late - from.late, controlTo.late - controlFrom.late];
  const [frames, controlFrames] = [to.frames - from.frames, controlTo.frames - controlFrom.frames];
  const [own, control] = [to.pauses - from.pauses, controlTo.pauses - controlFrom.pauses];
  const chance = late <= controlLate ? 1 : chanceOf(own, own + control);
  const figure =
    `${late} of ${frames} in ${own} pauses; control ${controlLate} of ${controlFrames} in ${control}` +
    (chance === 1 ? '' : `; by chance ${chance.toFixed(3)}`);
  if (controlLate > BUSY_SHARE * controlFrames) notJudged(`${name}: the machine is too busy`, figure);
  else check(chance >= CHANCE, name, figure);
}

/** Chance of `heads` or more heads in so many tosses of a coin that shows heads with the chance `share`, between 0 and 1. */
export function chanceOf(heads: number, tosses: number, share = 0.5): number {
  // Logarithms: of 2000 tosses there are more than 10^600 courses.
  let ways = tosses * Math.log(1 - share);
  let sum = 0;
  for (let k = 0; k <= tosses; k++) {
    if (k >= heads) sum += Math.exp(ways);
    ways += Math.log(((tosses - k) / (k + 1)) * (share / (1 - share)));
  }
  return Math.min(1, sum);
}
