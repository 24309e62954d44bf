// Points of one series become the columns of an answer: one row a step, in which there was something.
import type { SeriesInfo } from '../../metrics/index.ts';
import type { BucketSum } from './buckets.ts';
import type { PointSink } from './chunk-reader.ts';
import type { HistorySeries, Range } from './query.ts';

/** Buckets of all steps of an answer together, each a key and a count. */
export const BUCKET_LIMIT = 1_000_000;

export interface StepsOptions {
  readonly range: Range;
  readonly quantiles: readonly number[];
  /** Empty between uses: one series after the other has it. */
  readonly sums: BucketSum;
  /** Buckets that may still be told; undefined: they are not wanted. */
  readonly room: { left: number } | undefined;
}

export class Steps implements PointSink {
  readonly #range: Range;
  readonly #quantiles: readonly number[];
  readonly #sums: BucketSum;
  readonly #out: HistorySeries & { readonly buckets?: number[][] };
  readonly #room: StepsOptions['room'];
  #step = Number.NaN;
  #count = 0;
  #sum = 0;
  #min = 0;
  #max = 0;

  constructor(info: SeriesInfo, { sums, range, quantiles, room }: StepsOptions) {
    this.#sums = sums;
    this.#range = range;
    this.#quantiles = quantiles;
    this.#room = room;
    const columns = { info, atMs: [], count: [], sum: [], min: [], max: [], quantiles: quantiles.map(() => []) };
    this.#out = room === undefined ? columns : { ...columns, buckets: [] };
  }

  point(atMs: number, count: number, sum: number, min: number, max: number): boolean {
    const { fromMs, toMs, stepMs } = this.#range;
    if (!(atMs >= fromMs && atMs < toMs)) return false;
    const step = Math.floor((atMs - fromMs) / stepMs);
    if (step !== this.#step) {
      this.#close();
      this.#step = step;
      this.#min = min;
      this.#max = max;
    }
    this.#count += count;
    this.#sum += sum;
    if (min < this.#min) this.#min = min;
    if (max > this.#max) this.#max = max;
    return this.#quantiles.length > 0 || this.#room !== undefined;
  }

  bucket(key: number, count: number): void {
    this.#sums.add(key, count);
  }

  #close(): void {
    if (this.#count === 0) return;
    const { atMs, count, sum, min, max, quantiles, buckets } = this.#out;
    atMs.push(this.#range.fromMs + this.#step * this.#range.stepMs);
    count.push(this.#count);
    sum.push(this.#sum);
    min.push(this.#min);
    max.push(this.#max);
    if (this.#quantiles.length > 0) {
      const values = this.#sums.quantiles(this.#quantiles, this.#min, this.#max);
      values.forEach((value, i) => quantiles[i]?.push(value));
    }
    if (buckets !== undefined && this.#room !== undefined) {
      const pairs: number[] = [];
      this.#sums.each((key, here) => pairs.push(key, here));
      buckets.push(pairs);
      this.#room.left -= pairs.length / 2;
      if (this.#room.left < 0)
        throw new RangeError(`more than ${BUCKET_LIMIT} buckets: take a shorter range or fewer series`);
    }
    this.#sums.clear();
    this.#count = 0;
    this.#sum = 0;
  }

  finish(): HistorySeries {
    this.#close();
    this.#sums.clear();
    return this.#out;
  }
}
