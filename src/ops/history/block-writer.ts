// Makes a block: for each series `begin`, what it has, `end`; then `finish`. Until then it is a `.part` that nobody reads.
import type { Compression, DataFolder, FileAppender } from '../../hosts/port.ts';
import { Block, type BlockRange, FOOTER_BYTES, FORMAT_VERSION, MAGIC } from './block.ts';
import { BlockIndexWriter, type Hash } from './block-index.ts';
import { ByteWriter, crc32 } from './bytes.ts';
import { checksum } from './checksum.ts';
import { MINUTE_MS } from './chunks.ts';
import type { Pacer } from './pacer.ts';
import { joinedCrc, PIECE_BYTES, writePiece, writeStored } from './pieces.ts';

const WRITE_BYTES = 65_536;
/** Names that are written at once. */
const NAMES_AT_ONCE = 64;
const text = new TextEncoder();

export class BlockWriter {
  readonly #folder: DataFolder;
  readonly #name: string;
  readonly #file: FileAppender;
  readonly #compression: Compression | undefined;
  readonly #pacer: Pacer;
  readonly #pending = new ByteWriter(WRITE_BYTES + 2 * PIECE_BYTES);
  readonly #index = new BlockIndexWriter();
  /** Sorted. */
  readonly #keys: string[] = [];
  /** In the file already. */
  #offset = 0;
  #from = 0;
  #crc = 0;

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

  get #at(): number {
    return this.#offset + this.#pending.length;
  }

  begin(): void {
    this.#from = this.#at;
    this.#crc = 0;
  }

  /** `key`: of a series, for the table of those that are in the block. */
  end(hash: Hash, key?: string): void {
    this.#index.add(hash, this.#from, this.#at - this.#from, this.#crc);
    if (key === undefined) return;
    let from = 0;
    let to = this.#keys.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#keys[middle]! < key) from = middle + 1;
      else to = middle;
    }
    this.#keys.splice(from, 0, key);
  }

  /** Packs them. */
  async chunks(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      await this.#added(writePiece(this.#pending, piece, this.#compression));
      if (this.isDue) await this.rest();
    }
  }

  /** As they are, where they are few. */
  async stored(bytes: ByteWriter): Promise<void> {
    if (bytes.length === 0) return;
    await this.#added(writeStored(this.#pending, bytes.memory, bytes.length, this.#compression));
  }

  /** A piece, whose packed bytes begin there. Packing it took its time. */
  async #added(from: number): Promise<void> {
    if (this.#pacer.tired) await this.#pacer.rest();
    const { memory, length } = this.#pending;
    this.#crc = joinedCrc(this.#crc, await checksum(memory, from, length, this.#pacer));
  }

  /** So many pieces of another block, whose checksum is `crc`. */
  copied(bytes: Uint8Array, from: number, to: number, pieces: number, crc: number): void {
    for (let i = 0; i < pieces; i++) this.#crc = Math.imul(this.#crc, 31);
    this.#crc = (this.#crc + crc) >>> 0;
    this.#pending.part(bytes, from, to);
  }

  /** To be asked before `rest`. */
  get isDue(): boolean {
    return this.#pending.length >= WRITE_BYTES || this.#pacer.tired;
  }

  /** Writes what has come together, or pauses, where it is time to. */
  async rest(): Promise<void> {
    if (this.#pending.length >= WRITE_BYTES) await this.#flush();
    else await this.#pacer.rest();
  }

  async #flush(): Promise<void> {
    const bytes = this.#pending.view();
    await this.#pacer.outside(this.#file.write(bytes));
    this.#offset += bytes.length;
    this.#pending.clear();
  }

  async finish(range: BlockRange): Promise<Block> {
    const { tier, fromMs, toMs } = range;
    this.begin();
    await this.chunks(await this.#names());
    const table = { offset: this.#from, length: this.#at - this.#from, crc: this.#crc };
    const indexOffset = this.#at;
    const index = this.#index.bytes;
    this.#pending.bytes(index);
    const indexCrc = await checksum(index, 0, index.length, this.#pacer);
    const footer = new ByteWriter(FOOTER_BYTES);
    for (const value of [
      MAGIC,
      FORMAT_VERSION,
      tier === 'seconds' ? 1 : 2,
      fromMs / MINUTE_MS,
      toMs / MINUTE_MS,
      table.offset,
      table.length,
      table.crc,
      indexOffset,
      this.#index.count,
      indexCrc,
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
    const parts = { range, bytes: this.#offset, index: index.slice(), table, compression: this.#compression };
    return new Block(this.#folder, this.#name, parts);
  }

  async #names(): Promise<Uint8Array> {
    const names = new ByteWriter(PIECE_BYTES);
    for (let at = 0; at < this.#keys.length; at += NAMES_AT_ONCE) {
      const some = this.#keys.slice(at, at + NAMES_AT_ONCE).join('\n');
      names.bytes(text.encode(at === 0 ? some : `\n${some}`));
      if (this.#pacer.tired) await this.#pacer.rest();
    }
    return names.view();
  }

  /** Gives up; leaves nothing behind where the disk still obeys. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await this.#folder.remove(`${this.#name}.part`).catch(() => {});
  }
}
