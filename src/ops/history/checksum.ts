// Checksums of many bytes in slices: a chunk of a busy histogram has some ten kilobytes, and engines have the loop over them unoptimized now and then.
import { crc32 } from './bytes.ts';
import type { Pacer } from './pacer.ts';

/** Checked at once. */
export const CHECKED_BYTES = 1024;

/** `crc32`, with rests. For few bytes `crc32` itself is right: this one makes promises. */
export async function checksum(bytes: Uint8Array, from: number, to: number, pacer: Pacer): Promise<number> {
  let crc = 0;
  for (let at = from; at < to; at += CHECKED_BYTES) {
    crc = crc32(bytes, at, Math.min(to, at + CHECKED_BYTES), crc);
    if (pacer.tired) await pacer.rest();
  }
  return crc;
}
