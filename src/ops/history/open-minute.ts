// What has been seen since the last full minute: one slot a second for each series.
import type { Readings } from '../../metrics/index.ts';
import { ByteWriter } from './bytes.ts';
import { MINUTE_MS, SECONDS, writeHistogramSecond, writeHistogramSeconds, writeSeconds } from './chunks.ts';

export class OpenMinute {
  /** Minutes since 1970. */
  minute: number;
  #values: Float64Array;
  readonly #histograms = new Map<number, ByteWriter>();
  #size = 0;
  /** Series below this number have been written elsewhere. */
  written = 0;

  constructor(minute: number, series: number) {
    this.minute = minute;
    this.#values = new Float64Array(Math.max(16, series) * SECONDS).fill(Number.NaN);
  }

  /** Empty again, for another minute; keeps its memory. */
  reuse(minute: number): void {
    this.minute = minute;
    this.#values.fill(Number.NaN);
    for (const seconds of this.#histograms.values()) seconds.clear();
    this.#size = 0;
    this.written = 0;
  }

  get atMs(): number {
    return this.minute * MINUTE_MS;
  }
  /** Numbers below this may hold something. */
  get size(): number {
    return this.#size;
  }

  /** `increases`: by series, what a counter gained since the last reading; NaN for what is no counter. */
  add(second: number, readings: Readings, increases: Float64Array): void {
    const { values, gains } = readings;
    this.#grow(values.length);
    for (let series = 0; series < values.length; series++) {
      const slot = series * SECONDS + second;
      const increase = increases[series]!;
      if (Number.isNaN(increase)) {
        const value = values[series]!;
        if (!Number.isNaN(value)) this.#values[slot] = value;
      } else {
        // A clock that was put back comes to the same second again.
        const before = this.#values[slot]!;
        this.#values[slot] = (Number.isNaN(before) ? 0 : before) + increase;
      }
    }
    for (const gain of gains) {
      const { series } = gain;
      let seconds = this.#histograms.get(series);
      if (seconds === undefined) {
        seconds = new ByteWriter(256);
        this.#histograms.set(series, seconds);
      }
      writeHistogramSecond(seconds, second, gain);
    }
  }

  /** Writes the chunk of a series; false where it has none. */
  write(out: ByteWriter, series: number): boolean {
    const seconds = this.#histograms.get(series);
    if (seconds !== undefined && seconds.length > 0) {
      writeHistogramSeconds(out, this.minute, seconds);
      return true;
    }
    if (series >= this.#size) return false;
    return writeSeconds(out, this.minute, this.#values, series * SECONDS);
  }

  #grow(series: number): void {
    this.#size = Math.max(this.#size, series);
    if (series * SECONDS <= this.#values.length) return;
    const larger = new Float64Array(Math.ceil(series * 1.25) * SECONDS).fill(Number.NaN);
    larger.set(this.#values);
    this.#values = larger;
  }
}
