// The minutes of a day's hours as one block: pieces are taken over as they are, after a look at their checksum; only what the hours amount to is packed anew.
import type { Compression } from '../../hosts/port.ts';
import type { Block, Stripe } from './block.ts';
import { batchEnd } from './batches.ts';
import type { BlockWriter } from './block-writer.ts';
import { ByteWriter } from './bytes.ts';
import type { Catalogue, Entry } from './catalogue.ts';
import { Fold } from './fold.ts';
import type { Pacer } from './pacer.ts';
import { PieceReader } from './pieces.ts';

/** Read of each block at once: by what the first one has of them. */
const READ = { maxBytes: 32_768, maxCount: 48 };
const MAX_OFFSET = 2 ** 32;

export interface DayMergeOptions {
  readonly compression: Compression | undefined;
  readonly pacer: Pacer;
  /** A block that does not hold what it should, and is left out from here on. */
  damaged(block: string, reason: string): Promise<void>;
}

/** A block, and what was read of it. */
interface Part {
  readonly block: Block;
  read: Stripe | undefined;
  /** Used again for the next series. */
  memory: Uint8Array;
}

export class DayMerge {
  readonly #o: DayMergeOptions;
  #parts: readonly Part[];
  readonly #pieces = new PieceReader();
  readonly #fold = new Fold();
  readonly #hours = new ByteWriter(4096);
  readonly #minutes = new ByteWriter(4096);

  constructor(blocks: readonly Block[], options: DayMergeOptions) {
    this.#o = options;
    this.#parts = blocks.map((block) => ({ block, read: undefined, memory: new Uint8Array(0) }));
  }

  /** All series, in the order in which the first block has them. Not only those of the catalogue: it may be full. */
  async entries(catalogue: Catalogue): Promise<Entry[]> {
    const { pacer } = this.#o;
    const tables = new Set<string>();
    const found = new Set<Entry>();
    for (const { block } of this.#parts) {
      if (tables.has(block.tableId)) continue;
      tables.add(block.tableId);
      for (const key of await block.keys(pacer)) {
        const entry = catalogue.ofKey(key);
        if (entry !== undefined) found.add(entry);
        if (pacer.tired) await pacer.rest();
      }
    }
    const first = this.#parts[0]?.block;
    const entries = [...found];
    // Offset and number in one: numbers are sorted by the engine itself, at once.
    const places = new Float64Array(entries.length);
    for (const [i, entry] of entries.entries()) {
      const at = first?.index.find(entry.hash) ?? -1;
      const offset = at < 0 ? MAX_OFFSET : (first?.index.offset(at) ?? 0);
      places[i] = offset * entries.length + i;
      if (pacer.tired) await pacer.rest();
    }
    return [...places.sort()].map((place) => entries[place % entries.length] as Entry);
  }

  async write(entries: readonly Entry[], writer: BlockWriter): Promise<void> {
    const { pacer } = this.#o;
    const first = this.#parts[0]?.block.index;
    const bytesOf = (at: number): number => {
      const { hash, hourHash } = entries[at]!;
      return (first?.lengthOf(hash) ?? 0) + (first?.lengthOf(hourHash) ?? 0);
    };
    for (let from = 0, to = 0; from < entries.length; from = to) {
      to = batchEnd(from, entries.length, bytesOf, READ);
      // The first of a day is compiled as it goes.
      if (pacer.tired) await pacer.rest();
      const some = entries.slice(from, to);
      const hashes = some.flatMap(({ hash, hourHash }) => [hash, hourHash]);
      if (pacer.tired) await pacer.rest();
      for (const part of this.#parts) {
        const memory = (bytes: number) => {
          if (part.memory.length < bytes) part.memory = new Uint8Array(Math.ceil(1.25 * bytes));
          return part.memory;
        };
        part.read = await part.block.stripe(hashes, pacer, memory);
      }
      for (const entry of some) await this.#series(entry, writer);
    }
  }

  async #series(entry: Entry, writer: BlockWriter): Promise<void> {
    const { pacer } = this.#o;
    this.#hours.clear();
    writer.begin();
    for (const part of this.#parts) {
      const { block } = part;
      const hoursBefore = this.#hours.length;
      try {
        const minutesAt = block.index.find(entry.hash);
        if (minutesAt < 0) continue;
        const minutes = part.read ?? (await block.stripe([entry.hash], pacer));
        if (minutes === undefined) continue;
        await this.#look(block, minutesAt, minutes);
        const { count } = this.#pieces;
        // Mostly a block says itself what its minutes amount to.
        const hoursAt = block.index.find(entry.hourHash);
        if (hoursAt < 0) await this.#foldHours(entry);
        else await this.#takeHours(block, hoursAt, part.read ?? (await block.stripe([entry.hourHash], pacer)));
        const from = block.index.offset(minutesAt) - minutes.from;
        writer.copied(minutes.bytes, from, from + block.index.length(minutesAt), count, block.index.crc(minutesAt));
        if (writer.isDue) await writer.rest();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.#hours.length = hoursBefore;
        this.#parts = this.#parts.filter((one) => one !== part);
        await this.#o.damaged(block.name, block.damaged(error).message);
      }
    }
    writer.end(entry.hash, entry.key);
    writer.begin();
    await writer.chunks(this.#hours.view());
    writer.end(entry.hourHash);
    if (writer.isDue) await writer.rest();
  }

  /** `#pieces` stands before them then. Rejects with a `RangeError` where they are damaged. */
  async #look(block: Block, at: number, stripe: Stripe): Promise<void> {
    const from = block.index.offset(at) - stripe.from;
    this.#pieces.reset(stripe.bytes, from, from + block.index.length(at));
    await this.#pieces.check(block.index.crc(at), this.#o.pacer);
  }

  /** Some hundred bytes an hour. */
  async #takeHours(block: Block, at: number, hours: Stripe | undefined): Promise<void> {
    if (hours === undefined) return;
    await this.#look(block, at, hours);
    while (this.#pieces.next()) this.#pieces.unpack(this.#hours, this.#o.compression);
  }

  /** Of the minutes that `#pieces` stands before. */
  async #foldHours(entry: Entry): Promise<void> {
    const { compression, pacer } = this.#o;
    this.#minutes.clear();
    while (this.#pieces.next()) {
      this.#pieces.unpack(this.#minutes, compression);
      if (pacer.tired) await pacer.rest();
    }
    await this.#fold.hours(this.#hours, this.#minutes, entry.info.kind === 'histogram', pacer);
  }
}
