// Numbers as few bytes: a writer that grows, a reader that throws past the end, and the checksum of both.

/** From here on a view, which is garbage, costs less than a loop that may run as if for the first time. */
const LOOP_BYTES = 1024;

export function copyBytes(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  if (to - from > LOOP_BYTES) target.set(source.subarray(from, to), at);
  else for (let i = from; i < to; i++) target[at + i - from] = source[i]!;
}

export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #room(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte. */
  varint(value: number): void {
    this.#room(8);
    if (value < 128) {
      this.#bytes[this.length++] = value;
      return;
    }
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.length++] = rest;
  }

  /** A whole number of either sign, below 2^52. */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Whole numbers exactly, others as float32. */
  number(value: number): void {
    if (isShortWhole(value)) {
      this.byte(0);
      this.signed(value);
      return;
    }
    this.byte(1);
    this.#room(4);
    this.#view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  bytes(values: Uint8Array): void {
    this.#room(values.length);
    this.#bytes.set(values, this.length);
    this.length += values.length;
  }

  /** A part of `values`. */
  part(values: Uint8Array, from: number, to: number): void {
    this.#room(to - from);
    copyBytes(values, from, to, this.#bytes, this.length);
    this.length += to - from;
  }

  clear(): void {
    this.length = 0;
  }

  /** All memory, of which `length` bytes are written; the next write may move it. */
  get memory(): Uint8Array {
    return this.#bytes;
  }

  /** What was written; a view that the next write may change. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.length);
  }
}

/** Written exactly by `number`. */
export function isShortWhole(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 51;
}

export class ByteReader {
  #bytes: Uint8Array;
  #end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#end = end;
    this.at = at;
  }

  /** The same reader for other bytes. */
  reset(bytes: Uint8Array, at = 0, end = bytes.length): void {
    this.#bytes = bytes;
    this.#end = end;
    this.at = at;
  }

  get atEnd(): boolean {
    return this.at >= this.#end;
  }

  byte(): number {
    if (this.at >= this.#end) throw new RangeError('The data end too early');
    return this.#bytes[this.at++]!;
  }

  varint(): number {
    let value = this.byte();
    if (value < 128) return value;
    value -= 128;
    let factor = 128;
    for (;;) {
      const byte = this.byte();
      if (byte < 128) return value + byte * factor;
      value += (byte - 128) * factor;
      factor *= 128;
      if (factor > 2 ** 56) throw new RangeError('A number is too long');
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  number(): number {
    return this.byte() === 0 ? this.signed() : floatOf(this.u32());
  }

  u32(): number {
    const low = this.byte() | (this.byte() << 8) | (this.byte() << 16);
    return (low | (this.byte() << 24)) >>> 0;
  }

  /** Passes over so many; they must be there. */
  skip(length: number): void {
    if (this.at + length > this.#end) throw new RangeError('The data end too early');
    this.at += length;
  }

  bytes(length: number): Uint8Array {
    this.skip(length);
    return this.#bytes.subarray(this.at - length, this.at);
  }
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float32 of these bits, and the reverse. */
export function floatOf(code: number): number {
  bits[0] = code;
  return float[0]!;
}

export function floatBits(value: number): number {
  float[0] = value;
  return bits[0]!;
}

/** What a byte makes of the checksum. */
const last = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
/** The same, with one, two and three bytes behind it. */
const second = shifted(last);
const third = shifted(second);
const fourth = shifted(third);

function shifted(table: Int32Array): Int32Array {
  return table.map((c) => last[c & 255]! ^ (c >>> 8));
}

/** CRC-32 as in zip and gzip; `before`: of what stands before it. By four bytes: engines have it unoptimized now and then, and byte by byte some kilobytes
 *  then take milliseconds. */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length, before = 0): number {
  let c = ~before;
  let i = from;
  for (const end = to - 3; i < end; i += 4) {
    c =
      fourth[(c ^ bytes[i]!) & 255]! ^
      third[((c >>> 8) ^ bytes[i + 1]!) & 255]! ^
      second[((c >>> 16) ^ bytes[i + 2]!) & 255]! ^
      last[(c >>> 24) ^ bytes[i + 3]!]!;
  }
  for (; i < to; i++) c = last[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
