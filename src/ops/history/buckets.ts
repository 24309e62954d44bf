// Values as keys of logarithmic buckets, both signs: what the minutes keep, so that percentiles of any range come from merged counts.
import { SCALE } from '../../metrics/index.ts';
import type { ByteWriter } from './bytes.ts';

const PER_OCTAVE = 1 << SCALE;
/** Key of the bucket of the smallest positive value that is told from zero (2^-30) is 1. */
const SHIFT = 30 * PER_OCTAVE + 1;
/** Largest key: values from 2^41 on share it. */
export const MAX_KEY = 71 * PER_OCTAVE;

/** 0 is zero; positive keys rise with the value, negative ones mirror them. */
export function keyOf(value: number): number {
  const size = Math.abs(value);
  if (size < 2 ** -30) return 0;
  const key = Math.min(MAX_KEY, Math.max(1, keyOfIndex(Math.ceil(Math.log2(size) * PER_OCTAVE) - 1)));
  return value < 0 ? -key : key;
}

/** Key of OpenTelemetry's bucket index at `SCALE`. */
export function keyOfIndex(index: number): number {
  return index + SHIFT;
}

/** The point of a bucket from which both its borders are equally far, relatively: within 0.55 %. */
export function valueOf(key: number): number {
  if (key === 0) return 0;
  const lower = 2 ** ((Math.abs(key) - SHIFT) / PER_OCTAVE);
  const ratio = 2 ** (1 / PER_OCTAVE);
  const middle = (2 * lower * ratio) / (1 + ratio);
  return key < 0 ? -middle : middle;
}

/** Counts by key, dense and made once: minutes are added, percentiles read, and only what was touched is cleared. */
export class BucketSum {
  readonly #counts = new Float64Array(2 * MAX_KEY + 1);
  #low = MAX_KEY + 1;
  #high = -MAX_KEY - 1;
  /** Keys that have counts. */
  #distinct = 0;
  total = 0;

  /** `count` is at least 1. */
  add(key: number, count: number): void {
    const slot = key + MAX_KEY;
    const before = this.#counts[slot]!;
    if (before === 0) this.#distinct++;
    this.#counts[slot] = before + count;
    if (key < this.#low) this.#low = key;
    if (key > this.#high) this.#high = key;
    this.total += count;
  }

  /** `qs` rise; nulls while empty. */
  quantiles(qs: readonly number[], min: number, max: number): (number | null)[] {
    const results: (number | null)[] = [];
    let seen = 0;
    for (let key = this.#low; key <= this.#high && results.length < qs.length; key++) {
      const here = this.#counts[key + MAX_KEY]!;
      if (here === 0) continue;
      seen += here;
      while (results.length < qs.length && qs[results.length]! * (this.total - 1) < seen)
        results.push(Math.min(max, Math.max(min, valueOf(key))));
    }
    while (results.length < qs.length) results.push(null);
    return results;
  }

  /** Rising keys that have counts. */
  each(tell: (key: number, count: number) => void): void {
    for (let key = this.#low; key <= this.#high; key++) {
      const count = this.#counts[key + MAX_KEY]!;
      if (count !== 0) tell(key, count);
    }
  }

  /** How many there are, and each as the distance from the one before it and its count. */
  write(out: ByteWriter): void {
    out.varint(this.#distinct);
    let before: number | undefined;
    for (let key = this.#low; key <= this.#high; key++) {
      const count = this.#counts[key + MAX_KEY]!;
      if (count === 0) continue;
      if (before === undefined) out.signed(key);
      else out.varint(key - before);
      out.varint(count);
      before = key;
    }
  }

  clear(): void {
    if (this.#low <= this.#high) this.#counts.fill(0, this.#low + MAX_KEY, this.#high + MAX_KEY + 1);
    this.#low = MAX_KEY + 1;
    this.#high = -MAX_KEY - 1;
    this.#distinct = 0;
    this.total = 0;
  }
}
