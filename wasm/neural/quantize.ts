// From f32 to i16 for the products: one scale for all inputs of a layer in a window, so that the largest becomes `LARGEST`.
import { CONV1_INPUT, MAGNITUDES, PADDED_BINS } from './layout';

/** The build holds the weights of every row to what this leaves of an i32 (`scripts/build-neural.ts`). */
export const LARGEST: f32 = 16383;

/** Factor that brings `largest` to `LARGEST`; 0 when there is nothing. */
// @ts-ignore: decorator
@inline
export function factorFor(largest: f32): f32 {
  // Below this the factor would overflow; no sound that PCM16 can hold gives so little.
  return largest > 1e-30 ? LARGEST / largest : 0;
}

// @ts-ignore: decorator
@inline
function toI32(x: v128, factor: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, factor)));
}

/** `count` values, a multiple of eight. */
export function quantize(from: usize, count: usize, factor: f32, to: usize): void {
  const by = f32x4.splat(factor);
  for (let i: usize = 0; i < count; i += 8) {
    const low = toI32(v128.load(from + (i << 2)), by);
    const high = toI32(v128.load(from + (i << 2), 16), by);
    v128.store(to + (i << 1), i16x8.narrow_i32x4_s(low, high));
  }
}

/** The magnitudes, a frame a lane, to four rows of bins. */
export function quantizeMagnitudes(factor: f32): void {
  const by = f32x4.splat(factor);
  const row: usize = <usize>PADDED_BINS * 2;
  for (let k: usize = 0; k < <usize>PADDED_BINS; k += 8) {
    const at = MAGNITUDES + (k << 4);
    const a = i16x8.narrow_i32x4_s(toI32(v128.load(at), by), toI32(v128.load(at, 16), by));
    const b = i16x8.narrow_i32x4_s(toI32(v128.load(at, 32), by), toI32(v128.load(at, 48), by));
    const c = i16x8.narrow_i32x4_s(toI32(v128.load(at, 64), by), toI32(v128.load(at, 80), by));
    const d = i16x8.narrow_i32x4_s(toI32(v128.load(at, 96), by), toI32(v128.load(at, 112), by));
    const firstLow = v128.shuffle<i16>(a, b, 0, 4, 8, 12, 1, 5, 9, 13);
    const firstHigh = v128.shuffle<i16>(a, b, 2, 6, 10, 14, 3, 7, 11, 15);
    const secondLow = v128.shuffle<i16>(c, d, 0, 4, 8, 12, 1, 5, 9, 13);
    const secondHigh = v128.shuffle<i16>(c, d, 2, 6, 10, 14, 3, 7, 11, 15);
    const to = CONV1_INPUT + (k << 1);
    v128.store(to, v128.shuffle<i64>(firstLow, secondLow, 0, 2));
    v128.store(to + row, v128.shuffle<i64>(firstLow, secondLow, 1, 3));
    v128.store(to + 2 * row, v128.shuffle<i64>(firstHigh, secondHigh, 0, 2));
    v128.store(to + 3 * row, v128.shuffle<i64>(firstHigh, secondHigh, 1, 3));
  }
}
