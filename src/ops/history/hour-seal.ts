// The end of an hour: what lies minute by minute in its journals is written series by series into two blocks, one of seconds and one of minutes.
import { batchEnd } from './batches.ts';
import type { BlockWriter } from './block-writer.ts';
import { ByteWriter, copyBytes } from './bytes.ts';
import type { Entry } from './catalogue.ts';
import { Fold } from './fold.ts';
import { type Hour, READ_BYTES } from './hour.ts';
import type { Pacer } from './pacer.ts';

/** Gathered together, with one read a minute for all of them. One size: what is replaced by something larger waits for the collector. */
const GATHERED = { maxBytes: 524_288, maxCount: 128 };
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
  #gathered = new Uint8Array(GATHERED.maxBytes);
  readonly #read = new Uint8Array(READ_BYTES);
  readonly #minutes = new ByteWriter(SERIES_BYTES);
  readonly #folded = new ByteWriter(SERIES_BYTES);
  readonly #fold = new Fold();

  /** `lost`, called at most once: some of it cannot be read; goes on without, unless this throws. */
  constructor(hour: Hour, pacer: Pacer, lost: (error: unknown) => void) {
    this.#hour = hour;
    this.#pacer = pacer;
    this.#lost = lost;
  }

  async write(seconds: BlockWriter, minutes: BlockWriter): Promise<void> {
    const { entries } = this.#hour;
    const sizes = await this.#hour.sizes(this.#pacer);
    for (let from = 0, to = 0; from < entries.length; from = to) {
      to = batchEnd(from, entries.length, (at) => sizes[at]!, GATHERED);
      // The first of an hour is compiled as it goes.
      if (this.#pacer.tired) await this.#pacer.rest();
      for (const [entry, place] of await this.#gather(entries.slice(from, to), sizes.subarray(from, to)))
        await this.#series(entry, this.#gathered.subarray(place.from, place.to), seconds, minutes);
    }
  }

  /** Some of the hour's entries, and how many bytes there are of each. */
  async #gather(entries: readonly Entry[], sizes: Uint32Array): Promise<ReadonlyMap<Entry, Place>> {
    const wanted = new Map(entries.map((entry) => [entry, this.#hour.length]));
    if (this.#pacer.tired) await this.#pacer.rest();
    const rows = await this.#hour.rowsOf(wanted, this.#pacer);
    const places = new Map<Entry, Place>();
    let from = 0;
    for (const [i, entry] of entries.entries()) {
      places.set(entry, { from, to: from });
      from += sizes[i]!;
    }
    if (this.#gathered.length < from) this.#gathered = new Uint8Array(from);
    if (this.#pacer.tired) await this.#pacer.rest();
    const error = await this.#hour.read(
      rows,
      this.#pacer,
      (entry, _, chunks, begin, end) => {
        const place = places.get(entry)!;
        copyBytes(chunks, begin, end, this.#gathered, place.to);
        place.to += end - begin;
      },
      this.#read,
    );
    if (error !== undefined && this.#isWhole) this.#lost(error);
    this.#isWhole &&= error === undefined;
    return places;
  }

  async #series(entry: Entry, gathered: Uint8Array, seconds: BlockWriter, minutes: BlockWriter): Promise<void> {
    if (gathered.length === 0) return;
    const isHistogram = entry.info.kind === 'histogram';
    this.#minutes.clear();
    this.#folded.clear();
    if (this.#pacer.tired) await this.#pacer.rest();
    await this.#fold.minutes(this.#minutes, gathered, isHistogram, this.#pacer);
    await this.#fold.hours(this.#folded, this.#minutes, isHistogram, this.#pacer);
    seconds.begin();
    await seconds.chunks(gathered);
    seconds.end(entry.hash, entry.key);
    if (seconds.isDue) await seconds.rest();
    minutes.begin();
    await minutes.chunks(this.#minutes.view());
    minutes.end(entry.hash, entry.key);
    minutes.begin();
    await minutes.stored(this.#folded);
    minutes.end(entry.hourHash);
    if (minutes.isDue) await minutes.rest();
  }
}
