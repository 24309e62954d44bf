// Files in memory, for hosts without a disk and while a disk refuses: the same interface as a data folder.
import type { DataFolder, FileAppender } from '../../hosts/port.ts';

/** What was written to a file, part by part. */
interface Parts {
  readonly bytes: Uint8Array[];
  /** Where each of them begins. */
  readonly from: number[];
  length: number;
}

export class MemoryFolder implements DataFolder {
  readonly path = 'memory';
  readonly #files = new Map<string, Parts>();

  get totalBytes(): number {
    let total = 0;
    for (const { length } of this.#files.values()) total += length;
    return total;
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()].sort();
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const file = this.#files.get(name);
    return file === undefined ? undefined : bytesOf(file, 0, file.length);
  }

  async readAt(name: string, offset: number, length: number): Promise<Uint8Array> {
    return bytesOf(this.#existing(name), offset, length);
  }

  async size(name: string): Promise<number> {
    return this.#existing(name).length;
  }

  async append(name: string): Promise<FileAppender> {
    const file = this.#files.get(name) ?? { bytes: [], from: [], length: 0 };
    this.#files.set(name, file);
    return {
      async write(bytes) {
        file.bytes.push(bytes.slice());
        file.from.push(file.length);
        file.length += bytes.length;
      },
      sync: async () => {},
      close: async () => {},
    };
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, { bytes: [bytes.slice()], from: [0], length: bytes.length });
  }

  async rename(name: string, to: string): Promise<void> {
    this.#files.set(to, this.#existing(name));
    this.#files.delete(name);
  }

  async remove(name: string): Promise<void> {
    this.#existing(name);
    this.#files.delete(name);
  }

  async release(): Promise<void> {}

  #existing(name: string): Parts {
    const file = this.#files.get(name);
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT', path: name });
    return file;
  }
}

/** Fewer than `length` where the file ends. Not copied where one part has it all. */
function bytesOf({ bytes, from, length: end }: Parts, offset: number, length: number): Uint8Array {
  const to = Math.min(end, offset + length);
  if (offset >= to) return new Uint8Array(0);
  let part = partAt(from, offset);
  const first = bytes[part]!;
  const begin = offset - from[part]!;
  if (begin + to - offset <= first.length) return first.subarray(begin, begin + to - offset);
  const joined = new Uint8Array(to - offset);
  for (; part < bytes.length && from[part]! < to; part++) {
    const at = from[part]! - offset;
    const some = bytes[part]!.subarray(Math.max(0, -at), to - from[part]!);
    joined.set(some, Math.max(0, at));
  }
  return joined;
}

/** The last part that begins at `offset` or before. */
function partAt(from: readonly number[], offset: number): number {
  let low = 0;
  let high = from.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (from[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
