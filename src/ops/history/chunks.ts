// One minute of one series as bytes, in two finenesses: its seconds, and the minute as one point. Chunks stand one after the other; each tells its length.
import type { Gain } from '../../metrics/index.ts';
import { type BucketSum, keyOf, keyOfIndex, valueOf } from './buckets.ts';
import { ByteReader, ByteWriter, floatBits, floatOf, isShortWhole } from './bytes.ts';

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

const body = new ByteWriter(1024);

function finish(out: ByteWriter, minute: number): void {
  out.varint(minute);
  out.varint(body.length);
  out.part(body.memory, 0, body.length);
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
  finish(out, minute);
}

const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;

/** Seconds as one minute, or minutes as one hour. What is added many times a minute takes numbers from arrays: engines box what is handed over one by one. */
export class MinuteFold implements PointSink {
  readonly #buckets: BucketSum;
  readonly #state = new Float64Array(4);
  /** Of what is added by chunks. */
  readonly reader = new ByteReader(new Uint8Array(0));

  /** `buckets` is empty between uses, and may be shared. */
  constructor(buckets: BucketSum) {
    this.#buckets = buckets;
    this.#clear();
  }

  point(_atMs: number, count: number, sum: number, min: number, max: number): boolean {
    const state = this.#state;
    state[COUNT]! += count;
    state[SUM]! += sum;
    if (min < state[MIN]!) state[MIN] = min;
    if (max > state[MAX]!) state[MAX] = max;
    return true;
  }

  bucket(key: number, count: number): void {
    this.#buckets.add(key, count);
  }

  /** The same value, so often. */
  addConstant(value: number, count: number): void {
    this.point(0, count, count * value, value, value);
    this.#buckets.add(keyOf(value), count);
  }

  /** What `reader` stands before: count, sum and buckets. */
  addHistogram(): void {
    const { reader } = this;
    const state = this.#state;
    const count = reader.varint();
    const sum = reader.number();
    if (this.#addBuckets() === 0) return;
    state[COUNT]! += count;
    state[SUM]! += sum;
  }

  #addBuckets(): number {
    const { reader } = this;
    const length = reader.varint();
    let key = 0;
    for (let i = 0; i < length; i++) {
      key = i === 0 ? reader.signed() : key + reader.varint();
      this.#buckets.add(key, reader.varint());
    }
    return length;
  }

  /** A chunk of the minutes, whose flags `reader` stands before. */
  addMinute(): void {
    const { reader } = this;
    const flags = reader.byte();
    if ((flags & HISTOGRAM) !== 0) {
      this.addHistogram();
      return;
    }
    const count = reader.varint();
    const min = reader.number();
    if ((flags & CONSTANT) !== 0) {
      this.addConstant(min, count);
      return;
    }
    const max = reader.number();
    this.point(0, count, reader.number(), min, max);
    this.#addBuckets();
  }

  /** Writes what was folded, and is empty again. */
  write(out: ByteWriter, minute: number, isHistogram: boolean): void {
    const state = this.#state;
    const constant = !isHistogram && state[MIN] === state[MAX];
    body.byte((isHistogram ? HISTOGRAM : 0) | (constant ? CONSTANT : 0));
    body.varint(state[COUNT]!);
    if (!isHistogram) body.number(state[MIN]!);
    if (!constant) {
      if (!isHistogram) body.number(state[MAX]!);
      body.number(state[SUM]!);
      this.#buckets.write(body);
    }
    finish(out, minute);
    this.#clear();
  }

  #clear(): void {
    this.#buckets.clear();
    const state = this.#state;
    state[COUNT] = 0;
    state[SUM] = 0;
    state[MIN] = Number.POSITIVE_INFINITY;
    state[MAX] = Number.NEGATIVE_INFINITY;
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

const keys: number[] = [];
const counts: number[] = [];
// A sink reads no chunks.
const reader = new ByteReader(new Uint8Array(0));

export function readSeconds({ atMs, bytes, from, to }: ChunkPlace, sink: PointSink): void {
  reader.reset(bytes, from);
  const flags = reader.byte();
  if ((flags & HISTOGRAM) !== 0) {
    while (reader.at < to) {
      const second = reader.byte();
      const count = reader.varint();
      tellHistogram(atMs + 1000 * second, count, reader.number(), sink);
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

export function readMinute({ atMs, bytes, from }: ChunkPlace, sink: PointSink): void {
  reader.reset(bytes, from);
  const flags = reader.byte();
  const count = reader.varint();
  if ((flags & HISTOGRAM) !== 0) {
    tellHistogram(atMs, count, reader.number(), sink);
    return;
  }
  const min = reader.number();
  if ((flags & CONSTANT) !== 0) {
    if (sink.point(atMs, count, count * min, min, min)) sink.bucket(keyOf(min), count);
    return;
  }
  const max = reader.number();
  if (sink.point(atMs, count, reader.number(), min, max)) passBuckets(sink);
}

/** The least and the most of a histogram are those of its buckets. */
function tellHistogram(atMs: number, count: number, sum: number, sink: PointSink): void {
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

function passBuckets(sink: PointSink): void {
  const length = reader.varint();
  let key = 0;
  for (let i = 0; i < length; i++) {
    key = i === 0 ? reader.signed() : key + reader.varint();
    sink.bucket(key, reader.varint());
  }
}
