// A folder that is only read: what is written, renamed or removed changes a copy in memory, so that the store may tidy up as it always does.
import type { DataFolder, FolderReader } from '../../hosts/port.ts';
import { MemoryFolder } from './memory-folder.ts';

export function overlayFolder(below: FolderReader): DataFolder {
  const above = new MemoryFolder();
  const gone = new Set<string>();
  const isAbove = async (name: string) => (await above.list()).includes(name);
  const lift = async (name: string): Promise<void> => {
    if ((await isAbove(name)) || gone.has(name)) return;
    const bytes = await below.read(name);
    if (bytes !== undefined) await above.replace(name, bytes);
  };
  return {
    path: below.path,
    async list() {
      const names = (await below.list()).filter((name) => !gone.has(name));
      return [...new Set([...names, ...(await above.list())])].sort();
    },
    read: async (name) => (await above.read(name)) ?? (gone.has(name) ? undefined : await below.read(name)),
    readAt: async (name, offset, length) =>
      (await isAbove(name)) || gone.has(name)
        ? await above.readAt(name, offset, length)
        : await below.readAt(name, offset, length),
    size: async (name) => ((await isAbove(name)) || gone.has(name) ? await above.size(name) : await below.size(name)),
    async append(name) {
      await lift(name);
      return await above.append(name);
    },
    replace: (name, bytes) => above.replace(name, bytes),
    async rename(name, to) {
      await lift(name);
      gone.add(name);
      await above.rename(name, to);
    },
    async remove(name) {
      gone.add(name);
      if (await isAbove(name)) await above.remove(name);
    },
    release: async () => {},
  };
}
