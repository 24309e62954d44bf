// The sealed blocks of one folder: hours are sealed into it, the minutes of a day become one block, what is too old goes.
import type { Compression, DataFolder } from '../../hosts/port.ts';
import { type Block, type BlockRange, DamagedError, NewerFormatError, openBlock, type Tier } from './block.ts';
import { BlockWriter } from './block-writer.ts';
import type { Catalogue } from './catalogue.ts';
import { DayMerge } from './day-merge.ts';
import { type Hour, HOUR_MS, stampOf } from './hour.ts';
import { HourSeal } from './hour-seal.ts';
import { readJournal, type TakeChunks } from './journal-reader.ts';
import type { Pacer } from './pacer.ts';

export interface ArchiveOptions {
  readonly folder: DataFolder;
  readonly compression: Compression | undefined;
  readonly catalogue: Catalogue;
  readonly pacer: Pacer;
  /** Something a person should know: a file that was set aside, a block of a later version. */
  tell(message: string, file: string, reason: string): void;
}

/** What is about to replace what: a crash in between is finished, or undone, at the next start. */
interface Intent {
  readonly targets: readonly string[];
  readonly sources: readonly string[];
}

const DAY_HOURS = 24;
const INTENT = 'intent.json';
const DAMAGED = 'damaged-';
const MAX_DAMAGED = 8;
const NAME = /^(seconds|minutes)-([\d-]+(?:T\d\d)?)-(\d+)\.block$/;
const text = new TextEncoder();

export class Archive {
  readonly #o: ArchiveOptions;
  /** Rising by their start. */
  blocks: readonly Block[] = [];
  readonly #tables = new Set<string>();
  #number = 0;

  constructor(options: ArchiveOptions) {
    this.#o = options;
  }

  get bytes(): number {
    return this.blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Opens what the folder holds; damaged files are set aside. Returns the names of its journals. */
  async load(): Promise<string[]> {
    const { folder } = this.#o;
    await this.#finishIntent();
    const found: Block[] = [];
    const names = await folder.list();
    for (const name of names) {
      if (name.endsWith('.part') || name.endsWith('.new')) await folder.remove(name);
      if (!NAME.test(name)) continue;
      this.#number = Math.max(this.#number, Number(NAME.exec(name)?.[3]));
      try {
        const block = await openBlock(folder, name, this.#o.compression, this.#o.pacer);
        await this.#learn(block);
        found.push(block);
      } catch (error) {
        await this.#cannotRead(name, error);
      }
    }
    this.#set(found);
    return names.filter((name) => name.startsWith('journal-'));
  }

  async #learn(block: Block): Promise<void> {
    if (this.#tables.has(block.tableId)) return;
    const { catalogue, pacer } = this.#o;
    for (const key of await block.keys(pacer)) {
      catalogue.ofKey(key);
      if (pacer.tired) await pacer.rest();
    }
    this.#tables.add(block.tableId);
  }

  #set(blocks: Block[]): void {
    this.blocks = blocks.sort((a, b) => a.fromMs - b.fromMs);
  }

  /** Damaged: set aside. Of a later version, or gone: left alone. Anything else is thrown. */
  async #cannotRead(name: string, error: unknown): Promise<void> {
    if (error instanceof NewerFormatError) this.#o.tell('history file left alone', name, error.message);
    else if (error instanceof DamagedError) await this.setAside(name, error.message);
    else throw error;
  }

  /** A file that cannot be read is kept under another name, and served no more. */
  async setAside(name: string, reason: string): Promise<void> {
    this.blocks = this.blocks.filter((block) => block.name !== name);
    this.#o.tell('history file set aside', name, reason);
    await this.#o.folder.rename(name, `${DAMAGED}${name}`).catch(() => {});
  }

