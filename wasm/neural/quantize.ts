// From f32 to i16 for the products: one scale for all inputs of a layer in a window, so that the largest becomes `LARGEST`; each pair of
// inputs fills a vector, as `sums.ts` wants it.

/** The build holds the weights of every row to what this leaves of an i32 (`scripts/build-neural.ts`). */
export const LARGEST: f32 = 16383;
/** 1.5 * 2^23: what is added to it is rounded to whole, halves to even, and lies in the low bits. Two instructions for ten. */
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

/** Factor that brings `largest` to `LARGEST`; 0 when there is nothing. */
// @ts-ignore: decorator
@inline
export function factorFor(largest: f32): f32 {
  // Below this the factor would overflow; no sound that PCM16 can hold gives so little.
  return largest > 1e-30 ? LARGEST / largest : 0;
}

/** In the low 16 bits the whole number. */
// @ts-ignore: decorator
@inline
export function rounded(x: v128, factor: v128): v128 {
  return f32x4.add(f32x4.mul(x, factor), f32x4.splat(ROUNDER));
}

// @ts-ignore: decorator
@inline
function toI32(x: v128, factor: v128): v128 {
  return i32x4.sub(rounded(x, factor), i32x4.splat(ROUNDER_BITS));
}

/** `count` values, a multiple of eight. */
export function quantize(from: usize, count: usize, factor: f32, to: usize): void {
  const by = f32x4.splat(factor);
  for (let i: usize = 0; i < count; i += 8) {
    const pairs = i16x8.narrow_i32x4_s(toI32(v128.load(from), by), toI32(v128.load(from, 16), by));
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 0, 0, 0, 0));
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 1, 1, 1, 1), 16);
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 2, 2, 2, 2), 32);
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 3, 3, 3, 3), 48);
    from += 32;
    to += 64;
  }
}
