// What counters gained from one reading to the next.
import type { Readings } from '../../metrics/index.ts';

export class Increases {
  #totals = new Float64Array(0);
  /** By series: 1 for a counter. */
  #counters = new Uint8Array(0);
  /** Series that are known. */
  count = 0;
  /** By series, since the last reading; NaN for what is no counter. */
  values = new Float64Array(0);

  /** A total that falls began anew. */
  take({ added, values: totals }: Readings): void {
    if (this.#totals.length < totals.length) this.#grow(totals.length);
    for (const { kind } of added) this.#counters[this.count++] = kind === 'counter' ? 1 : 0;
    for (let series = 0; series < totals.length; series++) {
      if (this.#counters[series] === 0) {
        this.values[series] = Number.NaN;
        continue;
      }
      const total = totals[series]!;
      const before = this.#totals[series]!;
      this.values[series] = total >= before ? total - before : total;
      this.#totals[series] = total;
    }
  }

  #grow(series: number): void {
    const totals = new Float64Array(series);
    const counters = new Uint8Array(series);
    totals.set(this.#totals);
    counters.set(this.#counters);
    this.#totals = totals;
    this.#counters = counters;
    this.values = new Float64Array(series);
  }
}
