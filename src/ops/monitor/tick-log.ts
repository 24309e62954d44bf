// The newest ticks of one monitor as rows of numbers, in blocks of 5 s that are used again.

const ROWS = 20;
const BLOCKS_A_MINUTE = 12;
/** Made at once: sessions that began together would all make theirs in one turn. */
const FIRST_BLOCKS = 4;

interface Block {
  /** On the desk's clock, by row. */
  readonly times: Float64Array;
  readonly values: Float32Array;
  rows: number;
}

export class TickLog {
  readonly #width: number;
  readonly #maxBlocks: number;
  readonly #blocks: Block[] = [];
  readonly #spare: Block[];

  /** Keeps at least so many minutes of ticks. */
  constructor(width: number, minutes: number) {
    this.#width = width;
    this.#maxBlocks = Math.ceil(minutes * BLOCKS_A_MINUTE) + 1;
    const first = Math.min(FIRST_BLOCKS, this.#maxBlocks);
    this.#spare = Array.from({ length: first }, () => this.#block());
  }

  #block(): Block {
    return { times: new Float64Array(ROWS), values: new Float32Array(ROWS * this.#width), rows: 0 };
  }

  add(row: Float64Array, nowMs: number): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.rows === ROWS) {
      const oldest = this.#blocks.length === this.#maxBlocks ? this.#blocks.shift() : undefined;
      block = oldest ?? this.#spare.pop() ?? this.#block();
      block.rows = 0;
      this.#blocks.push(block);
    }
    block.times[block.rows] = nowMs;
    block.values.set(row, block.rows * this.#width);
    block.rows++;
  }

  /** From the oldest on; rows are views that the log uses again. */
  each(fromMs: number, visit: (nowMs: number, row: Float32Array) => void): void {
    for (const { times, values, rows } of this.#blocks) {
      for (let at = 0; at < rows; at++) {
        const nowMs = times[at] as number;
        if (nowMs >= fromMs) visit(nowMs, values.subarray(at * this.#width, (at + 1) * this.#width));
      }
    }
  }
}
