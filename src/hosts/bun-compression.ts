// Deflate by Bun itself: `node:zlib` makes a stream for each call, kilobytes of garbage for a piece of a hundred bytes.
import type { Compression } from './port.ts';

const RAW = { windowBits: -15, library: 'libdeflate' } as const;

export const compression: Compression = {
  deflate(bytes, into) {
    const small = Bun.deflateSync(owned(bytes), { ...RAW, level: 6 });
    into.set(small);
    return small.length;
  },
  inflate(bytes, maxBytes) {
    const whole = Bun.inflateSync(owned(bytes), RAW);
    if (whole.length > maxBytes) throw new RangeError(`${whole.length} bytes where at most ${maxBytes} were expected`);
    return whole;
  },
};

/** Bun's types want to know that nobody shares the memory; nobody does. */
const owned = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;
