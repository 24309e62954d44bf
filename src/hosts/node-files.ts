// Files through `node:fs`, which Bun, Deno and Node all have.
import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { Files, FileWriter } from './port.ts';

export function createFiles(): Files {
  return {
    // A copy into a plain array: Node's Buffer may be a view of a pool.
    read: async (path) => new Uint8Array(await readFile(path)),
    write: (path, bytes) => writeFile(path, bytes),
    open: openWriter,
    exists: (path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
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
