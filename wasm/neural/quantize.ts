// From f32 to i16 for the products: one scale for all inputs of a layer in a window, so that the largest becomes `LARGEST`; each pair of
// inputs fills a vector, as `sums.ts` wants it.
import { ROUNDER } from './constants';

/** The build holds the weights of every row to what this leaves of an i32 (`scripts/build-neural.ts`). */
export const LARGEST: f32 = 16383;

/** Factor that brings `largest` to `LARGEST`; 0 when there is nothing. */
// @ts-ignore: decorator
@inline
export function factorFor(largest: f32): f32 {
  // Below this the factor would overflow; no sound that PCM16 can hold gives so little.
  return largest > 1e-30 ? LARGEST / largest : 0;
}

/** Whole numbers, halves to even. */
// @ts-ignore: decorator
@inline
export function toI32(x: v128, factor: v128, rounder: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, factor), rounder), rounder);
}

/** `count` values, a multiple of eight. */
export function quantize(from: usize, count: usize, factor: f32, to: usize): void {
  const by = f32x4.splat(factor);
  const rounder = v128.load(ROUNDER);
  for (let i: usize = 0; i < count; i += 8) {
    const pairs = i16x8.narrow_i32x4_s(toI32(v128.load(from), by, rounder), toI32(v128.load(from, 16), by, rounder));
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 0, 0, 0, 0));
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 1, 1, 1, 1), 16);
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 2, 2, 2, 2), 32);
    v128.store(to, v128.shuffle<i32>(pairs, pairs, 3, 3, 3, 3), 48);
    from += 32;
    to += 64;
  }
}
