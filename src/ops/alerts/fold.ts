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
  /** Times of the samples in ms, rising; from `first` on all in (end - width, end]. */
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  /** Those before are none of the window's. Default 0. */
  readonly first?: number | undefined;
  readonly endMs: number;
  readonly widthMs: number;
}

const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** Undefined where Prometheus has no result: an empty window, or a rate of a single sample. */
export function overTime(fn: WindowFunction, window: Window): number | undefined {
  const { values, first = 0 } = window;
  if (values.length === first) return undefined;
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
      return quantile(QUANTILES[fn], values, first);
    default:
      return across(fn, values, first);
  }
}

/** Over the values from `first` on, up to `end`. */
export function across(fn: SeriesFunction, values: readonly number[], first = 0, end: number = values.length): number {
  switch (fn) {
    case 'count':
      return end - first;
    case 'min':
    case 'max':
      return extreme(values, first, end, fn === 'max');
    case 'sum':
      return sum(values, first, end);
    case 'avg':
      return mean(values, first, end);
  }
}

function extreme(values: readonly number[], first: number, end: number, most: boolean): number {
  let kept = values[first]!;
  for (let i = first + 1; i < end; i++) {
    const value = values[i]!;
    if ((most ? value > kept : value < kept) || Number.isNaN(kept)) kept = value;
  }
  return kept;
}

const infinite = (x: number): boolean => x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY;

/** What adding `value` to `total` lost in rounding (Neumaier); nothing once the sum is infinite. */
function lost(value: number, total: number, next: number): number {
  return Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
}

function sum(values: readonly number[], first: number, end: number): number {
  let total = 0;
  let error = 0;
  for (let i = first; i < end; i++) {
    const value = values[i]!;
    const next = total + value;
    error = infinite(next) ? 0 : error + lost(value, total, next);
    total = next;
  }
  return infinite(total) ? total : total + error;
}

/** Sum over count, and from an overflow on a running mean. */
function mean(values: readonly number[], first: number, end: number): number {
  let total = values[first]!;
  let error = 0;
  let i = first + 1;
  for (; i < end; i++) {
    const value = values[i]!;
    const next = total + value;
    if (infinite(next)) break;
    error += lost(value, total, next);
    total = next;
  }
  if (i >= end) return total / (end - first) + error / (end - first);
  total /= i - first;
  error /= i - first;
  for (; i < end; i++) {
    const before = i - first;
    const part = values[i]! / (before + 1);
    const kept = (before / (before + 1)) * total;
    const next = kept + part;
    error = infinite(next) ? 0 : (before / (before + 1)) * error + lost(part, kept, next);
    total = next;
  }
  return total + error;
}

/** Used again and again: an evaluation of many windows makes no garbage by it. */
let sorted = new Float64Array(256);

function quantile(q: number, values: readonly number[], first: number): number {
  const count = values.length - first;
  if (sorted.length < count) sorted = new Float64Array(2 * count);
  // NaN sorts below everything, -Infinity too.
  let nans = 0;
  for (let i = first; i < values.length; i++) if (Number.isNaN(values[i]!)) sorted[nans++] = Number.NaN;
  for (let i = first, at = nans; i < values.length; i++) if (!Number.isNaN(values[i]!)) sorted[at++] = values[i]!;
  sortPart(nans, count);
  const rank = q * (count - 1);
  const low = Math.floor(rank);
  const weight = rank - low;
  const lower = sorted[low]!;
  if (weight === 0) return lower;
  return lower * (1 - weight) + sorted[Math.min(count - 1, low + 1)]! * weight;
}

/** Few values by insertion, which makes nothing; of many a view is made and sorted. */
const FEW = 64;
function sortPart(from: number, to: number): void {
  if (to - from > FEW) {
    sorted.subarray(from, to).sort();
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const value = sorted[i]!;
    let at = i;
    for (; at > from && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!;
    sorted[at] = value;
  }
}

/** The increase of a counter over the whole window, guessed at its ends from the distance between samples. */
function extrapolated(
  { timesMs, values, first: from = 0, endMs, widthMs }: Window,
  perSecond: boolean,
): number | undefined {
  const n = values.length - from;
  if (n < 2) return undefined;
  const first = values[from]!;
  const firstMs = timesMs[from]!;
  const lastMs = timesMs[from + n - 1]!;
  let result = values[from + n - 1]! - first;
  for (let i = from + 1; i < from + n; i++) if (values[i]! < values[i - 1]!) result += values[i - 1]!;
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
