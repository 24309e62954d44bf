// Medians, percentiles and repeated timing, for all benchmarks.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Value at rank `q` (0..1), nearest rank. Throws `RangeError` for an empty list. */
export function percentile(values: Iterable<number>, q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
  if (found === undefined) throw new RangeError('A percentile needs at least one value');
  return found;
}

export function spread(values: readonly number[]): Spread {
  return { median: percentile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** Milliseconds that one of `runs` runs of `work` took, after one that is not counted. */
export function timeMs(work: () => void, runs = 5): Spread {
  work();
  const taken: number[] = [];
  for (let i = 0; i < runs; i++) {
    const from = performance.now();
    work();
    taken.push(performance.now() - from);
  }
  return spread(taken);
}

/** Nanoseconds per call; `times` calls in each of `runs` runs. */
export function nsPerCall(call: (i: number) => void, times: number, runs = 5): Spread {
  const { median, min, max } = timeMs(() => {
    for (let i = 0; i < times; i++) call(i);
  }, runs);
  const ns = (ms: number) => (ms * 1e6) / times;
  return { median: ns(median), min: ns(min), max: ns(max) };
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
