// The end of an hour: what lies minute by minute in its journals is written series by series into two blocks, one of seconds and one of minutes.
import type { BlockWriter } from './block-writer.ts';
import { ByteWriter } from './bytes.ts';
import type { Entry } from './catalogue.ts';
import { foldMinutes, HourFold } from './fold.ts';
import type { Hour } from './hour.ts';
import type { Pacer } from './pacer.ts';

/** Series that are gathered together: some ten kilobytes of memory each, and one read a minute for all of them. */
const GATHERED_AT_ONCE = 96;
const SERIES_BYTES = 8192;

export class HourSeal {
  readonly #hour: Hour;
  readonly #pacer: Pacer;
  readonly #lost: (error: unknown) => void;
  #isWhole = true;
  readonly #gathered: ByteWriter[] = [];
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
      const some = entries.slice(from, from + GATHERED_AT_ONCE);
      await this.#gather(from, some);
      for (const [i, entry] of some.entries()) await this.#series(entry, this.#gathered[i]!, seconds, minutes);
    }
  }

  async #gather(from: number, entries: readonly Entry[]): Promise<void> {
    const places = new Map<Entry, ByteWriter>();
    for (const [i, entry] of entries.entries()) {
      const place = (this.#gathered[i] ??= new ByteWriter(SERIES_BYTES));
      place.clear();
      places.set(entry, place);
    }
    if (this.#pacer.tired) await this.#pacer.rest();
    const wanted = new Map(entries.map((entry) => [entry, this.#hour.length]));
    const rows = await this.#hour.rowsOf(wanted, this.#pacer);
    const error = await this.#hour.read(rows, this.#pacer, (entry, _, bytes, begin, end) => {
      places.get(entry)!.part(bytes, begin, end);
    });
    if (error !== undefined && this.#isWhole) this.#lost(error);
    this.#isWhole &&= error === undefined;
  }

  async #series(entry: Entry, gathered: ByteWriter, seconds: BlockWriter, minutes: BlockWriter): Promise<void> {
    if (gathered.length === 0) return;
    const isHistogram = entry.info.kind === 'histogram';
    this.#minutes.clear();
    this.#folded.clear();
    await foldMinutes(this.#minutes, gathered.view(), isHistogram, this.#pacer);
    await this.#fold.write(this.#folded, this.#minutes, isHistogram, this.#pacer);
    seconds.begin();
    await seconds.chunks(gathered.view());
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
