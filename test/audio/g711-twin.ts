// G.711 as its tables say it: the value of each code and the decision values between codes, built segment by segment.

/** Values of the 256 codes at 16 bits. Mu-law: 8 segments, steps of 8 << s, from 0; A-law: steps of 16, 16, 32, ... */
export function decodeTable(law: 'mu' | 'a'): Int16Array {
  const values = new Int16Array(256);
  for (let segment = 0; segment < 8; segment++) {
    for (let step = 0; step < 16; step++) {
      const code = (segment << 4) | step;
      if (law === 'mu') {
        // Table 2a: decision values 2^(s+5) - 33 of 14 bits, in the middle of a step of 2^(s+1).
        const value = 4 * ((33 + 2 * step) * 2 ** segment - 33);
        values[0xff - code] = value;
        values[0x7f - code] = -value;
      } else {
        // Table 1a: the first two segments have the same steps, of 2 in 13 bits.
        const value = segment === 0 ? 16 * step + 8 : 2 ** (segment - 1) * (16 * step + 8 + 256);
        values[(0x80 | code) ^ 0x55] = value;
        values[code ^ 0x55] = -value;
      }
    }
  }
  return values;
}

/** Decision values of 16 bits: the least magnitude of each of the 128 codes of one sign. */
export function decisionTable(law: 'mu' | 'a'): Int32Array {
  return Int32Array.from({ length: 128 }, (_, code) => {
    const segment = code >> 4;
    const step = code & 15;
    if (law === 'mu') return Math.max(0, 4 * ((32 + 2 * step) * 2 ** segment - 33));
    return segment === 0 ? 16 * step : 2 ** (segment - 1) * (256 + 16 * step);
  });
}