  /** Feeds the chunks of a journal, in bytes that are used again; a torn end is kept aside and cut off. */
  async replay(name: string, take: TakeChunks): Promise<void> {
    const { folder, pacer, tell } = this.#o;
    try {
      const size = await pacer.outside(folder.size(name));
      const readAt = (at: number, length: number, into: Uint8Array) => folder.readAt(name, at, length, into);
      const source = { bytes: size, readAt };
      const torn = await readJournal(source, pacer, take);
      if (torn === undefined) return;
      tell('history journal is torn, its end set aside', name, `whole up to byte ${torn.at} of ${size}`);
      const bytes = (await folder.read(name)) ?? new Uint8Array(0);
      await folder.replace(`${DAMAGED}${name}`, bytes);
      await folder.replace(name, bytes.slice(0, torn.at));
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return;
      if (!(error instanceof RangeError)) return await this.#cannotRead(name, error);
      await this.setAside(name, error.message);
    }
  }

  async forget(name: string): Promise<void> {
    await this.#o.pacer.outside(this.#o.folder.remove(name).catch(() => {}));
  }

  /** Writes an hour as two blocks; `sources`, its journals in this folder, go. `sealed` is called at the very moment from which the blocks are
   *  served, `lost` where a part of it cannot be read: it may throw. Rejects with the system's error, and then nothing has changed. */
  async seal(
    hour: Hour,
    sources: readonly string[],
    { sealed, lost }: { sealed(): void; lost(error: unknown): void },
  ): Promise<void> {
    const { fromMs, toMs } = hour;
    const number = ++this.#number;
    const name = (tier: Tier) => `${tier}-${stampOf(hour.hour)}-${number}.block`;
    await this.#intend({ targets: [name('seconds'), name('minutes')], sources });
    const seal = new HourSeal(hour, this.#o.pacer, lost);
    const made = await this.#write(
      [
        { tier: 'seconds', fromMs, toMs, name: name('seconds') },
        { tier: 'minutes', fromMs, toMs, name: name('minutes') },
      ],
      ([seconds, minutes]) => seal.write(seconds as BlockWriter, minutes as BlockWriter),
    );
    for (const block of made) await this.#learn(block);
    await this.#replaced(sources);
    this.#set([...this.blocks, ...made]);
    sealed();
  }

