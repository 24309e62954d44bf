// Plain deflate through `node:zlib`, which Bun, Deno and Node all have.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Compression } from './port.ts';

export const compression: Compression = {
  deflate(bytes, into) {
    const small = deflateRawSync(bytes, room(bytes.length));
    const { length } = small;
    into.set(small);
    // What zlib took for it is given back at once: collections come late for what is outside of the heap.
    if (small.buffer.byteLength === DEFLATE_CHUNK) (small.buffer as ArrayBuffer).transfer(0);
    return length;
  },
  inflate: (bytes, maxBytes) =>
    plain(
      inflateRawSync(bytes, { maxOutputLength: maxBytes, chunkSize: Math.min(INFLATE_CHUNK, Math.max(64, maxBytes)) }),
    ),
};

/** When the first of zlib's buffers is given back, V8 throws away all code that was optimized for typed arrays: better before there are calls. */
export function giveBackFirstBuffer(): void {
  compression.deflate(new Uint8Array(64), new Uint8Array(128));
}

/** What zlib takes for its output at once: more than hosts cut from memory that others share. */
const DEFLATE_CHUNK = 40_960;
const INFLATE_CHUNK = 16_384;

/** Tables as large as the input can fill: by default zlib clears 256 KB for each call, however little it is given. */
function room(length: number) {
  const windowBits = Math.min(15, Math.max(10, Math.ceil(Math.log2(length + 1))));
  return { windowBits, memLevel: Math.min(8, windowBits - 6), chunkSize: DEFLATE_CHUNK };
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
