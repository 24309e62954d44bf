// G.711: PCM16 to mu-law and A-law bytes and back, by arithmetic (ITU-T G.711, tables 1a to 2b, at 16 bits), eight samples at a time.
//
// A code is a tiny floating-point number: three bits of exponent, four of mantissa. So a float32 has its bits already.

/** What mu-law adds before it takes the exponent: 33 of 14 bits. */
const BIAS: i16 = 132;
/** Larger magnitudes would overflow the last segment. */
const MU_CLIP: i16 = 32635;
/** Exponent of the lowest segment (128 to 255) where float32 keeps it, four bits of mantissa below. */
const LOWEST: i32 = 134 << 4;

/** `law`: 0 mu, 1 A. Bytes from `from`, samples to `to`; up to seven bytes and samples behind the last are read and written as well. */
export function decodeG711(law: i32, from: usize, to: usize, samples: i32): void {
  for (let i = 0; i < samples; i += 8) {
    const bytes = v128.load64_zero(from + <usize>i);
    v128.store(to + (<usize>i << 1), law == 0 ? fromMu(bytes) : fromA(bytes));
  }
}

export function encodeG711(law: i32, from: usize, to: usize, samples: i32): void {
  for (let i = 0; i < samples; i += 8) {
    const pcm = v128.load(from + (<usize>i << 1));
    const codes = law == 0 ? toMu(pcm) : toA(pcm);
    v128.store64_lane(to + <usize>i, i8x16.narrow_i16x8_u(codes, codes), 0);
  }
}

/** 2^segment of each byte. */
// @ts-ignore: decorator
@inline
function powers(segments: v128): v128 {
  return i16x8.extend_low_i8x16_u(i8x16.swizzle(i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0), segments));
}

// @ts-ignore: decorator
@inline
function fromMu(bytes: v128): v128 {
  const code = v128.not(bytes);
  const power = powers(v128.and(i8x16.shr_u(code, 4), i8x16.splat(7)));
  const steps = i16x8.shl(i16x8.extend_low_i8x16_u(v128.and(code, i8x16.splat(15))), 3);
  const bias = i16x8.splat(BIAS);
  const magnitude = i16x8.sub(i16x8.mul(i16x8.add(steps, bias), power), bias);
  return withSign(magnitude, i16x8.shr_s(i16x8.extend_low_i8x16_s(code), 15));
}

// @ts-ignore: decorator
@inline
function fromA(bytes: v128): v128 {
  const code = v128.xor(bytes, i8x16.splat(0x55));
  const segment = v128.and(i8x16.shr_u(code, 4), i8x16.splat(7));
  // Segments 0 and 1 have the same steps; from 1 on there is a leading one.
  const power = powers(i8x16.sub_sat_u(segment, i8x16.splat(1)));
  const leading = v128.and(i16x8.gt_s(i16x8.extend_low_i8x16_u(segment), i16x8.splat(0)), i16x8.splat(0x100));
  const steps = i16x8.add(i16x8.shl(i16x8.extend_low_i8x16_u(v128.and(code, i8x16.splat(15))), 4), i16x8.splat(8));
  const magnitude = i16x8.mul(i16x8.add(steps, leading), power);
  return withSign(magnitude, v128.not(i16x8.shr_s(i16x8.extend_low_i8x16_s(code), 15)));
}

/** Negative where `negative` is all ones. */
// @ts-ignore: decorator
@inline
function withSign(magnitude: v128, negative: v128): v128 {
  return i16x8.sub(v128.xor(magnitude, negative), negative);
}

/** Segment and step of magnitudes from 128 on. */
// @ts-ignore: decorator
@inline
function floatCode(magnitude: v128): v128 {
  const lowest = i32x4.splat(LOWEST);
  const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(magnitude));
  const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(magnitude));
  return i16x8.narrow_i32x4_s(i32x4.sub(i32x4.shr_u(low, 19), lowest), i32x4.sub(i32x4.shr_u(high, 19), lowest));
}

// @ts-ignore: decorator
@inline
function toMu(pcm: v128): v128 {
  const negative = i16x8.shr_s(pcm, 15);
  const size = i16x8.min_s(i16x8.max_s(pcm, i16x8.sub_sat_s(i16x8.splat(0), pcm)), i16x8.splat(MU_CLIP));
  const code = floatCode(i16x8.add(size, i16x8.splat(BIAS)));
  const sign = v128.and(negative, i16x8.splat(0x80));
  return v128.xor(v128.or(code, sign), i16x8.splat(0xff));
}

// @ts-ignore: decorator
@inline
function toA(pcm: v128): v128 {
  const negative = i16x8.shr_s(pcm, 15);
  // One's complement: -1 is the first step below zero, as 0 is the first above.
  const size = v128.xor(pcm, negative);
  const small = i16x8.lt_s(size, i16x8.splat(256));
  const code = v128.bitselect(i16x8.shr_u(size, 4), floatCode(i16x8.max_s(size, i16x8.splat(128))), small);
  const sign = v128.andnot(i16x8.splat(0x80), negative);
  return v128.xor(v128.or(code, sign), i16x8.splat(0x55));
}
