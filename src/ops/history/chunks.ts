// One minute of one series as bytes, in two finenesses: its seconds, and the minute as one point. Chunks stand one after the other; each tells its length.
import type { Gain } from '../../metrics/index.ts';
import { keyOfIndex } from './buckets.ts';
import { ByteReader, ByteWriter, floatBits, isShortWhole } from './bytes.ts';

export const SECONDS = 60;
export const MINUTE_MS = 60_000;

// Flags of a chunk's first byte.
export const PARTIAL = 1;
export const CONSTANT = 2;
export const FLOAT = 4;
export const HISTOGRAM = 8;

const body = new ByteWriter(1024);

/** Appends a chunk with this body, which is empty then. */
export function writeChunk(out: ByteWriter, minute: number, chunk: ByteWriter): void {
  out.varint(minute);
  out.varint(chunk.length);
  out.part(chunk.memory, 0, chunk.length);
  chunk.clear();
}

/** Seconds of a counter or gauge: 60 values, NaN where there is none. Whole numbers stay exact, others become float32.
 *  Writes nothing, and says false, where all are NaN. */
export function writeSeconds(out: ByteWriter, minute: number, values: Float64Array, at: number): boolean {
  let present = 0;
  let whole = true;
  let constant = true;
  let first = Number.NaN;
  let low = 0;
  let high = 0;
  for (let second = 0; second < SECONDS; second++) {
    const value = values[at + second]!;
    if (Number.isNaN(value)) continue;
    if (present === 0) first = value;
    else if (value !== first) constant = false;
    present++;
    if (whole && !isShortWhole(value)) whole = false;
    if (second < 32) low |= 1 << second;
    else high |= 1 << (second - 32);
  }
  if (present === 0) return false;
  body.byte((present < SECONDS ? PARTIAL : 0) | (constant ? CONSTANT : 0) | (whole ? 0 : FLOAT));
  if (present < SECONDS) {
    body.u32(low >>> 0);
    body.u32(high >>> 0);
  }
  let before = 0;
  for (let second = 0; second < SECONDS; second++) {
    const value = values[at + second]!;
    if (Number.isNaN(value)) continue;
    const code = whole ? value : floatBits(value);
    body.signed(code - before);
    before = code;
    if (constant) break;
  }
  writeChunk(out, minute, body);
  return true;
}

/** One second of a histogram, to be collected until its minute is over. `indexes` rise, as OpenTelemetry counts them. */
export function writeHistogramSecond(
  out: ByteWriter,
  second: number,
  { count, sum, zeros, indexes, counts }: Omit<Gain, 'series'>,
): void {
  out.byte(second);
  out.varint(count);
  out.number(sum);
  out.varint(indexes.length + (zeros > 0 ? 1 : 0));
  let before: number | undefined;
  if (zeros > 0) {
    before = 0;
    out.signed(before);
    out.varint(zeros);
  }
  for (let i = 0; i < indexes.length; i++) {
    const key = keyOfIndex(indexes[i]!);
    if (before === undefined) out.signed(key);
    else out.varint(key - before);
    out.varint(counts[i]!);
    before = key;
  }
}

export function writeHistogramSeconds(out: ByteWriter, minute: number, seconds: ByteWriter): void {
  body.byte(HISTOGRAM);
  body.part(seconds.memory, 0, seconds.length);
  writeChunk(out, minute, body);
}

/** Where a chunk begins and ends in its bytes. */
export interface ChunkPlace {
  readonly atMs: number;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** All chunks of a run of bytes; throws `RangeError` where they are damaged. */
export function placesOf(bytes: Uint8Array, tell: (place: ChunkPlace) => void): void {
  const places = new ByteReader(bytes);
  while (!places.atEnd) {
    const minute = places.varint();
    const length = places.varint();
    const from = places.at;
    places.skip(length);
    tell({ atMs: minute * MINUTE_MS, bytes, from, to: places.at });
  }
}

/** The same one by one, in an object that is used again. */
export class Places implements ChunkPlace {
  readonly #reader = new ByteReader(new Uint8Array(0));
  bytes: Uint8Array = new Uint8Array(0);
  /** Minutes since 1970. */
  minute = 0;
  /** Where what tells its length begins. */
  begin = 0;
  from = 0;
  to = 0;

  get atMs(): number {
    return this.minute * MINUTE_MS;
  }

  reset(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.#reader.reset(bytes, from, to);
  }

  /** False at the end; throws `RangeError` where they are damaged. */
  next(): boolean {
    const places = this.#reader;
    if (places.atEnd) return false;
    this.begin = places.at;
    this.minute = places.varint();
    const length = places.varint();
    this.from = places.at;
    places.skip(length);
    this.to = places.at;
    return true;
  }
}
