// Chunks of a series as they are stored: pieces, each with its length, its packed length and the packed bytes; one checksum for all of them. Pieces of several
// hours stand one after the other as those of a day: nothing has to be unpacked for that.
import type { Compression } from '../../hosts/port.ts';
import { ByteReader, type ByteWriter } from './bytes.ts';
import { checksum } from './checksum.ts';
import type { Pacer } from './pacer.ts';

/** Packed at once: half a millisecond on a slow machine. */
export const PIECE_BYTES = 4096;
/** What earlier versions wrote. */
const MAX_PIECE_BYTES = 16_384;
/** A series' day of busy seconds is some megabytes; what claims to be more is damaged. */
const MAX_PIECES = 8192;
/** A block of deflate that is stored as it is: one byte, its length twice. */
const STORED = 1;
const STORED_HEAD_BYTES = 5;
const MAX_STORED_BYTES = 1024;

/** Bytes as they are stored, and what their checksum must be. */
export interface Stored {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/** The checksum of pieces, with one more. */
export function joinedCrc(before: number, piece: number): number {
  return (Math.imul(before, 31) + piece) >>> 0;
}

/** What deflate adds to bytes that cannot be packed. */
const DEFLATE_EXTRA_BYTES = 64;
let packed = new Uint8Array(PIECE_BYTES + DEFLATE_EXTRA_BYTES);

/** Appends a piece; returns where in `out` its packed bytes begin. Their checksum is left to who writes: a step of its own. */
export function writePiece(out: ByteWriter, piece: Uint8Array, compression: Compression | undefined): number {
  if (packed.length < piece.length + DEFLATE_EXTRA_BYTES)
    packed = new Uint8Array(2 * piece.length + DEFLATE_EXTRA_BYTES);
  const small = compression === undefined ? piece : packed;
  const length = compression?.deflate(piece, packed) ?? piece.length;
  out.varint(piece.length);
  out.varint(length);
  out.part(small, 0, length);
  return out.length - length;
}

/** The same for some hundred bytes that are to be read soon: packing them would take more than it saves. */
export function writeStored(
  out: ByteWriter,
  bytes: Uint8Array,
  length: number,
  compression: Compression | undefined,
): number {
  if (compression === undefined || length > MAX_STORED_BYTES)
    return writePiece(out, bytes.subarray(0, length), compression);
  out.varint(length);
  out.varint(length + STORED_HEAD_BYTES);
  const from = out.length;
  out.byte(STORED);
  for (const value of [length, ~length & 0xffff]) {
    out.byte(value & 255);
    out.byte(value >> 8);
  }
  out.part(bytes, 0, length);
  return from;
}

function isStored(bytes: Uint8Array, from: number, to: number, size: number): boolean {
  return bytes[from] === STORED && to - from === size + STORED_HEAD_BYTES;
}

/** Goes through pieces one by one; no objects are made. Throws `RangeError` where they are damaged. */
export class PieceReader {
  readonly #reader = new ByteReader(new Uint8Array(0));
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where the packed bytes of this piece are. */
  from = 0;
  to = 0;
  /** Unpacked. */
  size = 0;
  /** Of all that were checked: how many there are, and their bytes unpacked. */
  count = 0;
  total = 0;

  reset(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.#bytes = bytes;
    this.#reader.reset(bytes, from, Math.min(to, bytes.length));
  }

  /** False at the end. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.atEnd) return false;
    this.size = reader.varint();
    const length = reader.varint();
    if (this.size > MAX_PIECE_BYTES) throw new RangeError('a piece is too long');
    this.from = reader.at;
    reader.skip(length);
    this.to = reader.at;
    return true;
  }

  /** Goes through all of them, and back to the beginning. Rejects with a `RangeError` where they are damaged or their checksum is another. */
  async check(crc: number, pacer: Pacer): Promise<void> {
    const begin = this.#reader.at;
    let joined = 0;
    this.count = 0;
    this.total = 0;
    while (this.next()) {
      if (++this.count > MAX_PIECES) throw new RangeError('there are too many pieces');
      this.total += this.size;
      const piece = checksum(this.#bytes, this.from, this.to, pacer);
      joined = joinedCrc(joined, typeof piece === 'number' ? piece : await piece);
      if (pacer.tired) await pacer.rest();
    }
    if (joined !== crc) throw new RangeError('the checksum differs');
    this.#reader.at = begin;
  }

  /** Appends this piece, unpacked. */
  unpack(out: ByteWriter, compression: Compression | undefined): void {
    const { from, to, size } = this;
    if (compression !== undefined && isStored(this.#bytes, from, to, size))
      out.part(this.#bytes, from + STORED_HEAD_BYTES, to);
    else out.bytes(inflated(this.#bytes.subarray(from, to), size, compression));
  }
}

function inflated(small: Uint8Array, size: number, compression: Compression | undefined): Uint8Array {
  if (compression !== undefined && isStored(small, 0, small.length, size)) return small.subarray(STORED_HEAD_BYTES);
  const piece = compression?.inflate(small, size) ?? small;
  if (piece.length !== size) throw new RangeError('a piece has another length');
  return piece;
}

/** All pieces, unpacked. Throws `RangeError` where they are damaged. */
export async function unpackPieces(
  { bytes, crc }: Stored,
  compression: Compression | undefined,
  pacer: Pacer,
): Promise<Uint8Array> {
  const reader = new PieceReader();
  reader.reset(bytes);
  // What was damaged is not inflated at all.
  await reader.check(crc, pacer);
  const { count, total } = reader;
  if (count === 1 && reader.next()) return inflated(bytes.subarray(reader.from, reader.to), total, compression);
  const joined = new Uint8Array(total);
  let at = 0;
  while (reader.next()) {
    joined.set(inflated(bytes.subarray(reader.from, reader.to), reader.size, compression), at);
    at += reader.size;
    if (pacer.tired) await pacer.rest();
  }
  return joined;
}
