// Chunks as points, told one by one.
import { keyOf, valueOf } from './buckets.ts';
import { ByteReader, floatOf } from './bytes.ts';
import { type ChunkPlace, CONSTANT, FLOAT, HISTOGRAM, PARTIAL, SECONDS } from './chunks.ts';

/** Takes points one by one. */
export interface PointSink {
  /** What a second or a minute has seen; true: its buckets are wanted too. */
  point(atMs: number, count: number, sum: number, min: number, max: number): boolean;
  bucket(key: number, count: number): void;
}

const keys: number[] = [];
const counts: number[] = [];
// A sink reads no chunks.
const minuteReader = new ByteReader(new Uint8Array(0));

/** The seconds of a chunk, of a busy histogram in parts: engines have what reads its ten kilobytes unoptimized now and then, and it takes milliseconds then. */
export class SecondsReader {
  readonly #reader = new ByteReader(new Uint8Array(0));
  #atMs = 0;
  #flags = 0;

  reset({ atMs, bytes, from, to }: ChunkPlace): void {
    this.#reader.reset(bytes, from, to);
    this.#atMs = atMs;
    this.#flags = this.#reader.byte();
  }

  /** Tells one second of a histogram, all of anything else; false at the end. Throws `RangeError` where they are damaged. */
  next(sink: PointSink): boolean {
    const reader = this.#reader;
    if (reader.atEnd) return false;
    if ((this.#flags & HISTOGRAM) === 0) {
      this.#values(sink);
      return false;
    }
    const second = reader.byte();
    const count = reader.varint();
    tellHistogram(reader, this.#atMs + 1000 * second, count, reader.number(), sink);
    return true;
  }

  #values(sink: PointSink): void {
    const flags = this.#flags;
    const reader = this.#reader;
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
      if (sink.point(this.#atMs + 1000 * second, 1, value, value, value)) sink.bucket(keyOf(value), 1);
    }
  }
}

export function readMinute({ atMs, bytes, from }: ChunkPlace, sink: PointSink): void {
  const reader = minuteReader;
  reader.reset(bytes, from);
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

/** Buckets as they are written behind a chunk's count; returns how many there were. */
export function passBuckets(reader: ByteReader, sink: PointSink): number {
  const length = reader.varint();
  let key = 0;
  for (let i = 0; i < length; i++) {
    key = i === 0 ? reader.signed() : key + reader.varint();
    sink.bucket(key, reader.varint());
  }
  return length;
}
