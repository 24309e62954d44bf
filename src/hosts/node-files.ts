// Files through `node:fs`, which Bun, Deno and Node all have.
import { closeSync, openSync, writeSync } from 'node:fs';
import { open, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import type { Files, FileWriter } from './port.ts';

export function createFiles(): Files {
  return {
    // A copy into a plain array: Node's Buffer may be a view of a pool.
    read: async (path) => new Uint8Array(await readFile(path).catch(namingPath(path))),
    write: (path, bytes) => writeFile(path, bytes).catch(namingPath(path)),
    checkWritable: (path) => checkWritable(path).catch(namingPath(path)),
    open: openWriter,
    exists,
  };
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Opening is the only question that every file system answers truly; to append changes nothing. */
async function checkWritable(path: string): Promise<void> {
  const existed = await exists(path);
  await (await open(path, 'a')).close();
  if (!existed) await unlink(path);
}

/** An error that comes while an open file is used does not say which one. */
function namingPath(path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error && !('path' in error && error.path)) Object.assign(error, { path });
    throw error;
  };
}

function openWriter(path: string): FileWriter {
  let descriptor: number | null = openSync(path, 'w');
  return {
    write(bytes) {
      if (descriptor === null) throw new Error(`Cannot write to "${path}": it is closed`);
      for (let offset = 0; offset < bytes.length; )
        offset += writeSync(descriptor, bytes, offset, bytes.length - offset);
    },
    close() {
      if (descriptor === null) return;
      closeSync(descriptor);
      descriptor = null;
    },
  };
}
