// The newest ticks of one monitor: of each only the figures that are not what they were a tick before, as most stay for seconds.

const ROWS_A_MINUTE = 240;
/** More room is made when it is needed. */
const FIRST_CHANGES = 256;

export class TickLog {
  readonly #capacity: number;
  /** Figures as they were before the oldest tick that is kept. */
  readonly #before: Float32Array;
  /** As they are in the newest. */
  readonly #newest: Float32Array;
  /** By tick, a ring: when it was on the desk's clock, and how many figures it changed. */
  readonly #times: Float64Array;
  readonly #counts: Uint8Array;
  /** Ticks since the beginning. */
  #added = 0;
  /** The changes of all of them, oldest first, a ring too: which figure, and what it became. */
  #columns: Uint8Array = new Uint8Array(FIRST_CHANGES);
  #values: Float32Array = new Float32Array(FIRST_CHANGES);
  #oldest = 0;
  #changes = 0;

  /** Keeps so many minutes of ticks, both ends included. */
  constructor(width: number, minutes: number) {
    this.#capacity = Math.ceil(minutes * ROWS_A_MINUTE) + 1;
    this.#before = new Float32Array(width).fill(Number.NaN);
    this.#newest = new Float32Array(width).fill(Number.NaN);
    this.#times = new Float64Array(this.#capacity);
    this.#counts = new Uint8Array(this.#capacity);
  }

  add(row: Float64Array, nowMs: number): void {
    const slot = this.#added % this.#capacity;
    if (this.#added >= this.#capacity) this.#forget(this.#counts[slot]!);
    this.#added++;
    const newest = this.#newest;
    let count = 0;
    for (let column = 0; column < newest.length; column++) {
      const value = Math.fround(row[column]!);
      if (Object.is(value, newest[column]!)) continue;
      newest[column] = value;
      this.#note(column, value);
      count++;
    }
    this.#times[slot] = nowMs;
    this.#counts[slot] = count;
  }

  /** From the oldest on; the row is used again for the next tick. */
  each(fromMs: number, visit: (nowMs: number, row: Float32Array) => void): void {
    const row = this.#before.slice();
    let at = this.#oldest;
    for (let tick = Math.max(0, this.#added - this.#capacity); tick < this.#added; tick++) {
      const slot = tick % this.#capacity;
      for (let left = this.#counts[slot]!; left > 0; left--) at = this.#apply(at, row);
      if (this.#times[slot]! >= fromMs) visit(this.#times[slot]!, row);
    }
  }

  /** The oldest tick, which made so many changes. */
  #forget(count: number): void {
    for (let left = count; left > 0; left--) this.#oldest = this.#apply(this.#oldest, this.#before);
    this.#changes -= count;
  }

  /** Returns where the next change stands. */
  #apply(at: number, row: Float32Array): number {
    row[this.#columns[at]!] = this.#values[at]!;
    return at + 1 === this.#columns.length ? 0 : at + 1;
  }

  #note(column: number, value: number): void {
    if (this.#changes === this.#columns.length) this.#grow();
    const at = (this.#oldest + this.#changes++) % this.#columns.length;
    this.#columns[at] = column;
    this.#values[at] = value;
  }

  #grow(): void {
    const columns = new Uint8Array(Math.ceil(1.5 * this.#columns.length));
    const values = new Float32Array(columns.length);
    // What stands from the oldest to the end, then what stands before it.
    const behind = this.#columns.length - this.#oldest;
    columns.set(this.#columns.subarray(this.#oldest));
    columns.set(this.#columns.subarray(0, this.#oldest), behind);
    values.set(this.#values.subarray(this.#oldest));
    values.set(this.#values.subarray(0, this.#oldest), behind);
    this.#columns = columns;
    this.#values = values;
    this.#oldest = 0;
  }
}
