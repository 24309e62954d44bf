// Coarser chunks from finer ones: a minute from its seconds, an hour from its minutes.
import { BucketSum, keyOf } from './buckets.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { CONSTANT, HISTOGRAM, Places, writeChunk } from './chunks.ts';
import { passBuckets, type PointSink, SecondsReader } from './chunk-reader.ts';
import type { Pacer } from './pacer.ts';

const body = new ByteWriter(1024);

const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;

/** Seconds as one minute, or minutes as one hour. What is added many times a minute takes numbers from arrays: engines box what is handed over one by one. */
class Sum implements PointSink {
  readonly #buckets = new BucketSum();
  readonly #state = new Float64Array(4);
  /** Of what is added by chunks. */
  readonly reader = new ByteReader(new Uint8Array(0));

  constructor() {
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

  #addHistogram(): void {
    const { reader } = this;
    const state = this.#state;
    const count = reader.varint();
    const sum = reader.number();
    if (passBuckets(reader, this) === 0) return;
    state[COUNT]! += count;
    state[SUM]! += sum;
  }

  /** A chunk of the minutes, whose flags `reader` stands before. */
  addMinute(): void {
    const { reader } = this;
    const flags = reader.byte();
    if ((flags & HISTOGRAM) !== 0) {
      this.#addHistogram();
      return;
    }
    const count = reader.varint();
    const min = reader.number();
    if ((flags & CONSTANT) !== 0) {
      this.point(0, count, count * min, min, min);
      this.#buckets.add(keyOf(min), count);
      return;
    }
    const max = reader.number();
    this.point(0, count, reader.number(), min, max);
    passBuckets(reader, this);
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
    writeChunk(out, minute, body);
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

/** With pauses, so that each user has one of its own. */
export class Fold {
  readonly #sum = new Sum();
  readonly #chunks = new Places();
  readonly #seconds = new SecondsReader();

  /** Appends the minutes that chunks of seconds amount to. */
  async minutes(out: ByteWriter, seconds: Uint8Array, isHistogram: boolean, pacer: Pacer): Promise<void> {
    const chunks = this.#chunks;
    chunks.reset(seconds, 0, seconds.length);
    while (chunks.next()) {
      this.#seconds.reset(chunks);
      while (this.#seconds.next(this.#sum)) if (pacer.tired) await pacer.rest();
      if (pacer.tired) await pacer.rest();
      this.#sum.write(out, chunks.minute, isHistogram);
      if (pacer.tired) await pacer.rest();
    }
  }

  /** Appends the hours that rising minutes amount to, each a chunk like that of a minute. */
  async hours(out: ByteWriter, minutes: ByteWriter, isHistogram: boolean, pacer: Pacer): Promise<void> {
    const { reader } = this.#sum;
    reader.reset(minutes.memory, 0, minutes.length);
    let hour: number | undefined;
    while (!reader.atEnd) {
      const number = Math.floor(reader.varint() / 60);
      const end = reader.varint() + reader.at;
      if (hour !== undefined && hour !== number) this.#sum.write(out, hour * 60, isHistogram);
      hour = number;
      this.#sum.addMinute();
      reader.at = end;
      if (pacer.tired) await pacer.rest();
    }
    if (hour !== undefined) this.#sum.write(out, hour * 60, isHistogram);
  }
}
