// An hour that is not sealed: the chunks of its minutes by series, in memory, and the journals that hold the same.
import type { Compression } from '../../hosts/port.ts';
import type { SeriesInfo } from '../../metrics/index.ts';
import { BucketSum } from './buckets.ts';
import { ByteWriter } from './bytes.ts';
import { type ChunkPlace, MINUTE_MS, MinuteFold, placesOf, readMinute, readSeconds } from './chunks.ts';
import { Pages, Run } from './pages.ts';
import { hashOf, seriesKey, seriesOfKey } from './series-key.ts';

export interface Entry {
  readonly key: string;
  readonly info: SeriesInfo;
  readonly hash: readonly [number, number];
  /** Under which blocks of minutes have the same series by the hour. */
  readonly hourHash: readonly [number, number];
}

/** All series that are known, by their key. */
export class Catalogue {
  readonly #entries = new Map<string, Entry>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  of(info: SeriesInfo): Entry | undefined {
    return this.ofKey(seriesKey(info), info);
  }

  /** Undefined for rubbish, and when there are too many. */
  ofKey(key: string, info = seriesOfKey(key)): Entry | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined || info === undefined || this.#entries.size >= this.#max) return known;
    const entry = { key, info, hash: hashOf(key), hourHash: hashOf(`hours ${key}`) };
    this.#entries.set(key, entry);
    return entry;
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Forgets all but these. */
  keep(entries: ReadonlySet<Entry>): void {
    for (const [key, entry] of this.#entries) if (!entries.has(entry)) this.#entries.delete(key);
  }
}

export const HOUR_MS = 60 * MINUTE_MS;
const fold = new MinuteFold(new BucketSum());

const minute = new ByteWriter(1024);

export interface HourSeries {
  readonly seconds: Run;
  readonly minutes: Run;
}

export class Hour {
  /** Hours since 1970. */
  readonly hour: number;
  readonly series = new Map<Entry, HourSeries>();
  // Apart: whoever seals reads all seconds, then all minutes.
  readonly #seconds: Pages;
  readonly #minutes: Pages;
  /** Names of the journals that hold its minutes, to be removed when it is sealed. */
  readonly journals: string[] = [];
  fromMs = Number.POSITIVE_INFINITY;
  toMs = 0;

  constructor(hour: number, compression: Compression | undefined) {
    this.hour = hour;
    this.#seconds = new Pages(compression);
    this.#minutes = new Pages(compression);
  }

  /** Takes chunks of seconds, and makes minutes of them. Throws `RangeError` for damaged ones. */
  add(entry: Entry, chunks: Uint8Array): void {
    let data = this.series.get(entry);
    if (data === undefined) {
      data = { seconds: new Run(this.#seconds), minutes: new Run(this.#minutes) };
      this.series.set(entry, data);
    }
    const { seconds, minutes } = data;
    seconds.add(chunks);
    placesOf(chunks, (place) => this.#fold(place, minutes, entry.info.kind === 'histogram'));
  }

  #fold(place: ChunkPlace, minutes: Run, isHistogram: boolean): void {
    readSeconds(place, fold);
    minute.clear();
    fold.write(minute, place.atMs / MINUTE_MS, isHistogram);
    minutes.add(minute.view());
    this.fromMs = Math.min(this.fromMs, place.atMs);
    this.toMs = Math.max(this.toMs, place.atMs + MINUTE_MS);
  }
}

/** Writes the minute that seconds amount to. */
export function foldSeconds(seconds: Uint8Array, minutes: ByteWriter, isHistogram: boolean): void {
  placesOf(seconds, (place) => {
    readSeconds(place, fold);
    fold.write(minutes, place.atMs / MINUTE_MS, isHistogram);
  });
}

/** The hours that rising minutes amount to, each a chunk like that of a minute. */
export function foldMinutes(minutes: Uint8Array, isHistogram: boolean): Uint8Array {
  const out = new ByteWriter(128);
  let hour: number | undefined;
  placesOf(minutes, (place) => {
    const number = Math.floor(place.atMs / HOUR_MS);
    if (hour !== undefined && hour !== number) fold.write(out, hour * 60, isHistogram);
    hour = number;
    readMinute(place, fold);
  });
  if (hour !== undefined) fold.write(out, hour * 60, isHistogram);
  return out.view();
}

/** `2026-11-28T20`, for names of files. */
export function stampOf(hour: number): string {
  return new Date(hour * HOUR_MS).toISOString().slice(0, 13);
}
