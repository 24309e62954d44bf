// An hour that is not sealed: the chunks of its minutes by series, in memory, and the journals that hold the same.
import type { Compression } from '../../hosts/port.ts';
import type { SeriesInfo } from '../../metrics/index.ts';
import { BucketSum } from './buckets.ts';
import { ByteWriter } from './bytes.ts';
import { MINUTE_MS, MinuteFold, Places, placesOf, readSeconds } from './chunks.ts';
import type { Pacer } from './pacer.ts';
import { Run } from './run.ts';
import { hashOf, seriesKey, seriesOfKey } from './series-key.ts';
import { Slab } from './slab.ts';

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
  ofKey(key: string, given?: SeriesInfo): Entry | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined || this.#entries.size >= this.#max) return known;
    const info = given ?? seriesOfKey(key);
    if (info === undefined) return undefined;
    const entry = { key, info, hash: hashOf(key), hourHash: hashOf(`hours ${key}`) };
    this.#entries.set(key, entry);
    return entry;
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }
}

export const HOUR_MS = 60 * MINUTE_MS;
const fold = new MinuteFold(new BucketSum());
const minute = new ByteWriter(1024);
const places = new Places();

export interface HourSeries {
  readonly seconds: Run;
  readonly minutes: Run;
}

export class Hour {
  /** Hours since 1970. */
  readonly hour: number;
  readonly series = new Map<Entry, HourSeries>();
  readonly #compression: Compression | undefined;
  readonly #slab = new Slab();
  /** Names of the journals that hold its minutes, to be removed when it is sealed. */
  readonly journals: string[] = [];
  fromMs = Number.POSITIVE_INFINITY;
  toMs = 0;

  constructor(hour: number, compression: Compression | undefined) {
    this.hour = hour;
    this.#compression = compression;
  }

  #of(entry: Entry): HourSeries {
    let data = this.series.get(entry);
    if (data === undefined) {
      data = { seconds: new Run(this.#slab, this.#compression), minutes: new Run(this.#slab, this.#compression) };
      this.series.set(entry, data);
    }
    return data;
  }

  /** Takes the seconds of a minute, and the minute that they amount to. */
  addMinute(entry: Entry, atMs: number, seconds: ByteWriter, folded: ByteWriter): HourSeries {
    const data = this.#of(entry);
    data.seconds.add(seconds.memory, 0, seconds.length);
    data.minutes.add(folded.memory, 0, folded.length);
    this.#holds(atMs);
    return data;
  }

  /** Takes chunks of seconds, and makes minutes of them. Throws `RangeError` for damaged ones. */
  add(entry: Entry, chunks: Uint8Array, from = 0, to = chunks.length): void {
    const { seconds, minutes } = this.#of(entry);
    seconds.add(chunks, from, to);
    const isHistogram = entry.info.kind === 'histogram';
    places.reset(chunks, from, to);
    while (places.next()) {
      readSeconds(places, fold);
      minute.clear();
      fold.write(minute, places.minute, isHistogram);
      minutes.add(minute.memory, 0, minute.length);
      this.#holds(places.atMs);
    }
  }

  #holds(atMs: number): void {
    this.fromMs = Math.min(this.fromMs, atMs);
    this.toMs = Math.max(this.toMs, atMs + MINUTE_MS);
  }
}

/** Writes the minute that seconds amount to. */
export function foldSeconds(seconds: Uint8Array, minutes: ByteWriter, isHistogram: boolean): void {
  placesOf(seconds, (place) => {
    readSeconds(place, fold);
    fold.write(minutes, place.atMs / MINUTE_MS, isHistogram);
  });
}

/** Makes the hours that rising minutes amount to, each a chunk like that of a minute; with pauses, so that each user has one of its own. */
export class HourFold {
  readonly #fold = new MinuteFold(new BucketSum());

  /** Appends to `out`. */
  async write(out: ByteWriter, minutes: ByteWriter, isHistogram: boolean, pacer: Pacer): Promise<void> {
    const { reader } = this.#fold;
    reader.reset(minutes.memory, 0, minutes.length);
    let hour: number | undefined;
    while (!reader.atEnd) {
      const number = Math.floor(reader.varint() / 60);
      const end = reader.varint() + reader.at;
      if (hour !== undefined && hour !== number) this.#fold.write(out, hour * 60, isHistogram);
      hour = number;
      this.#fold.addMinute();
      reader.at = end;
      if (pacer.tired) await pacer.rest();
    }
    if (hour !== undefined) this.#fold.write(out, hour * 60, isHistogram);
  }
}

/** `2026-11-28T20`, for names of files. */
export function stampOf(hour: number): string {
  return new Date(hour * HOUR_MS).toISOString().slice(0, 13);
}
