// A folder that could not be opened at the start: what it holds is read all the same, and each write tries to open it again.
import type { DataFolder, FolderReader } from '../../hosts/port.ts';

export interface LateFolderOptions {
  readonly path: string;
  open(): Promise<DataFolder>;
  read(): Promise<FolderReader>;
}

export function lateFolder({ path, open, read }: LateFolderOptions): DataFolder {
  let opened: DataFolder | undefined;
  /** What was read of each file before the folder was ours. */
  const seen = new Map<string, Uint8Array | undefined>();
  let isReleased = false;

  async function whole(): Promise<DataFolder> {
    if (opened !== undefined) return opened;
    if (isReleased) throw new Error(`${path} was let go`);
    const folder = await open();
    for (const [name, bytes] of seen) {
      if (isSame(bytes, await folder.read(name))) continue;
      await folder.release();
      throw Object.assign(new Error(`${path} was written by another process meanwhile`), { code: 'EBUSY', path });
    }
    opened = folder;
    return folder;
  }
  /** Where there is no folder yet, there is nothing in it. */
  const reader = async (): Promise<FolderReader | undefined> => {
    if (opened !== undefined) return opened;
    try {
      return await read();
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  return {
    path,
    list: async () => (await (await reader())?.list()) ?? [],
    async read(name) {
      const bytes = await (await reader())?.read(name);
      if (opened === undefined) seen.set(name, bytes);
      return bytes;
    },
    readAt: async (name, offset, length) => (await whole()).readAt(name, offset, length),
    size: async (name) => (await whole()).size(name),
    append: async (name) => (await whole()).append(name),
    replace: async (name, bytes) => (await whole()).replace(name, bytes),
    rename: async (name, to) => (await whole()).rename(name, to),
    remove: async (name) => (await whole()).remove(name),
    async release() {
      isReleased = true;
      await opened?.release();
    },
  };
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