  /** All of these blocks, or none. */
  async #write(
    targets: readonly (BlockRange & { readonly name: string })[],
    fill: (writers: readonly BlockWriter[]) => Promise<void>,
  ): Promise<Block[]> {
    const { folder, compression, pacer } = this.#o;
    const writers: BlockWriter[] = [];
    const made: Block[] = [];
    try {
      for (const { name } of targets) writers.push(await BlockWriter.create(folder, name, compression, pacer));
      if (pacer.tired) await pacer.rest();
      await fill(writers);
      for (const [i, target] of targets.entries()) made.push(await (writers[i] as BlockWriter).finish(target));
      return made;
    } catch (error) {
      for (const writer of writers) await writer.discard();
      for (const { name } of made) await folder.remove(name).catch(() => {});
      throw error;
    }
  }

  /** The hours of days that are over become one block each. */
  async mergeDays(nowMs: number): Promise<void> {
    const { pacer } = this.#o;
    const days = new Map<number, Block[]>();
    for (const block of this.blocks) {
      const day = Math.floor(block.fromMs / (DAY_HOURS * HOUR_MS));
      if (block.tier === 'minutes' && (day + 1) * DAY_HOURS * HOUR_MS <= nowMs)
        days.set(day, [...(days.get(day) ?? []), block]);
    }
    for (const [day, blocks] of days) {
      // What runs once a day is compiled as it goes: rests between any two steps, here and below.
      if (pacer.tired) await pacer.rest();
      if (blocks.length > 1) await this.#merge(day, blocks);
    }
  }

  async #merge(day: number, blocks: readonly Block[]): Promise<void> {
    const { pacer, catalogue, compression } = this.#o;
    const name = `minutes-${stampOf(day * DAY_HOURS).slice(0, 10)}-${++this.#number}.block`;
    const toMs = Math.max(...blocks.map((block) => block.toMs));
    const target = { tier: 'minutes', name, fromMs: blocks[0]?.fromMs ?? 0, toMs } as const;
    const sources = blocks.map((block) => block.name);
    if (pacer.tired) await pacer.rest();
    const merge = new DayMerge(blocks, {
      compression,
      pacer,
      damaged: (block, reason) => this.setAside(block, reason),
    });
    if (pacer.tired) await pacer.rest();
    const entries = await merge.entries(catalogue);
    if (pacer.tired) await pacer.rest();
    await this.#intend({ targets: [name], sources });
    const made = await this.#write([target], ([writer]) => merge.write(entries, writer as BlockWriter));
    await this.#replaced(sources);
    this.#set([...this.blocks.filter(({ name }) => !sources.includes(name)), ...made]);
  }

  async #intend(intent: Intent): Promise<void> {
    const { folder, pacer } = this.#o;
    const bytes = text.encode(JSON.stringify(intent));
    if (pacer.tired) await pacer.rest();
    await pacer.outside(folder.replace(INTENT, bytes));
  }

  async #replaced(sources: readonly string[]): Promise<void> {
    for (const name of [...sources, INTENT]) await this.#o.pacer.outside(this.#o.folder.remove(name).catch(() => {}));
  }

  async #finishIntent(): Promise<void> {
    const { folder } = this.#o;
    const bytes = await folder.read(INTENT);
    if (bytes === undefined) return;
    let intent: Intent = { targets: [], sources: [] };
    try {
      intent = JSON.parse(new TextDecoder().decode(bytes)) as Intent;
    } catch {
      // Not even begun.
    }
    const names = new Set(await folder.list());
    const isDone = intent.targets.every((name) => names.has(name));
    for (const name of isDone ? intent.sources : intent.targets) if (names.has(name)) await folder.remove(name);
    await folder.remove(INTENT);
  }

  /** Removes what ended before these times, then the oldest until all fits. Returns how many files went. */
  async purge(limits: { secondsFromMs: number; minutesFromMs: number; maxBytes: number }): Promise<number> {
    const { folder, pacer } = this.#o;
    const isOld = ({ tier, toMs }: Block) => toMs <= (tier === 'seconds' ? limits.secondsFromMs : limits.minutesFromMs);
    const old = new Set(this.blocks.filter(isOld));
    let bytes = this.bytes;
    for (const block of old) bytes -= block.bytes;
    for (const tier of ['seconds', 'minutes'] as const) {
      for (const block of this.blocks) {
        if (bytes <= limits.maxBytes) break;
        if (block.tier !== tier || old.has(block)) continue;
        old.add(block);
        bytes -= block.bytes;
      }
    }
    this.blocks = this.blocks.filter((block) => !old.has(block));
    for (const { name } of old) await pacer.outside(folder.remove(name).catch(() => {}));
    const damaged = (await folder.list()).filter((name) => name.startsWith(DAMAGED));
    for (const name of damaged.slice(0, Math.max(0, damaged.length - MAX_DAMAGED)))
      await pacer.outside(folder.remove(name).catch(() => {}));
    return old.size;
  }

  /** Blocks that are elsewhere come here. */
  async adopt(other: Archive): Promise<void> {
    const { folder, compression, pacer } = this.#o;
    for (const block of other.blocks) {
      const bytes = await other.#o.folder.read(block.name);
      if (bytes !== undefined) {
        const name = block.name.replace(/-\d+\.block$/, `-${++this.#number}.block`);
        await folder.replace(name, bytes);
        this.#set([...this.blocks, await openBlock(folder, name, compression, pacer)]);
      }
      other.blocks = other.blocks.filter((one) => one !== block);
      await other.#o.folder.remove(block.name);
    }
  }
}
