// Bytes of many series that grow side by side in one memory: each a chain of small blocks. Nothing is moved as they grow, what one gives back another takes.
import { type ByteWriter, copyBytes } from './bytes.ts';

const BLOCK_BYTES = 512;
const SEGMENT_BYTES = 262_144;
const SEGMENT_BLOCKS = SEGMENT_BYTES / BLOCK_BYTES;
const NONE = -1;

export class Slab {
  readonly #segments: Uint8Array[] = [];
  /** By block, the one that follows it in its chain. */
  #next = new Int32Array(SEGMENT_BLOCKS);
  #free = NONE;
  #made = 0;

  get bytes(): number {
    return this.#segments.length * SEGMENT_BYTES;
  }

  take(): number {
    let block = this.#free;
    if (block !== NONE) this.#free = this.#next[block]!;
    else {
      block = this.#made++;
      if (block >= this.#segments.length * SEGMENT_BLOCKS) this.#segments.push(new Uint8Array(SEGMENT_BYTES));
      if (block >= this.#next.length) {
        const larger = new Int32Array(2 * this.#next.length);
        larger.set(this.#next);
        this.#next = larger;
      }
    }
    this.#next[block] = NONE;
    return block;
  }

  link(block: number, next: number): void {
    this.#next[block] = next;
  }

  next(block: number): number {
    return this.#next[block]!;
  }

  /** All blocks of a chain. */
  give(first: number, last: number): void {
    this.#next[last] = this.#free;
    this.#free = first;
  }

  memoryOf(block: number): Uint8Array {
    return this.#segments[Math.floor(block / SEGMENT_BLOCKS)] as Uint8Array;
  }

  static offsetOf(block: number): number {
    return (block % SEGMENT_BLOCKS) * BLOCK_BYTES;
  }
}

export class Chain {
  readonly #slab: Slab;
  #first = NONE;
  #last = NONE;
  length = 0;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Takes a copy. */
  add(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const slab = this.#slab;
    let at = from;
    while (at < to) {
      const used = this.length % BLOCK_BYTES;
      if (used === 0) this.#grow();
      const memory = slab.memoryOf(this.#last);
      const base = Slab.offsetOf(this.#last) + used;
      const count = Math.min(to - at, BLOCK_BYTES - used);
      copyBytes(bytes, at, at + count, memory, base);
      at += count;
      this.length += count;
    }
  }

  #grow(): void {
    const block = this.#slab.take();
    if (this.#last === NONE) this.#first = block;
    else this.#slab.link(this.#last, block);
    this.#last = block;
  }

  /** Writes all of it to `target`, from `at` on. */
  copyTo(target: Uint8Array, at = 0): void {
    const slab = this.#slab;
    let left = this.length;
    let to = at;
    for (let block = this.#first; left > 0; block = slab.next(block)) {
      const memory = slab.memoryOf(block);
      const base = Slab.offsetOf(block);
      const count = Math.min(left, BLOCK_BYTES);
      copyBytes(memory, base, base + count, target, to);
      to += count;
      left -= count;
    }
  }

  appendTo(out: ByteWriter): void {
    const slab = this.#slab;
    let left = this.length;
    for (let block = this.#first; left > 0; block = slab.next(block)) {
      const base = Slab.offsetOf(block);
      const count = Math.min(left, BLOCK_BYTES);
      out.part(slab.memoryOf(block), base, base + count);
      left -= count;
    }
  }

  /** Empty; its blocks are given back. */
  clear(): void {
    if (this.#first !== NONE) this.#slab.give(this.#first, this.#last);
    this.#first = NONE;
    this.#last = NONE;
    this.length = 0;
  }
}
