// The minutes of the open hour on disk, appended and synced one by one: what a kill leaves is read again at the next start.
import type { DataFolder, FileAppender } from '../../hosts/port.ts';
import { FORMAT_VERSION } from './block.ts';
import { ByteWriter, crc32 } from './bytes.ts';
import { checksum } from './checksum.ts';
import type { Pacer } from './pacer.ts';

export const MAGIC = 0x4a585953;
export const HEAD_BYTES = 8;
export const FRAME_BYTES = 8;
/** A record that has so many is ended; a long chunk makes it longer. */
const RECORD_BYTES = 1024;
/** Written at once. */
const WRITE_BYTES = 32_768;
const text = new TextEncoder();
export const SERIES = 1;
const CHUNKS = 2;

export class Journal {
  readonly name: string;
  readonly folder: DataFolder;
  readonly #file: FileAppender;
  readonly #record = new ByteWriter(RECORD_BYTES + 1024);
  readonly #frames = new ByteWriter(WRITE_BYTES + 2 * RECORD_BYTES);
  readonly #numbers = new Map<string, number>();
  /** Bytes that the file has. */
  #written = 0;

  private constructor(folder: DataFolder, name: string, file: FileAppender) {
    this.folder = folder;
    this.name = name;
    this.#file = file;
  }

  static async create(folder: DataFolder, name: string): Promise<Journal> {
    const file = await folder.append(name);
    const head = new ByteWriter(HEAD_BYTES);
    head.u32(MAGIC);
    head.u32(FORMAT_VERSION);
    try {
      await file.write(head.view());
    } catch (error) {
      await file.close().catch(() => {});
      await folder.remove(name).catch(() => {});
      throw error;
    }
    const journal = new Journal(folder, name, file);
    journal.#written = head.length;
    return journal;
  }

  /** Adds a part of these bytes, chunks of seconds; returns where in the file they will be. To be followed by `endRecord` where that `isFull`. */
  add(key: string, bytes: Uint8Array, from: number, to: number): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(key, number);
      this.#close();
      this.#record.byte(SERIES);
      this.#record.bytes(text.encode(key));
      this.#close();
    }
    if (this.#record.length === 0) this.#record.byte(CHUNKS);
    this.#record.varint(number);
    this.#record.varint(to - from);
    const offset = this.#written + this.#frames.length + FRAME_BYTES + this.#record.length;
    this.#record.part(bytes, from, to);
    return offset;
  }

  /** Bytes that its file must have. */
  get length(): number {
    return this.#written;
  }

  /** Time to `write`. */
  get isDue(): boolean {
    return this.#frames.length >= WRITE_BYTES;
  }

  /** Time to `endRecord`. */
  get isFull(): boolean {
    return this.#record.length >= RECORD_BYTES;
  }

  async endRecord(pacer: Pacer): Promise<void> {
    this.#frame(await checksum(this.#record.memory, 0, this.#record.length, pacer));
  }

  /** Ends a short record, where there is one. */
  #close(): void {
    if (this.#record.length > 0) this.#frame(crc32(this.#record.memory, 0, this.#record.length));
  }

  #frame(crc: number): void {
    const { memory, length } = this.#record;
    this.#frames.u32(length);
    this.#frames.u32(crc);
    this.#frames.part(memory, 0, length);
    this.#record.clear();
  }

  async write(): Promise<void> {
    this.#close();
    const bytes = this.#frames.view();
    if (bytes.length > 0) await this.#file.write(bytes);
    this.#written += bytes.length;
    this.#frames.clear();
  }

  async sync(): Promise<void> {
    await this.write();
    await this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
