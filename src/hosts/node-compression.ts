// Plain deflate through `node:zlib`, which Bun, Deno and Node all have.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Compression } from './port.ts';

export const compression: Compression = {
  deflate: (bytes) => plain(deflateRawSync(bytes, room(bytes.length))),
  inflate: (bytes, maxBytes) =>
    plain(inflateRawSync(bytes, { maxOutputLength: maxBytes, chunkSize: Math.min(CHUNK, Math.max(64, maxBytes)) })),
};

/** What zlib takes for its output at once. */
const CHUNK = 16_384;

/** Tables as large as the input can fill: by default zlib clears 256 KB for each call, however little it is given. */
function room(length: number) {
  const windowBits = Math.min(15, Math.max(10, Math.ceil(Math.log2(length + 1))));
  return { windowBits, memLevel: Math.min(8, windowBits - 6), chunkSize: Math.min(CHUNK, length + 64) };
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
