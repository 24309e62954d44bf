// How many values become one, in the arithmetic of Prometheus 3: compensated sums, NaN that loses against any number.

/** Functions over the samples of one series in a window. `p50` to `p99` are quantiles of the samples. */
export const WINDOW_FUNCTIONS = [
  'last',
  'avg',
  'min',
  'max',
  'sum',
  'count',
  'rate',
  'increase',
  'p50',
  'p90',
  'p95',
  'p99',
] as const;
export type WindowFunction = (typeof WINDOW_FUNCTIONS)[number];

/** Functions over the series of a group. */
export const SERIES_FUNCTIONS = ['sum', 'max', 'min', 'avg', 'count'] as const;
export type SeriesFunction = (typeof SERIES_FUNCTIONS)[number];

export interface Window {
  /** Times of the samples in ms, rising, all in (end - width, end]. */
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  readonly endMs: number;
  readonly widthMs: number;
}

const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** Undefined where Prometheus has no result: an empty window, or a rate of a single sample. */
export function overTime(fn: WindowFunction, window: Window): number | undefined {
  const { values } = window;
  if (values.length === 0) return undefined;
  switch (fn) {
    case 'last':
      return values.at(-1);
    case 'rate':
    case 'increase':
      return extrapolated(window, fn === 'rate');
    case 'p50':
    case 'p90':
    case 'p95':
    case 'p99':
      return quantile(QUANTILES[fn], values);
    default:
      return across(fn, values);
  }
}

export function across(fn: SeriesFunction, values: readonly number[]): number {
  switch (fn) {
    case 'count':
      return values.length;
    case 'min':
      return values.reduce((kept, value) => (value < kept || Number.isNaN(kept) ? value : kept));
    case 'max':
      return values.reduce((kept, value) => (value > kept || Number.isNaN(kept) ? value : kept));
    case 'sum':
      return sum(values);
    case 'avg':
      return mean(values);
  }
}

const infinite = (x: number): boolean => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY;

/** What adding `value` to `total` lost in rounding (Neumaier); nothing once the sum is infinite. */
function lost(value: number, total: number, next: number): number {
  return Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
}

function sum(values: readonly number[]): number {
  let total = 0;
  let error = 0;
  for (const value of values) {
    const next = total + value;
    error = infinite(next) ? 0 : error + lost(value, total, next);
    total = next;
  }
  return infinite(total) ? total : total + error;
}

/** Sum over count, and from an overflow on a running mean. */
function mean(values: readonly number[]): number {
  let total = values[0] ?? Number.NaN;
  let error = 0;
  let i = 1;
  for (; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    const next = total + value;
    if (infinite(next)) break;
    error += lost(value, total, next);
    total = next;
  }
  if (i >= values.length) return total / values.length + error / values.length;
  total /= i;
  error /= i;
  for (; i < values.length; i++) {
    const count = i + 1;
    const part = (values[i] ?? Number.NaN) / count;
    const kept = (i / count) * total;
    const next = kept + part;
    error = infinite(next) ? 0 : (i / count) * error + lost(part, kept, next);
    total = next;
  }
  return total + error;
}

function quantile(q: number, values: readonly number[]): number {
  // NaN sorts below everything, -Infinity too.
  const sorted = [...values].sort((a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
    return a < b ? -1 : a > b ? 1 : 0;
  });
  const rank = q * (sorted.length - 1);
  const low = Math.floor(rank);
  const weight = rank - low;
  const lower = sorted[low] ?? Number.NaN;
  if (weight === 0) return lower;
  return lower * (1 - weight) + (sorted[Math.min(sorted.length - 1, low + 1)] ?? Number.NaN) * weight;
}

/** The increase of a counter over the whole window, guessed at its ends from the distance between samples. */
function extrapolated({ timesMs, values, endMs, widthMs }: Window, perSecond: boolean): number | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const [first = 0, last = 0] = [values[0], values[n - 1]];
  const [firstMs = 0, lastMs = 0] = [timesMs[0], timesMs[n - 1]];
  let result = last - first;
  for (let i = 1; i < n; i++) if ((values[i] ?? 0) < (values[i - 1] ?? 0)) result += values[i - 1] ?? 0;
  let toStart = (firstMs - (endMs - widthMs)) / 1000;
  let toEnd = (endMs - lastMs) / 1000;
  const sampled = (lastMs - firstMs) / 1000;
  const between = sampled / (n - 1);
  const near = between * 1.1;
  if (toStart >= near) toStart = between / 2;
  // A counter was never below zero.
  if (result > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / result));
  if (toEnd >= near) toEnd = between / 2;
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
  return result * (perSecond ? factor / (widthMs / 1000) : factor);
}
