// One minute of one series as bytes, in two finenesses: its seconds, and the minute as one point. Chunks stand one after the other; each tells its length.
import { type BucketSum, keyOf, valueOf } from './buckets.ts';
import { ByteReader, ByteWriter, isShortWhole } from './bytes.ts';

export const SECONDS = 60;
export const MINUTE_MS = 60_000;

/** Takes points one by one. */
export interface PointSink {
  /** What a second or a minute has seen; true: its buckets are wanted too. */
  point(atMs: number, count: number, sum: number, min: number, max: number): boolean;
  bucket(key: number, count: number): void;
}

// Flags of a chunk's first byte.
const PARTIAL = 1;
const CONSTANT = 2;
const FLOAT = 4;
const HISTOGRAM = 8;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const body = new ByteWriter(1024);

function finish(out: ByteWriter, minute: number): void {
  out.varint(minute);
  out.varint(body.length);
  out.bytes(body.view());
  body.clear();
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
  finish(out, minute);
  return true;
}

function floatBits(value: number): number {
  float[0] = value;
  return bits[0]!;
}

/** One second of a histogram, to be collected until its minute is over. `keys` rise. */
export function writeHistogramSecond(
  out: ByteWriter,
  second: number,
  count: number,
  sum: number,
  keys: readonly number[],
  counts: readonly number[],
): void {
  out.byte(second);
  out.varint(count);
  out.number(sum);
  writeBuckets(out, keys, counts);
}

function writeBuckets(out: ByteWriter, keys: readonly number[], counts: readonly number[]): void {
  out.varint(keys.length);
  let before = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (i === 0) out.signed(key);
    else out.varint(key - before);
    out.varint(counts[i]!);
    before = key;
  }
}

export function writeHistogramSeconds(out: ByteWriter, minute: number, seconds: Uint8Array): void {
  body.byte(HISTOGRAM);
  body.bytes(seconds);
  finish(out, minute);
}

/** A minute as one point. */
export class MinuteFold implements PointSink {
  readonly #buckets: BucketSum;
  readonly #keys: number[] = [];
  readonly #counts: number[] = [];
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** `buckets` is empty between uses, and may be shared. */
  constructor(buckets: BucketSum) {
    this.#buckets = buckets;
  }

  point(_atMs: number, count: number, sum: number, min: number, max: number): boolean {
    this.#count += count;
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    return true;
  }

  bucket(key: number, count: number): void {
    this.#buckets.add(key, count);
  }

  /** Writes what was folded, and is empty again. */
  write(out: ByteWriter, minute: number, isHistogram: boolean): void {
    const constant = !isHistogram && this.#min === this.#max;
    body.byte((isHistogram ? HISTOGRAM : 0) | (constant ? CONSTANT : 0));
    body.varint(this.#count);
    if (!isHistogram) body.number(this.#min);
    if (!constant) {
      if (!isHistogram) body.number(this.#max);
      body.number(this.#sum);
      this.#keys.length = 0;
      this.#counts.length = 0;
      this.#buckets.each((key, count) => {
        this.#keys.push(key);
        this.#counts.push(count);
      });
      writeBuckets(body, this.#keys, this.#counts);
    }
    finish(out, minute);
    this.#buckets.clear();
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
  }
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
  const reader = new ByteReader(bytes);
  while (!reader.atEnd) {
    const minute = reader.varint();
    const length = reader.varint();
    const from = reader.at;
    reader.bytes(length);
    tell({ atMs: minute * MINUTE_MS, bytes, from, to: reader.at });
  }
}

/** The same, each as bytes that stand alone. */
export function eachChunk(bytes: Uint8Array, tell: (minute: number, chunk: Uint8Array) => void): void {
  let begin = 0;
  placesOf(bytes, ({ atMs, to }) => {
    tell(atMs / MINUTE_MS, bytes.subarray(begin, to));
    begin = to;
  });
}

const keys: number[] = [];
const counts: number[] = [];

export function readSeconds({ atMs, bytes, from, to }: ChunkPlace, sink: PointSink): void {
  const reader = new ByteReader(bytes, from);
  const flags = reader.byte();
  if ((flags & HISTOGRAM) !== 0) {
    while (reader.at < to) {
      const second = reader.byte();
      const count = reader.varint();
      tellHistogram(reader, atMs + 1000 * second, count, reader.number(), sink);
    }
    return;
  }
  const low = (flags & PARTIAL) !== 0 ? reader.u32() : 0xffffffff;
  const high = (flags & PARTIAL) !== 0 ? reader.u32() : 0xfffffff;
  let code = 0;
  let value = 0;
  let read = 0;
  for (let second = 0; second < SECONDS; second++) {
    if ((second < 32 ? (low >>> second) & 1 : (high >>> (second - 32)) & 1) === 0) continue;
    if (read++ === 0 || (flags & CONSTANT) === 0) {
      code += reader.signed();
      value = (flags & FLOAT) === 0 ? code : floatOf(code);
    }
    if (sink.point(atMs + 1000 * second, 1, value, value, value)) sink.bucket(keyOf(value), 1);
  }
}

function floatOf(code: number): number {
  bits[0] = code;
  return float[0]!;
}

export function readMinute({ atMs, bytes, from }: ChunkPlace, sink: PointSink): void {
  const reader = new ByteReader(bytes, from);
  const flags = reader.byte();
  const count = reader.varint();
  if ((flags & HISTOGRAM) !== 0) {
    tellHistogram(reader, atMs, count, reader.number(), sink);
    return;
  }
  const min = reader.number();
  if ((flags & CONSTANT) !== 0) {
    if (sink.point(atMs, count, count * min, min, min)) sink.bucket(keyOf(min), count);
    return;
  }
  const max = reader.number();
  if (sink.point(atMs, count, reader.number(), min, max)) passBuckets(reader, sink);
}

/** The least and the most of a histogram are those of its buckets. */
function tellHistogram(reader: ByteReader, atMs: number, count: number, sum: number, sink: PointSink): void {
  const length = reader.varint();
  let key = 0;
  for (let i = 0; i < length; i++) {
    key = i === 0 ? reader.signed() : key + reader.varint();
    keys[i] = key;
    counts[i] = reader.varint();
  }
  if (length === 0) return;
  if (!sink.point(atMs, count, sum, valueOf(keys[0]!), valueOf(key))) return;
  for (let i = 0; i < length; i++) sink.bucket(keys[i]!, counts[i]!);
}

function passBuckets(reader: ByteReader, sink: PointSink): void {
  const length = reader.varint();
  let key = 0;
  for (let i = 0; i < length; i++) {
    key = i === 0 ? reader.signed() : key + reader.varint();
    sink.bucket(key, reader.varint());
  }
}
