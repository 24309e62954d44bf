// G.711: PCM16 to mu-law and A-law bytes and back, by arithmetic (ITU-T G.711, tables 1a to 2b, at 16 bits).

/** What mu-law adds before it takes the exponent: 33 of 14 bits. */
const BIAS: i32 = 132;
/** Larger magnitudes would overflow the last segment. */
const MU_CLIP: i32 = 32635;

/** `law`: 0 mu, 1 A. Bytes from `from`, samples to `to`. */
export function decodeG711(law: i32, from: usize, to: usize, samples: i32): void {
  for (let i = 0; i < samples; i++) {
    const byte = <i32>load<u8>(from + <usize>i);
    store<i16>(to + (<usize>i << 1), <i16>(law == 0 ? fromMu(byte) : fromA(byte)));
  }
}

export function encodeG711(law: i32, from: usize, to: usize, samples: i32): void {
  for (let i = 0; i < samples; i++) {
    const sample = <i32>load<i16>(from + (<usize>i << 1));
    store<u8>(to + <usize>i, <u8>(law == 0 ? toMu(sample) : toA(sample)));
  }
}

// @ts-ignore: decorator
@inline
function fromMu(byte: i32): i32 {
  const code = ~byte;
  const magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code & 0x70) >> 4)) - BIAS;
  return (code & 0x80) != 0 ? -magnitude : magnitude;
}

// @ts-ignore: decorator
@inline
function fromA(byte: i32): i32 {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment == 0 ? step : (step + 0x100) << (segment - 1);
  return (code & 0x80) != 0 ? magnitude : -magnitude;
}

// @ts-ignore: decorator
@inline
function toMu(sample: i32): i32 {
  const magnitude = min(abs(sample), MU_CLIP) + BIAS;
  const segment = 24 - clz<i32>(magnitude);
  const code = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f);
  return ~((sample < 0 ? 0x80 : 0) | code) & 0xff;
}

// @ts-ignore: decorator
@inline
function toA(sample: i32): i32 {
  // One's complement: -1 is the first step below zero, as 0 is the first above.
  const magnitude = sample < 0 ? ~sample : sample;
  const segment = max(0, 24 - clz<i32>(magnitude | 1));
  const code = (segment << 4) | ((magnitude >> (segment == 0 ? 4 : segment + 3)) & 0x0f);
  return ((sample < 0 ? 0 : 0x80) | code) ^ 0x55;
}
