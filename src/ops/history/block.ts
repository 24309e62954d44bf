// A sealed stretch of history in one file: for each series its chunks, deflated, found through a sorted index at the end.
import type { Compression, DataFolder, FileAppender } from '../../hosts/port.ts';
import { ByteReader, ByteWriter, crc32 } from './bytes.ts';
import { MINUTE_MS } from './chunks.ts';
import type { Pacer } from './pacer.ts';

export type Tier = 'seconds' | 'minutes';

const MAGIC = 0x48585953;
export const FORMAT_VERSION = 1;
const FOOTER_BYTES = 48;
const ENTRY_BYTES = 20;
/** Deflated at once; each takes a fraction of a millisecond. */
const PIECE_BYTES = 16_384;
const WRITE_BYTES = 65_536;
/** Read at once by `fetchAll`: what lies so close together, up to so much. */
const READ_GAP_BYTES = 4096;
const READ_BYTES = 262_144;
/** A series' day of busy seconds is some megabytes; what claims to be more is damaged. */
const MAX_PIECES = 4096;

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

interface Entry {
  readonly hash: readonly [number, number];
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

/** Makes a block: `add` each run of chunks once, then `finish`. Until then it is a `.part` that nobody reads. */
export class BlockWriter {
  readonly #folder: DataFolder;
  readonly #name: string;
  readonly #file: FileAppender;
  readonly #compression: Compression | undefined;
  readonly #pacer: Pacer;
  readonly #pending = new ByteWriter(WRITE_BYTES + PIECE_BYTES);
  readonly #entries: Entry[] = [];
  readonly #keys: string[] = [];
  #offset = 0;

  private constructor(
    folder: DataFolder,
    name: string,
    file: FileAppender,
    compression: Compression | undefined,
    pacer: Pacer,
  ) {
    this.#folder = folder;
    this.#name = name;
    this.#file = file;
    this.#compression = compression;
    this.#pacer = pacer;
  }

  static async create(folder: DataFolder, name: string, compression: Compression | undefined, pacer: Pacer) {
    const part = `${name}.part`;
    await pacer.outside(folder.remove(part).catch(() => {}));
    const file = await pacer.outside(folder.append(part));
    return new BlockWriter(folder, name, file, compression, pacer);
  }

