// All series that are known, by their key.
import type { SeriesInfo } from '../../metrics/index.ts';
import { hashOf, seriesKey, seriesOfKey } from './series-key.ts';

export interface Entry {
  readonly key: string;
  readonly info: SeriesInfo;
  readonly hash: readonly [number, number];
  /** Under which blocks of minutes have the same series by the hour. */
  readonly hourHash: readonly [number, number];
}

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
