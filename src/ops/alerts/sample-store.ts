// The samples that rules look at: nothing that no rule asks for, nothing older than the widest window, bounded in series and samples.
import { type Labels, labelsKey, type Matcher, matchesAll, normalLabels } from './labels.ts';

/** How far back the newest sample of a series is taken for its value now: Prometheus' own limit. */
export const LOOKBACK_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;
const SLICE_POINTS = 100;
/** Samples that nobody wants any more and that a series holds before it lets go of them. */
const SPARE_SAMPLES = 4;

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

export interface StoredSeries extends Name {
  /** Its samples, oldest first; nobody wants some of the first any more. */
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  /** The newest sample in (now - look-back, now], unless the series has ended since. */
  seen(nowMs: number): number | undefined;
  /** The first of the samples in (now - width, now]; the others are all behind it. */
  first(nowMs: number, widthMs: number): number;
}

/** Labels in their one spelling. */
interface Name {
  readonly labels: Labels;
  /** `labelsKey(labels)`. */
  readonly key: string;
}

/** The registry gives the same label object again and again. */
const names = new WeakMap<Labels, Name>();
function nameOf(given: Labels): Name {
  let name = names.get(given);
  if (name === undefined) {
    const labels = normalLabels(given);
    name = { labels, key: labelsKey(labels) };
    names.set(given, name);
  }
  return name;
}

/** One metric. */
interface Kept {
  keepMs: number;
  readonly series: Map<string, Series>;
  /** The same, to go through without an iterator. */
  list: Series[];
}

export class SampleStore {
  readonly #lookbackMs: number;
  readonly #maxSeries: number;
  readonly #maxSamples: number;
  readonly #metrics = new Map<string, Kept>();
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
      if (known === undefined) this.#metrics.set(metric, { keepMs, series: new Map(), list: [] });
      else known.keepMs = keepMs;
    }
  }

  /** `stale` says that the series has ended. Times of one series must not fall. */
  append(metric: string, labels: Labels, atMs: number, value: number | 'stale'): void {
    if (value !== 'stale') this.#take({ metric, labels, value }, atMs);
    else this.#metrics.get(metric)?.series.get(nameOf(labels).key)?.end(atMs);
  }

  #take(point: Point, atMs: number): void {
    const kept = this.#metrics.get(point.metric);
    if (kept === undefined) return;
    const name = nameOf(point.labels);
    const series = kept.series.get(name.key) ?? this.#open(kept, name, atMs);
    if (series?.push(atMs, point, kept.keepMs, this.#maxSamples) !== true) this.dropped++;
  }

  /** Undefined where there is no room. */
  #open(kept: Kept, name: Name, atMs: number): Series | undefined {
    if (kept.series.size >= this.#maxSeries && atMs > this.#sweptMs) this.#sweep(atMs);
    if (kept.series.size >= this.#maxSeries) return undefined;
    const series = new Series(name, this.#lookbackMs);
    kept.series.set(name.key, series);
    kept.list.push(series);
    return series;
  }

  /** Everything that is measured now: a series that was there before and is missing has ended. In slices. */
  *appendAll(points: readonly Point[], atMs: number): Generator<undefined, void, undefined> {
    for (let from = 0; from < points.length; from += SLICE_POINTS) {
      this.#takeSome(points, from, Math.min(points.length, from + SLICE_POINTS), atMs);
      yield;
    }
    for (const { list } of this.#metrics.values()) endMissing(list, atMs);
    if (atMs - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep(atMs);
  }

  #takeSome(points: readonly Point[], from: number, to: number, atMs: number): void {
    for (let i = from; i < to; i++) this.#take(points[i]!, atMs);
  }

  /** Not to be changed, and good until the next sample. */
  select(metric: string, matchers: readonly Matcher[]): readonly StoredSeries[] {
    const all = this.#metrics.get(metric)?.list ?? NONE;
    return matchers.length === 0 ? all : all.filter(({ labels }) => matchesAll(matchers, labels));
  }

  /** Forgets series that nobody can see any more. */
  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const kept of this.#metrics.values()) {
      const { keepMs, series, list } = kept;
      for (let i = 0; i < list.length; i++) {
        const one = list[i]!;
        const visibleMs = one.endedMs > one.newestMs ? keepMs : Math.max(keepMs, this.#lookbackMs);
        if (one.newestMs <= nowMs - visibleMs) series.delete(one.key);
      }
      if (series.size < list.length) kept.list = [...series.values()];
    }
  }
}

const NONE: readonly Series[] = [];

function endMissing(list: readonly Series[], atMs: number): void {
  for (let i = 0; i < list.length; i++) if (list[i]!.newestMs !== atMs) list[i]!.end(atMs);
}

class Series implements StoredSeries {
  readonly labels: Labels;
  readonly key: string;
  readonly #lookbackMs: number;
  readonly timesMs: number[] = [];
  readonly values: number[] = [];
  #head = 0;
  newestMs = Number.NEGATIVE_INFINITY;
  endedMs = Number.NEGATIVE_INFINITY;

  constructor({ labels, key }: Name, lookbackMs: number) {
    this.labels = labels;
    this.key = key;
    this.#lookbackMs = lookbackMs;
  }

  /** False when a sample had to go to make room. */
  push(atMs: number, { value }: Point, keepMs: number, maxSamples: number): boolean {
    if (atMs < this.newestMs) return false;
    if (atMs === this.newestMs && this.timesMs.length > this.#head) {
      this.values[this.values.length - 1] = value;
      return true;
    }
    while (this.#head < this.timesMs.length && (this.timesMs[this.#head] ?? 0) <= atMs - keepMs) this.#head++;
    const full = this.timesMs.length - this.#head >= maxSamples;
    if (full) this.#head++;
    if (this.#head >= SPARE_SAMPLES && this.#head * 2 > this.timesMs.length) this.#moveUp();
    this.timesMs.push(atMs);
    this.values.push(value);
    this.newestMs = atMs;
    return !full;
  }

  /** In place: a new array for each series every few evaluations would be garbage. */
  #moveUp(): void {
    const left = this.timesMs.length - this.#head;
    for (let i = 0; i < left; i++) {
      this.timesMs[i] = this.timesMs[this.#head + i] as number;
      this.values[i] = this.values[this.#head + i] as number;
    }
    this.timesMs.length = left;
    this.values.length = left;
    this.#head = 0;
  }

  end(atMs: number): void {
    if (this.endedMs < this.newestMs) this.endedMs = Math.max(atMs, this.newestMs);
  }

  seen(nowMs: number): number | undefined {
    if (this.endedMs > this.newestMs || this.newestMs > nowMs) return undefined;
    return nowMs - this.newestMs < this.#lookbackMs ? this.values.at(-1) : undefined;
  }

  first(nowMs: number, widthMs: number): number {
    let first = this.timesMs.length;
    while (first > this.#head && (this.timesMs[first - 1] ?? 0) > nowMs - widthMs) first--;
    return first;
  }
}