  /** `key`: of a series, for the table of those that are in the block. */
  async add(hash: readonly [number, number], chunks: Uint8Array, key?: string): Promise<void> {
    const from = this.#offset + this.#pending.length;
    const crc = await this.#deflated(chunks);
    if (key !== undefined) this.#keys.push(key);
    this.#entries.push({
      hash,
      offset: from,
      length: this.#offset + this.#pending.length - from,
      crc,
    });
  }

  /** Appends pieces; their checksum is of all of them. */
  async #deflated(bytes: Uint8Array): Promise<number> {
    let crc = 0;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      const small = this.#compression?.deflate(piece) ?? piece;
      this.#pending.varint(piece.length);
      this.#pending.varint(small.length);
      this.#pending.bytes(small);
      crc = (Math.imul(crc, 31) + crc32(small)) >>> 0;
      if (this.#pending.length >= WRITE_BYTES) await this.#flush();
      else if (this.#pacer.tired) await this.#pacer.rest();
    }
    return crc;
  }

  async #flush(): Promise<void> {
    const bytes = this.#pending.view();
    await this.#pacer.outside(this.#file.write(bytes));
    this.#offset += bytes.length;
    this.#pending.clear();
  }

  async finish({ tier, fromMs, toMs }: BlockRange): Promise<Block> {
    await this.#pacer.rest();
    const tableOffset = this.#offset + this.#pending.length;
    const table = new TextEncoder().encode([...this.#keys].sort().join('\n'));
    const tableCrc = await this.#deflated(table);
    const indexOffset = this.#offset + this.#pending.length;
    await this.#pacer.rest();
    this.#entries.sort((a, b) => a.hash[0] - b.hash[0] || a.hash[1] - b.hash[1]);
    const index = new ByteWriter(this.#entries.length * ENTRY_BYTES);
    for (const { hash, offset, length, crc } of this.#entries) {
      for (const value of [hash[0], hash[1], offset, length, crc]) index.u32(value);
    }
    this.#pending.bytes(index.view());
    const footer = new ByteWriter(FOOTER_BYTES);
    for (const value of [
      MAGIC,
      FORMAT_VERSION,
      tier === 'seconds' ? 1 : 2,
      fromMs / MINUTE_MS,
      toMs / MINUTE_MS,
      tableOffset,
      indexOffset - tableOffset,
      tableCrc,
      indexOffset,
      this.#entries.length,
      crc32(index.view()),
    ])
      footer.u32(value);
    footer.u32(crc32(footer.view()));
    this.#pending.bytes(footer.view());
    await this.#flush();
    const part = `${this.#name}.part`;
    await this.#pacer.outside(
      (async () => {
        await this.#file.sync();
        await this.#file.close();
        await this.#folder.rename(part, this.#name);
      })(),
    );
    return await openBlock(this.#folder, this.#name, this.#compression);
  }

  /** Gives up; leaves nothing behind where the disk still obeys. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await this.#folder.remove(`${this.#name}.part`).catch(() => {});
  }
}

/** Reads the end of a block. Rejects with `DamagedError`, `NewerFormatError` or the system's error. */
export async function openBlock(
  folder: DataFolder,
  name: string,
  compression: Compression | undefined,
): Promise<Block> {
  const bytes = await folder.size(name);
  if (bytes < FOOTER_BYTES) throw new DamagedError(`${name} is too short`);
  const footer = await folder.readAt(name, bytes - FOOTER_BYTES, FOOTER_BYTES);
  const read = new ByteReader(footer);
  const fields = Array.from({ length: FOOTER_BYTES / 4 }, () => read.u32());
  const [magic, version, tier, from, to, tableOffset, tableLength, tableCrc, indexOffset, count, indexCrc, crc] =
    fields as [number, number, number, number, number, number, number, number, number, number, number, number];
  if (magic !== MAGIC || crc32(footer.subarray(0, FOOTER_BYTES - 4)) !== crc)
    throw new DamagedError(`${name} has no proper end`);
  if (version > FORMAT_VERSION)
    throw new NewerFormatError(`${name} is of version ${version}, this program reads up to ${FORMAT_VERSION}`);
  if (indexOffset + count * ENTRY_BYTES > bytes) throw new DamagedError(`${name} is cut`);
  const index = await folder.readAt(name, indexOffset, count * ENTRY_BYTES);
  if (crc32(index) !== indexCrc) throw new DamagedError(`${name} has a damaged index`);
  const range: BlockRange = {
    tier: tier === 1 ? 'seconds' : 'minutes',
    fromMs: from * MINUTE_MS,
    toMs: to * MINUTE_MS,
  };
  const table = { offset: tableOffset, length: tableLength, crc: tableCrc };
  return new Block(folder, name, range, bytes, index, table, compression);
}

/** Bytes as they lie in a block, and what their checksum must be. */
export interface Stored {
  readonly bytes: Uint8Array;
  readonly crc: number;
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
  readonly #index: DataView;
  readonly #count: number;
  readonly #table: { readonly offset: number; readonly length: number; readonly crc: number };
  readonly #compression: Compression | undefined;

  constructor(
    folder: DataFolder,
    name: string,
    range: BlockRange,
    bytes: number,
    index: Uint8Array,
    table: { offset: number; length: number; crc: number },
    compression: Compression | undefined,
  ) {
    this.folder = folder;
    this.name = name;
    this.tier = range.tier;
    this.fromMs = range.fromMs;
    this.toMs = range.toMs;
    this.bytes = bytes;
    this.#index = new DataView(index.buffer, index.byteOffset, index.byteLength);
    this.#count = index.length / ENTRY_BYTES;
    this.#table = table;
    this.tableId = `${table.length} ${table.crc}`;
    this.#compression = compression;
  }

  async keys(pacer: Pacer): Promise<string[]> {
    const { offset, length, crc } = this.#table;
    const stored = { bytes: await pacer.outside(this.folder.readAt(this.name, offset, length)), crc };
    const bytes = await this.inflate(stored, pacer);
    const text = new TextDecoder().decode(bytes);
    return text === '' ? [] : text.split('\n');
  }

  /** The chunks of a series as they lie in the file, for `inflate`; null where the block has none. */
  fetch([high, low]: readonly [number, number]): Promise<Stored> | null {
    const at = this.#find(high, low);
    if (at < 0) return null;
    const crc = this.#field(at, 4);
    return this.folder.readAt(this.name, this.#field(at, 2), this.#field(at, 3)).then((bytes) => ({ bytes, crc }));
  }

  /** The same for many: what lies side by side is read at once. */
  async fetchAll(hashes: readonly (readonly [number, number])[], pacer: Pacer): Promise<(Stored | null)[]> {
    const stored: (Stored | null)[] = hashes.map(() => null);
    const places = hashes
      .map(([high, low], i) => ({ i, at: this.#find(high, low) }))
      .filter(({ at }) => at >= 0)
      .map(({ i, at }) => ({ i, from: this.#field(at, 2), length: this.#field(at, 3), crc: this.#field(at, 4) }))
      .sort((a, b) => a.from - b.from);
    for (let first = 0; first < places.length; ) {
      const { from } = places[first]!;
      let to = from;
      let next = first;
      for (; next < places.length; next++) {
        const place = places[next]!;
        if (next > first && (place.from > to + READ_GAP_BYTES || place.from + place.length > from + READ_BYTES)) break;
        to = Math.max(to, place.from + place.length);
      }
      const bytes = await pacer.outside(this.folder.readAt(this.name, from, to - from));
      for (const { i, from: start, length, crc } of places.slice(first, next))
        stored[i] = { bytes: bytes.subarray(start - from, start - from + length), crc };
      first = next;
    }
    return stored;
  }

  #field(at: number, number: number): number {
    return this.#index.getUint32(at * ENTRY_BYTES + number * 4, true);
  }

  #find(high: number, low: number): number {
    let from = 0;
    let to = this.#count;
    while (from < to) {
      const middle = (from + to) >> 1;
      const a = this.#index.getUint32(middle * ENTRY_BYTES, true);
      const b = this.#index.getUint32(middle * ENTRY_BYTES + 4, true);
      if (a === high && b === low) return middle;
      if (a < high || (a === high && b < low)) from = middle + 1;
      else to = middle;
    }
    return -1;
  }

  /** What is one piece, at once; undefined: it is more. Throws `DamagedError`. */
  inflateOne({ bytes, crc }: Stored): Uint8Array | undefined {
    if (bytes.length === 0) return undefined;
    try {
      const reader = new ByteReader(bytes);
      const size = reader.varint();
      const small = reader.bytes(reader.varint());
      if (!reader.atEnd) return undefined;
      if (size > PIECE_BYTES || crc32(small) !== crc) throw new RangeError('the checksum differs');
      return this.#inflated(small, size);
    } catch (error) {
      throw this.#damaged(error);
    }
  }

  async inflate({ bytes, crc }: Stored, pacer: Pacer): Promise<Uint8Array> {
    try {
      const sizes: number[] = [];
      const pieces: Uint8Array[] = [];
      const reader = new ByteReader(bytes);
      let total = 0;
      let sum = 0;
      // What was damaged is not inflated at all.
      while (!reader.atEnd && pieces.length < MAX_PIECES) {
        const size = reader.varint();
        const small = reader.bytes(reader.varint());
        if (size > PIECE_BYTES) throw new RangeError('a piece is too long');
        sum = (Math.imul(sum, 31) + crc32(small)) >>> 0;
        sizes.push(size);
        pieces.push(small);
        total += size;
        if (pacer.tired) await pacer.rest();
      }
      if (sum !== crc || !reader.atEnd) throw new RangeError('the checksum differs');
      if (pieces.length === 1) return this.#inflated(pieces[0] as Uint8Array, total);
      const joined = new Uint8Array(total);
      let at = 0;
      for (const [i, small] of pieces.entries()) {
        joined.set(this.#inflated(small, sizes[i] as number), at);
        at += sizes[i] as number;
        if (pacer.tired) await pacer.rest();
      }
      return joined;
    } catch (error) {
      throw this.#damaged(error);
    }
  }

  #damaged(error: unknown): DamagedError {
    return new DamagedError(`${this.name} is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }

  #inflated(small: Uint8Array, size: number): Uint8Array {
    const piece = this.#compression?.inflate(small, size) ?? small;
    if (piece.length !== size) throw new RangeError('a piece has another length');
    return piece;
  }
}
