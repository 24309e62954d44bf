// Plain deflate through `node:zlib`, which Bun, Deno and Node all have.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Compression } from './port.ts';

export const compression: Compression = {
  deflate: (bytes) => plain(deflateRawSync(bytes)),
  inflate: (bytes, maxBytes) => plain(inflateRawSync(bytes, { maxOutputLength: maxBytes })),
};

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
