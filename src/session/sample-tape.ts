// A stretch of samples that grows at its end and is forgotten at its start, in blocks that all sessions share.

/** 4 KiB: 128 ms at 16 kHz. */
const BLOCK_SAMPLES = 2048;
/** Blocks that wait for their next use, 16 MiB at most: new ones for each utterance would keep the collector busy. */
const MAX_SPARE_BLOCKS = 4096;

const spare: Int16Array[] = [];
let held = 0;

/** What all sessions of this process hold on tapes. Spare blocks are not in it: they are taken before new ones are made. */
export function heldAudioBytes(): number {
  return held * BLOCK_SAMPLES * 2;
}

/** Positions are absolute: the first sample ever appended is 0. Block `n` holds the samples from `n * BLOCK_SAMPLES` on. */
export class SampleTape {
  readonly #blocks: Int16Array[] = [];
  /** Number of the first block that is still held. */
  #first = 0;
  #end = 0;

  /** Where the next sample goes. */
  get end(): number {
    return this.#end;
  }

  /** The oldest sample that can be read. */
  get start(): number {
    return Math.min(this.#end, this.#first * BLOCK_SAMPLES);
  }

  append(samples: Int16Array, count: number): void {
    for (let done = 0; done < count; ) {
      const block = Math.floor(this.#end / BLOCK_SAMPLES);
      if (this.#blocks.length === 0) this.#first = block;
      if (block === this.#first + this.#blocks.length) this.#blocks.push(take());
      const at = this.#end - block * BLOCK_SAMPLES;
      const part = Math.min(count - done, BLOCK_SAMPLES - at);
      const target = this.#blocks[block - this.#first] as Int16Array;
      if (done === 0 && part === samples.length) target.set(samples, at);
      else for (let i = 0; i < part; i++) target[at + i] = samples[done + i] as number;
      done += part;
      this.#end += part;
    }
  }

  /** Copies the samples from `position` on to the head of `out`. All of them must be held. */
  read(position: number, out: Int16Array, count: number): void {
    for (let done = 0; done < count; ) {
      const block = Math.floor((position + done) / BLOCK_SAMPLES);
      const at = position + done - block * BLOCK_SAMPLES;
      const part = Math.min(count - done, BLOCK_SAMPLES - at);
      const source = this.#blocks[block - this.#first] as Int16Array;
      for (let i = 0; i < part; i++) out[done + i] = source[at + i] as number;
      done += part;
    }
  }

  /** The sample at a position that is held. */
  at(position: number): number {
    const block = Math.floor(position / BLOCK_SAMPLES);
    return (this.#blocks[block - this.#first] as Int16Array)[position - block * BLOCK_SAMPLES] as number;
  }

  /** Nobody will read before `position` again. */
  forget(position: number): void {
    const block = Math.floor(Math.min(position, this.#end) / BLOCK_SAMPLES);
    while (this.#first < block && this.#blocks.length > 0) {
      giveBack(this.#blocks.shift() as Int16Array);
      this.#first++;
    }
  }

  /** Holds nothing any more; positions go on. */
  clear(): void {
    for (const block of this.#blocks) giveBack(block);
    this.#blocks.length = 0;
    // What was in the block that is half written is gone too.
    this.#first = Math.ceil(this.#end / BLOCK_SAMPLES);
  }
}

function take(): Int16Array {
  held++;
  return spare.pop() ?? new Int16Array(BLOCK_SAMPLES);
}

function giveBack(block: Int16Array): void {
  held--;
  if (spare.length < MAX_SPARE_BLOCKS) spare.push(block);
}
