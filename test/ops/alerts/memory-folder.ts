// A data folder in memory whose disk fails, fills and hangs when a test says so.
import type { DataFolder } from '../../../src/hosts/port.ts';

export interface MemoryFolder extends DataFolder {
  readonly files: Map<string, string>;
  /** What every write answers with; undefined: it works. */
  fault: { readonly code: string } | 'hangs' | undefined;
  /** Only syncs hang. */
  slow: boolean;
  /** Writes that were synced. */
  readonly synced: string[];
  /** Replaced files. */
  replaced: number;
  /** Lets go of what hangs. */
  resume(): void;
}

export function memoryFolder(files: Readonly<Record<string, string>> = {}): MemoryFolder {
  const stored = new Map(Object.entries(files));
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let hanging: (() => void)[] = [];
  const hang = (): Promise<void> => new Promise<void>((done) => hanging.push(done));
  const trouble = async (): Promise<void> => {
    if (folder.fault === undefined) return;
    if (folder.fault === 'hangs') return hang();
    const { code } = folder.fault;
    throw Object.assign(new Error(`${code}: the disk says no`), { code });
  };
  const folder: MemoryFolder = {
    path: '/data/alerts',
    files: stored,
    fault: undefined,
    slow: false,
    synced: [],
    replaced: 0,
    resume() {
      const waiting = hanging;
      hanging = [];
      folder.fault = undefined;
      folder.slow = false;
      for (const go of waiting) go();
    },
    list: async () => [...stored.keys()],
    read: async (name) => (stored.has(name) ? encoder.encode(stored.get(name)) : undefined),
    readAt: async (name, offset, length) => encoder.encode(stored.get(name)).slice(offset, offset + length),
    size: async (name) => encoder.encode(stored.get(name)).length,
    async append(name) {
      await trouble();
      let fresh = '';
      return {
        async write(bytes) {
          await trouble();
          fresh += decoder.decode(bytes);
          stored.set(name, (stored.get(name) ?? '') + decoder.decode(bytes));
        },
        async sync() {
          // What is written meanwhile is for the next one.
          const done = fresh;
          fresh = '';
          if (folder.slow) await hang();
          await trouble();
          folder.synced.push(done);
        },
        close: async () => {},
      };
    },
    async replace(name, bytes) {
      await trouble();
      folder.replaced++;
      stored.set(name, decoder.decode(bytes));
    },
    async rename(name, to) {
      stored.set(to, stored.get(name) ?? '');
      stored.delete(name);
    },
    remove: async (name) => void stored.delete(name),
    release: async () => {},
  };
  return folder;
}
