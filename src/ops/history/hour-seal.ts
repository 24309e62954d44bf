// The end of an hour: what lies minute by minute in its journals is written series by series into two blocks, one of seconds and one of minutes.
import type { BlockWriter } from './block-writer.ts';
import { ByteWriter, copyBytes } from './bytes.ts';
import type { Entry } from './catalogue.ts';
import { foldMinutes, HourFold } from './fold.ts';
import type { Hour } from './hour.ts';
import type { Pacer } from './pacer.ts';

/** Series that are gathered together: some 25 kilobytes of each, and one read a minute for all of them. */
const GATHERED_AT_ONCE = 64;
const SERIES_BYTES = 8192;

/** Where the gathered chunks of a series are. */
interface Place {
  readonly from: number;
  to: number;
}

export class HourSeal {
  readonly #hour: Hour;
  readonly #pacer: Pacer;
  readonly #lost: (error: unknown) => void;
  #isWhole = true;
  /** Used again for the next series. */
  #gathered = new Uint8Array(0);
  readonly #minutes = new ByteWriter(SERIES_BYTES);
  readonly #folded = new ByteWriter(SERIES_BYTES);
  readonly #fold = new HourFold();

  /** `lost`, called at most once: some of it cannot be read; goes on without, unless this throws. */
  constructor(hour: Hour, pacer: Pacer, lost: (error: unknown) => void) {
    this.#hour = hour;
    this.#pacer = pacer;
    this.#lost = lost;
  }

  async write(seconds: BlockWriter, minutes: BlockWriter): Promise<void> {
    const { entries } = this.#hour;
    for (let from = 0; from < entries.length; from += GATHERED_AT_ONCE) {
      for (const [entry, place] of await this.#gather(from, entries.slice(from, from + GATHERED_AT_ONCE)))
        await this.#series(entry, this.#gathered.subarray(place.from, place.to), seconds, minutes);
    }
  }

  /** `entries`: of the hour, from this one on. */
  async #gather(from: number, entries: readonly Entry[]): Promise<ReadonlyMap<Entry, Place>> {
    const wanted = new Map(entries.map((entry) => [entry, this.#hour.length]));
    const rows = await this.#hour.rowsOf(wanted, this.#pacer);
    const bytes = this.#hour.bytesOf(rows);
    const places = new Map<Entry, Place>();
    let total = 0;
    for (const [i, entry] of entries.entries()) {
      places.set(entry, { from: total, to: total });
      total += bytes[from + i]!;
    }
    if (this.#gathered.length < total) this.#gathered = new Uint8Array(Math.ceil(1.25 * total));
    if (this.#pacer.tired) await this.#pacer.rest();
    const error = await this.#hour.read(rows, this.#pacer, (entry, _, chunks, begin, end) => {
      const place = places.get(entry)!;
      copyBytes(chunks, begin, end, this.#gathered, place.to);
      place.to += end - begin;
    });
    if (error !== undefined && this.#isWhole) this.#lost(error);
    this.#isWhole &&= error === undefined;
    return places;
  }

  async #series(entry: Entry, gathered: Uint8Array, seconds: BlockWriter, minutes: BlockWriter): Promise<void> {
    if (gathered.length === 0) return;
    const isHistogram = entry.info.kind === 'histogram';
    this.#minutes.clear();
    this.#folded.clear();
    await foldMinutes(this.#minutes, gathered, isHistogram, this.#pacer);
    await this.#fold.write(this.#folded, this.#minutes, isHistogram, this.#pacer);
    seconds.begin();
    await seconds.chunks(gathered);
    seconds.end(entry.hash, entry.key);
    if (seconds.isDue) await seconds.rest();
    minutes.begin();
    await minutes.chunks(this.#minutes.view());
    minutes.end(entry.hash, entry.key);
    minutes.begin();
    minutes.stored(this.#folded);
    minutes.end(entry.hourHash);
    if (minutes.isDue) await minutes.rest();
  }
}
