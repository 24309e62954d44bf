// The samples that rules look at: nothing that no rule asks for, nothing older than the widest window, bounded in series and samples.
import { type Labels, labelsKey, type Matcher, matchesAll, normalLabels } from './labels.ts';

/** How far back the newest sample of a series is taken for its value now: Prometheus' own limit. */
export const LOOKBACK_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;
const SLICE_POINTS = 100;
/** Samples that nobody wants any more and that a series holds before it lets go of them. */
const SPARE_SAMPLES = 16;

export interface Point {
  readonly metric: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface SampleStoreOptions {
  readonly lookbackMs?: number | undefined;
  /** Series of one metric; further ones are dropped and counted. Default 2000. */
  readonly maxSeriesPerMetric?: number | undefined;
  /** Samples of one series; the oldest are dropped and counted. Default 20 000. */
  readonly maxSamplesPerSeries?: number | undefined;
}

export interface StoredSeries {
  readonly labels: Labels;
  /** `labelsKey(labels)`. */
  readonly key: string;
  /** The newest sample in (now - look-back, now], unless the series has ended since. */
  seen(nowMs: number): number | undefined;
  /** The samples in (now - width, now], oldest first. */
  window(nowMs: number, widthMs: number): { readonly timesMs: readonly number[]; readonly values: readonly number[] };
}

/** The registry gives the same label object again and again. */
const keys = new WeakMap<Labels, string>();
function keyOf(labels: Labels): string {
  let key = keys.get(labels);
  if (key === undefined) {
    key = labelsKey(labels);
    keys.set(labels, key);
  }
  return key;
}

export class SampleStore {
  readonly #lookbackMs: number;
  readonly #maxSeries: number;
  readonly #maxSamples: number;
  readonly #metrics = new Map<string, { keepMs: number; readonly series: Map<string, Series> }>();
  #sweptMs = Number.NEGATIVE_INFINITY;
  /** Samples that found no room, since the start. */
  dropped = 0;

  constructor(options: SampleStoreOptions = {}) {
    this.#lookbackMs = options.lookbackMs ?? LOOKBACK_MS;
    this.#maxSeries = options.maxSeriesPerMetric ?? 2000;
    this.#maxSamples = options.maxSamplesPerSeries ?? 20_000;
  }

  get seriesCount(): number {
    let count = 0;
    for (const { series } of this.#metrics.values()) count += series.size;
    return count;
  }

  /** Which metrics are kept, and for how long. Metrics that are not named are forgotten. */
  keep(widths: ReadonlyMap<string, number>): void {
    for (const metric of this.#metrics.keys()) if (!widths.has(metric)) this.#metrics.delete(metric);
    for (const [metric, keepMs] of widths) {
      const known = this.#metrics.get(metric);
      if (known === undefined) this.#metrics.set(metric, { keepMs, series: new Map() });
      else known.keepMs = keepMs;
    }
  }

  /** `stale` says that the series has ended. Times of one series must not fall. */
  append(metric: string, labels: Labels, atMs: number, value: number | 'stale'): void {
    const known = this.#metrics.get(metric);
    if (known === undefined) return;
    const key = keyOf(labels);
    let series = known.series.get(key);
    if (series === undefined) {
      if (value === 'stale') return;
      if (known.series.size >= this.#maxSeries && atMs > this.#sweptMs) this.#sweep(atMs);
      if (known.series.size >= this.#maxSeries) {
        this.dropped++;
        return;
      }
      series = new Series(normalLabels(labels), key, this.#lookbackMs);
      known.series.set(key, series);
    }
    if (value === 'stale') series.end(atMs);
    else if (!series.push(atMs, value, known.keepMs, this.#maxSamples)) this.dropped++;
  }

  /** Everything that is measured now: a series that was there before and is missing has ended. In slices. */
  *appendAll(points: Iterable<Point>, atMs: number): Generator<undefined, void, undefined> {
    let taken = 0;
    for (const { metric, labels, value } of points) {
      this.append(metric, labels, atMs, value);
      if (++taken % SLICE_POINTS === 0) yield;
    }
    for (const { series } of this.#metrics.values()) {
      for (const one of series.values()) if (one.newestMs !== atMs) one.end(atMs);
    }
    if (atMs - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep(atMs);
  }

  select(metric: string, matchers: readonly Matcher[]): StoredSeries[] {
    const known = this.#metrics.get(metric);
    if (known === undefined) return [];
    const all = [...known.series.values()];
    return matchers.length === 0 ? all : all.filter(({ labels }) => matchesAll(matchers, labels));
  }

  /** Forgets series that nobody can see any more. */
  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const { keepMs, series } of this.#metrics.values()) {
      for (const [key, one] of series) {
        const visibleMs = one.endedMs > one.newestMs ? keepMs : Math.max(keepMs, this.#lookbackMs);
        if (one.newestMs <= nowMs - visibleMs) series.delete(key);
      }
    }
  }
}

class Series implements StoredSeries {
  readonly labels: Labels;
  readonly key: string;
  readonly #lookbackMs: number;
  readonly #timesMs: number[] = [];
  readonly #values: number[] = [];
  #head = 0;
  newestMs = Number.NEGATIVE_INFINITY;
  endedMs = Number.NEGATIVE_INFINITY;

  constructor(labels: Labels, key: string, lookbackMs: number) {
    this.labels = labels;
    this.key = key;
    this.#lookbackMs = lookbackMs;
  }

  /** False when a sample had to go to make room. */
  push(atMs: number, value: number, keepMs: number, maxSamples: number): boolean {
    if (atMs < this.newestMs) return false;
    if (atMs === this.newestMs && this.#timesMs.length > this.#head) {
      this.#values[this.#values.length - 1] = value;
      return true;
    }
    while (this.#head < this.#timesMs.length && (this.#timesMs[this.#head] ?? 0) <= atMs - keepMs) this.#head++;
    const full = this.#timesMs.length - this.#head >= maxSamples;
    if (full) this.#head++;
    if (this.#head >= SPARE_SAMPLES && this.#head * 2 > this.#timesMs.length) this.#moveUp();
    this.#timesMs.push(atMs);
    this.#values.push(value);
    this.newestMs = atMs;
    return !full;
  }

  /** In place: a new array for each series every few evaluations would be garbage. */
  #moveUp(): void {
    const left = this.#timesMs.length - this.#head;
    for (let i = 0; i < left; i++) {
      this.#timesMs[i] = this.#timesMs[this.#head + i] as number;
      this.#values[i] = this.#values[this.#head + i] as number;
    }
    this.#timesMs.length = left;
    this.#values.length = left;
    this.#head = 0;
  }

  end(atMs: number): void {
    if (this.endedMs < this.newestMs) this.endedMs = Math.max(atMs, this.newestMs);
  }

  seen(nowMs: number): number | undefined {
    if (this.endedMs > this.newestMs || this.newestMs > nowMs) return undefined;
    return nowMs - this.newestMs < this.#lookbackMs ? this.#values.at(-1) : undefined;
  }

  window(nowMs: number, widthMs: number) {
    let start = this.#timesMs.length;
    while (start > this.#head && (this.#timesMs[start - 1] ?? 0) > nowMs - widthMs) start--;
    return { timesMs: this.#timesMs.slice(start), values: this.#values.slice(start) };
  }
}
