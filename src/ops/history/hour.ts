// An hour that is not sealed: its minutes are in journals, here is where. What is asked for is read from there, neighbours at once.
import type { FolderReader } from '../../hosts/port.ts';
import type { Entry } from './catalogue.ts';
import { ChunkIndex } from './chunk-index.ts';
import { checksum } from './checksum.ts';
import { MINUTE_MS } from './chunks.ts';
import type { Pacer } from './pacer.ts';

export const HOUR_MS = 60 * MINUTE_MS;
/** Read at once; what lies between two chunks that are wanted is read with them, if it is not much. */
export const READ_BYTES = 65_536;
const GAP_BYTES = 16_384;
/** Rows of the index, between looks at the clock. */
const SEARCHED_AT_ONCE = 1024;

/** A journal that holds minutes of the hour. */
export interface JournalFile {
  readonly folder: FolderReader;
  readonly name: string;
}

/** Places in the index of an hour, rising. */
export type Rows = readonly number[];

/** One chunk of seconds, in bytes that the next one may use again, and its checksum. What it returns is awaited. */
export type TakeChunk = (
  entry: Entry,
  minute: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  crc: number,
) => Promise<void> | void;

/** Whether it will never be read again: its file is gone, or holds something else. Other errors may pass. */
export function isLost(error: unknown): boolean {
  return error instanceof RangeError || (error as { code?: unknown } | null)?.code === 'ENOENT';
}

export class Hour {
  /** Hours since 1970. */
  readonly hour: number;
  /** To be removed when the hour is sealed. */
  readonly journals: JournalFile[] = [];
  readonly #slots = new Map<Entry, number>();
  readonly #entries: Entry[] = [];
  #index = new ChunkIndex();
  fromMs = Number.POSITIVE_INFINITY;
  toMs = 0;

  constructor(hour: number) {
    this.hour = hour;
  }

  get isEmpty(): boolean {
    return this.#index.count === 0;
  }

  /** In the order in which the journals have them. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** A chunk that stands, or will stand, in the last of the journals. It is served after `commit`. */
  add(entry: Entry, minute: number, offset: number, length: number, checksum: number): void {
    let slot = this.#slots.get(entry);
    if (slot === undefined) {
      slot = this.#entries.length;
      this.#slots.set(entry, slot);
      this.#entries.push(entry);
    }
    this.#index.add(slot, minute % 60, this.journals.length - 1, offset, length, checksum);
    this.fromMs = Math.min(this.fromMs, minute * MINUTE_MS);
    this.toMs = Math.max(this.toMs, (minute + 1) * MINUTE_MS);
  }

  /** What was added is in the journal. */
  commit(): void {
    this.#index.commit();
  }

  /** What was added since the last `commit` has not reached it. */
  discard(): void {
    this.#index.discard();
  }

  /** How many rows there are: what comes later has higher ones. */
  get length(): number {
    return this.#index.count;
  }

  /** Rows for `read`: of each of these series those below its number, of minutes that the range touches. */
  async rowsOf(
    wanted: ReadonlyMap<Entry, number>,
    pacer: Pacer,
    fromMs = 0,
    toMs = Number.POSITIVE_INFINITY,
  ): Promise<Rows> {
    const rows: number[] = [];
    if (this.fromMs >= toMs || this.toMs <= fromMs) return rows;
    const { count, slots, minutes } = this.#index;
    const fromMinute = Math.floor(fromMs / MINUTE_MS) - 60 * this.hour;
    const toMinute = Math.ceil(toMs / MINUTE_MS) - 60 * this.hour;
    const below = new Uint32Array(this.#entries.length);
    for (const [entry, row] of wanted) {
      const slot = this.#slots.get(entry);
      if (slot !== undefined) below[slot] = row;
    }
    for (let row = 0; row < count; row++) {
      const isWanted = row < below[slots[row]!]! && minutes[row]! >= fromMinute && minutes[row]! < toMinute;
      if (isWanted) rows.push(row);
      if (row % SEARCHED_AT_ONCE === 0 && pacer.tired) await pacer.rest();
    }
    return rows;
  }

  /** All of it. */
  rows(pacer: Pacer): Promise<Rows> {
    return this.rowsOf(new Map(this.#entries.map((entry) => [entry, this.length])), pacer);
  }

  /** How many bytes there are of each series, by its place in `entries`. */
  async sizes(pacer: Pacer): Promise<Uint32Array> {
    const { count, slots, lengths } = this.#index;
    const sizes = new Uint32Array(this.#entries.length);
    for (let row = 0; row < count; row++) {
      sizes[slots[row]!]! += lengths[row]!;
      if (row % SEARCHED_AT_ONCE === 0 && pacer.tired) await pacer.rest();
    }
    return sizes;
  }

  /** Forgets what is in other folders. */
  retain(folder: FolderReader): void {
    const before = this.#index;
    this.#index = new ChunkIndex();
    for (let row = 0; row < before.count; row++) {
      if (this.journals[before.journals[row]!]?.folder === folder) this.#index.addRow(before, row);
    }
    this.#index.commit();
  }

  /** Reads rising rows, into `memory` where that is enough. Resolves with the first error that kept some of them from being read; undefined: all were. */
  async read(rows: Rows, pacer: Pacer, take: TakeChunk, memory = new Uint8Array(0)): Promise<unknown> {
    const { slots, offsets, lengths, checksums, journals, minutes } = this.#index;
    let failure: unknown;
    for (let at = 0, end = 0; at < rows.length; at = end) {
      end = this.#neighbours(rows, at);
      const [first, last] = [rows[at]!, rows[end - 1]!];
      const from = offsets[first]!;
      const length = offsets[last]! + lengths[last]! - from;
      if (memory.length < length) memory = new Uint8Array(2 * length);
      const { folder, name } = this.journals[journals[first]!]!;
      let bytes: Uint8Array;
      try {
        bytes = await pacer.outside(folder.readAt(name, from, length, memory));
      } catch (error) {
        failure ??= error;
        continue;
      }
      for (let i = at; i < end; i++) {
        const row = rows[i]!;
        const begin = offsets[row]! - from;
        const until = begin + lengths[row]!;
        const found = until <= bytes.length ? checksum(bytes, begin, until, pacer) : Number.NaN;
        const crc = typeof found === 'number' ? found : await found;
        if (crc !== checksums[row]) {
          failure ??= new RangeError(`${name} does not hold what was written to it`);
          continue;
        }
        const taken = take(this.#entries[slots[row]!]!, 60 * this.hour + minutes[row]!, bytes, begin, until, crc);
        if (taken !== undefined) await taken;
        if (pacer.tired) await pacer.rest();
      }
    }
    return failure;
  }

  /** The end of those that are read together with the row at this place. */
  #neighbours(rows: Rows, at: number): number {
    const { offsets, lengths, journals } = this.#index;
    const first = rows[at]!;
    let to = offsets[first]! + lengths[first]!;
    let end = at + 1;
    for (; end < rows.length; end++) {
      const row = rows[end]!;
      const next = offsets[row]! + lengths[row]!;
      if (journals[row] !== journals[first] || offsets[row]! < to || offsets[row]! > to + GAP_BYTES) break;
      if (next - offsets[first]! > READ_BYTES) break;
      to = next;
    }
    return end;
  }
}

/** `2026-11-28T20`, for names of files. */
export function stampOf(hour: number): string {
  return new Date(hour * HOUR_MS).toISOString().slice(0, 13);
}
