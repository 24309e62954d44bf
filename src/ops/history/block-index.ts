// Where the series of a block are: sorted by the hash of their key, five numbers each.

const ENTRY_BYTES = 20;
const OFFSET = 2;
const LENGTH = 3;
const CRC = 4;

export type Hash = readonly [number, number];

export class BlockIndex {
  readonly count: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = Math.floor(bytes.length / ENTRY_BYTES);
  }

  static bytesOf(count: number): number {
    return count * ENTRY_BYTES;
  }

  /** The number of the entry; negative where there is none. */
  find(hash: Hash): number {
    const high = hash[0];
    const low = hash[1];
    const at = placeIn(this.#view, this.count, high, low);
    return at < this.count && this.#field(at, 0) === high && this.#field(at, 1) === low ? at : -1;
  }

  /** 0 where there is none. */
  lengthOf(hash: Hash): number {
    const at = this.find(hash);
    return at < 0 ? 0 : this.length(at);
  }

  offset(at: number): number {
    return this.#field(at, OFFSET);
  }
  length(at: number): number {
    return this.#field(at, LENGTH);
  }
  crc(at: number): number {
    return this.#field(at, CRC);
  }

  #field(at: number, number: number): number {
    return this.#view.getUint32(at * ENTRY_BYTES + number * 4, true);
  }
}

/** The first entry that is not below. */
function placeIn(view: DataView, count: number, high: number, low: number): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >> 1;
    const a = view.getUint32(middle * ENTRY_BYTES, true);
    if (a < high || (a === high && view.getUint32(middle * ENTRY_BYTES + 4, true) < low)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Entries are put where they belong one by one: sorting them at the end would hold everything up. */
export class BlockIndexWriter {
  #bytes = new Uint8Array(1024 * ENTRY_BYTES);
  #view = new DataView(this.#bytes.buffer);
  count = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.count * ENTRY_BYTES);
  }

  add([high, low]: Hash, offset: number, length: number, crc: number): void {
    if ((this.count + 1) * ENTRY_BYTES > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    const at = placeIn(this.#view, this.count, high, low) * ENTRY_BYTES;
    this.#bytes.copyWithin(at + ENTRY_BYTES, at, this.count * ENTRY_BYTES);
    this.#view.setUint32(at, high, true);
    this.#view.setUint32(at + 4, low, true);
    this.#view.setUint32(at + 4 * OFFSET, offset, true);
    this.#view.setUint32(at + 4 * LENGTH, length, true);
    this.#view.setUint32(at + 4 * CRC, crc, true);
    this.count++;
  }
}
