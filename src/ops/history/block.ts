// A sealed stretch of history in one file: for each series its chunks, deflated, found through a sorted index at the end.
import type { Compression, DataFolder } from '../../hosts/port.ts';
import { BlockIndex, type Hash } from './block-index.ts';
import { ByteReader, crc32 } from './bytes.ts';
import { checksum } from './checksum.ts';
import { MINUTE_MS } from './chunks.ts';
import type { Pacer } from './pacer.ts';
import { type Stored, unpackPieces } from './pieces.ts';

export type Tier = 'seconds' | 'minutes';

export const MAGIC = 0x48585953;
export const FORMAT_VERSION = 1;
export const FOOTER_BYTES = 48;
/** Read at once by `stripe`. */
const READ_BYTES = 524_288;

/** A file that does not hold what it should. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}
/** A file of a later version of this program. */
export class NewerFormatError extends Error {
  override readonly name = 'NewerFormatError';
}

export interface BlockRange {
  readonly tier: Tier;
  readonly fromMs: number;
  /** End of the last minute. */
  readonly toMs: number;
}

/** Reads the end of a block. Rejects with `DamagedError`, `NewerFormatError` or the system's error. */
export async function openBlock(
  folder: DataFolder,
  name: string,
  compression: Compression | undefined,
  pacer: Pacer,
): Promise<Block> {
  const bytes = await pacer.outside(folder.size(name));
  if (bytes < FOOTER_BYTES) throw new DamagedError(`${name} is too short`);
  const footer = await pacer.outside(folder.readAt(name, bytes - FOOTER_BYTES, FOOTER_BYTES));
  const read = new ByteReader(footer);
  const fields = Array.from({ length: FOOTER_BYTES / 4 }, () => read.u32());
  const [magic, version, tier, from, to, tableOffset, tableLength, tableCrc, indexOffset, count, indexCrc, crc] =
    fields as [number, number, number, number, number, number, number, number, number, number, number, number];
  if (magic !== MAGIC || crc32(footer.subarray(0, FOOTER_BYTES - 4)) !== crc)
    throw new DamagedError(`${name} has no proper end`);
  if (version > FORMAT_VERSION)
    throw new NewerFormatError(`${name} is of version ${version}, this program reads up to ${FORMAT_VERSION}`);
  if (indexOffset + BlockIndex.bytesOf(count) > bytes) throw new DamagedError(`${name} is cut`);
  const index = await pacer.outside(folder.readAt(name, indexOffset, BlockIndex.bytesOf(count)));
  if ((await checksum(index, 0, index.length, pacer)) !== indexCrc)
    throw new DamagedError(`${name} has a damaged index`);
  const range: BlockRange = {
    tier: tier === 1 ? 'seconds' : 'minutes',
    fromMs: from * MINUTE_MS,
    toMs: to * MINUTE_MS,
  };
  const table = { offset: tableOffset, length: tableLength, crc: tableCrc };
  return new Block(folder, name, { range, bytes, index, table, compression });
}

export interface BlockParts {
  readonly range: BlockRange;
  readonly bytes: number;
  readonly index: Uint8Array;
  readonly table: { readonly offset: number; readonly length: number; readonly crc: number };
  readonly compression: Compression | undefined;
}

/** Some of a block's bytes, and where in it they begin. */
export interface Stripe {
  readonly from: number;
  readonly bytes: Uint8Array;
}

export class Block implements BlockRange {
  readonly folder: DataFolder;
  readonly name: string;
  readonly tier: Tier;
  readonly fromMs: number;
  readonly toMs: number;
  readonly bytes: number;
  /** Equal for blocks of the same series. */
  readonly tableId: string;
  readonly index: BlockIndex;
  readonly #table: BlockParts['table'];
  readonly #compression: Compression | undefined;

  constructor(folder: DataFolder, name: string, { range, bytes, index, table, compression }: BlockParts) {
    this.folder = folder;
    this.name = name;
    this.tier = range.tier;
    this.fromMs = range.fromMs;
    this.toMs = range.toMs;
    this.bytes = bytes;
    this.index = new BlockIndex(index);
    this.#table = table;
    this.tableId = `${table.length} ${table.crc}`;
    this.#compression = compression;
  }

  async keys(pacer: Pacer): Promise<string[]> {
    const { offset, length, crc } = this.#table;
    const stored = { bytes: await pacer.outside(this.folder.readAt(this.name, offset, length)), crc };
    const bytes = await this.inflate(stored, pacer);
    if (pacer.tired) await pacer.rest();
    const text = new TextDecoder().decode(bytes);
    return text === '' ? [] : text.split('\n');
  }

  /** The chunks of a series as they lie in the file, for `inflate`; null where the block has none. */
  fetch(hash: Hash): Promise<Stored> | null {
    const at = this.index.find(hash);
    if (at < 0) return null;
    const crc = this.index.crc(at);
    return this.folder
      .readAt(this.name, this.index.offset(at), this.index.length(at))
      .then((bytes) => ({ bytes, crc }));
  }

  /** All that the block has of these in one piece of bytes; undefined where it has nothing, or where they lie too far apart.
   *  `memory` for it is used where there is some. */
  async stripe(hashes: readonly Hash[], pacer: Pacer, memory?: (bytes: number) => Uint8Array) {
    let from = this.bytes;
    let to = 0;
    for (const hash of hashes) {
      const at = this.index.find(hash);
      if (at < 0) continue;
      const offset = this.index.offset(at);
      if (offset < from) from = offset;
      if (offset + this.index.length(at) > to) to = offset + this.index.length(at);
    }
    if (from >= to || (hashes.length > 1 && to - from > READ_BYTES)) return undefined;
    const read = this.folder.readAt(this.name, from, to - from, memory?.(to - from));
    const stripe: Stripe = { from, bytes: await pacer.outside(read) };
    return stripe;
  }

  /** All chunks of what was fetched. Rejects with a `DamagedError`. */
  async inflate(stored: Stored, pacer: Pacer): Promise<Uint8Array> {
    try {
      return await unpackPieces(stored, this.#compression, pacer);
    } catch (error) {
      throw this.damaged(error);
    }
  }

  damaged(error: unknown): DamagedError {
    return new DamagedError(`${this.name} is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
}
