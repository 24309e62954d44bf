// Files in memory, for hosts without a disk and while a disk refuses: the same interface as a data folder.
import type { DataFolder } from '../../hosts/port.ts';

export class MemoryFolder implements DataFolder {
  readonly path = 'memory';
  readonly #files = new Map<string, Uint8Array>();

  get totalBytes(): number {
    let total = 0;
    for (const bytes of this.#files.values()) total += bytes.length;
    return total;
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()].sort();
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.#files.get(name);
  }

  async readAt(name: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#existing(name).subarray(offset, offset + length);
  }

  async size(name: string): Promise<number> {
    return this.#existing(name).length;
  }

  async append(name: string) {
    const parts = [this.#files.get(name) ?? new Uint8Array(0)];
    const join = () => {
      const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        joined.set(part, at);
        at += part.length;
      }
      parts.splice(0, parts.length, joined);
      this.#files.set(name, joined);
    };
    return {
      write: async (bytes: Uint8Array) => void parts.push(bytes.slice()),
      sync: async () => join(),
      close: async () => join(),
    };
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, bytes.slice());
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

  #existing(name: string): Uint8Array {
    const bytes = this.#files.get(name);
    if (bytes === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT', path: name });
    return bytes;
  }
}
