// A layer: sums of the rows in i32, then scaled, biased and held to `lowest` in f32.
import { SUMS } from './layout';
import { sumRows } from './sums';

/** `to[r] = max(lowest, sum * scales[r] * step + added[r])` for `rows` rows; the rest as `sumRows` takes it. Returns the largest result. */
export function product(
  weights: usize,
  stride: usize,
  input: usize,
  pairs: usize,
  rows: usize,
  scales: usize,
  step: f32,
  added: usize,
  lowest: f32,
  to: usize,
): f32 {
  sumRows(weights, stride, input, pairs, rows, SUMS);
  const factor = f32x4.splat(step);
  const least = f32x4.splat(lowest);
  let largest = least;
  for (let at: usize = 0; at < rows << 2; at += 16) {
    const scale = f32x4.mul(v128.load(scales + at), factor);
    const result = atLeast(least, f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v128.load(SUMS + at)), scale), v128.load(added + at)));
    v128.store(to + at, result);
    largest = atLeast(largest, result);
  }
  return largestLane(largest);
}

/** The larger of each lane. Nothing here is ever NaN, and `pmax` is one instruction where `max` is eight. */
// @ts-ignore: decorator
@inline
export function atLeast(least: v128, x: v128): v128 {
  return f32x4.pmax(least, x);
}

// @ts-ignore: decorator
@inline
export function largestLane(x: v128): f32 {
  const a = atLeast(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(atLeast(a, v128.shuffle<f32>(a, a, 1, 0, 3, 2)), 0);
}
