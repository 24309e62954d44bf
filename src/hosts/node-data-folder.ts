// A folder for what must survive the process, through `node:fs`: locked, appended to, synced, replaced at once.
import { close as closeFile, open as openFile, read as readFrom } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from './node-lock.ts';
import type { DataFolder, FileAppender, FolderReader } from './port.ts';

const LOCK = '.lock';

/** Syncs of this process, one at a time: what blocks is done on a few threads (Bun has two on two cores), and calls need them to look up names while a disk is slow. */
let lastSync = Promise.resolve();

function inTurn(sync: () => Promise<void>): Promise<void> {
  const turn = lastSync.then(sync);
  lastSync = turn.catch(() => {});
  return turn;
}

export async function openDataFolder(path: string): Promise<DataFolder> {
  await mkdir(path, { recursive: true });
  const lock = await takeLock(join(path, LOCK));
  const own = (name: string): string => {
    if (!lock.held)
      throw Object.assign(new Error(`${path} was taken over by another process`), { code: 'EBUSY', path });
    return fileIn(path, name);
  };
  return {
    ...reader(path, own),
    append: async (name) => openAppender(own(name), () => lock.held),
    async replace(name, bytes) {
      const target = own(name);
      const fresh = `${target}.new`;
      const handle = await open(fresh, 'w');
      try {
        await handle.writeFile(bytes);
        await inTurn(() => handle.sync());
      } finally {
        await handle.close();
      }
      await rename(fresh, target);
      await syncFolder(path);
    },
    async rename(name, to) {
      await rename(own(name), own(to));
      await syncFolder(path);
    },
    remove: async (name) => unlink(own(name)),
    release: () => lock.release(),
  };
}

/** Rejects where there is no folder, or none that may be read. */
export async function readFolder(path: string): Promise<FolderReader> {
  await readdir(path);
  return reader(path, (name) => fileIn(path, name));
}

function reader(path: string, fileOf: (name: string) => string): FolderReader {
  return {
    path,
    async list() {
      return (await readdir(path)).filter((name) => !name.startsWith(LOCK)).sort();
    },
    async read(name) {
      try {
        return new Uint8Array(await readFile(fileOf(name)));
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    readAt: async (name, offset, length, into) => readAt(fileOf(name), offset, length, into),
    size: async (name) => (await stat(fileOf(name))).size,
  };
}

function fileIn(path: string, name: string): string {
  if (!/^[\w-][\w.-]*$/.test(name)) throw new RangeError(`Not a name for a file: ${name}`);
  return join(path, name);
}

/** By descriptors: the handles of `node:fs/promises` cost three times as much garbage, and an hour's journals are read a thousand times. */
function readAt(path: string, offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
  return new Promise((done, fail) => {
    // Before any callback: where there is no room for it, that must reject, not end the process.
    const bytes = into !== undefined && into.length >= length ? into : new Uint8Array(length);
    openFile(path, 'r', (refused, file) => {
      if (refused !== null) return fail(refused);
      let filled = 0;
      const end = (failed: Error | null): void =>
        closeFile(file, (error) => {
          const reason = failed ?? error ?? null;
          if (reason === null) done(bytes.subarray(0, filled));
          else fail(reason);
        });
      const more = (): void =>
        readFrom(file, bytes, filled, length - filled, offset + filled, (error, count) => {
          if (error !== null) return end(error);
          filled += count;
          if (count === 0 || filled === length) end(null);
          else more();
        });
      more();
    });
  });
}

async function openAppender(path: string, held: () => boolean): Promise<FileAppender> {
  const handle = await open(path, 'a');
  return {
    async write(bytes) {
      if (!held()) throw Object.assign(new Error(`${path} belongs to another process now`), { code: 'EBUSY', path });
      for (let offset = 0; offset < bytes.length; ) {
        offset += (await handle.write(bytes, offset, bytes.length - offset)).bytesWritten;
      }
    },
    sync: () => inTurn(() => handle.datasync()),
    close: () => handle.close(),
  };
}

/** Where a file is, is written in its folder. Not every system lets a folder be synced. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    await inTurn(() => handle.sync());
    await handle.close();
  } catch {
    // Then its order of writing has to do.
  }
}
