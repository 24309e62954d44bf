// The newest ticks of one monitor as rows of numbers: a ring, in blocks of 5 s that are made when they are needed.

const ROWS_A_MINUTE = 240;
const BLOCK_ROWS = 20;
/** Made at once: sessions that began together would all make theirs in one turn. */
const FIRST_BLOCKS = 4;

interface Block {
  /** On the desk's clock, by row. */
  readonly times: Float64Array;
  readonly values: Float32Array;
}

export class TickLog {
  readonly #width: number;
  readonly #capacity: number;
  readonly #blocks: Block[] = [];
  /** Rows since the beginning. */
  #added = 0;

  /** Keeps so many minutes of ticks, both ends included. */
  constructor(width: number, minutes: number) {
    this.#width = width;
    this.#capacity = Math.ceil(minutes * ROWS_A_MINUTE) + 1;
    for (let i = 0; i < FIRST_BLOCKS && i * BLOCK_ROWS < this.#capacity; i++) this.#blocks.push(this.#block(i));
  }

  #block(number: number): Block {
    const rows = Math.min(BLOCK_ROWS, this.#capacity - number * BLOCK_ROWS);
    return { times: new Float64Array(rows), values: new Float32Array(rows * this.#width) };
  }

  add(row: Float64Array, nowMs: number): void {
    const slot = this.#added++ % this.#capacity;
    const number = Math.floor(slot / BLOCK_ROWS);
    const block = (this.#blocks[number] ??= this.#block(number));
    const at = slot % BLOCK_ROWS;
    block.times[at] = nowMs;
    block.values.set(row, at * this.#width);
  }

  /** From the oldest on; rows are views that the log uses again. */
  each(fromMs: number, visit: (nowMs: number, row: Float32Array) => void): void {
    for (let tick = Math.max(0, this.#added - this.#capacity); tick < this.#added; tick++) {
      const slot = tick % this.#capacity;
      const { times, values } = this.#blocks[Math.floor(slot / BLOCK_ROWS)]!;
      const at = slot % BLOCK_ROWS;
      const nowMs = times[at]!;
      if (nowMs >= fromMs) visit(nowMs, values.subarray(at * this.#width, (at + 1) * this.#width));
    }
  }
}
