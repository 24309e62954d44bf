// Checksums of many bytes in slices: a chunk of a busy histogram has some ten kilobytes, and engines have the loop over them unoptimized now and then.
import { crc32 } from './bytes.ts';
import type { Pacer } from './pacer.ts';

/** Checked at once. */
const CHECKED_BYTES = 1024;

/** `crc32`, of many bytes with rests. A promise only then: most chunks are short, and an hour has some ten thousand of them. */
export function checksum(bytes: Uint8Array, from: number, to: number, pacer: Pacer): number | Promise<number> {
  return to - from > CHECKED_BYTES ? inSlices(bytes, from, to, pacer) : crc32(bytes, from, to);
}

async function inSlices(bytes: Uint8Array, from: number, to: number, pacer: Pacer): Promise<number> {
  let crc = 0;
  for (let at = from; at < to; at += CHECKED_BYTES) {
    crc = crc32(bytes, at, Math.min(to, at + CHECKED_BYTES), crc);
    if (pacer.tired) await pacer.rest();
  }
  return crc;
}
