// Sigmoid and tanh, four at a time, from + - * / alone: the same bits on every host.

/** 1.5 * 2^23: what is added to it is rounded to whole, halves to even, and lies in the low bits. */
const ROUNDER: f32 = 12582912;

/** exp(x) for -80 <= x <= 80: 2^n times a polynomial of degree six on [-ln 2 / 2, ln 2 / 2]. */
// @ts-ignore: decorator
@inline
function exp(x: v128): v128 {
  const rounded = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(ROUNDER));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDER));
  // ln 2 in two parts, the first with few bits, so that n times it is exact.
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(<f32>(1.0 / 720.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 120.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 24.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 6.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0));
  // n in the exponent of 1; the shift leaves nothing of the rounder.
  const power = i32x4.add(i32x4.shl(rounded, 23), f32x4.splat(1));
  return f32x4.mul(p, power);
}

/** exp(-x), x held to -30..30: beyond, sigmoid and tanh are 0 or 1 to f32. No x is NaN. */
// @ts-ignore: decorator
@inline
function expOfNegative(x: v128): v128 {
  return exp(f32x4.pmax(f32x4.splat(-30), f32x4.pmin(f32x4.splat(30), f32x4.neg(x))));
}

// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, expOfNegative(x)));
}

/** sigmoid(x) * tanh(y), with one division for both. */
// @ts-ignore: decorator
@inline
export function sigmoidTimesTanh(x: v128, y: v128): v128 {
  const one = f32x4.splat(1);
  const ofY = expOfNegative(f32x4.add(y, y));
  const ofX = expOfNegative(x);
  return f32x4.div(f32x4.sub(one, ofY), f32x4.mul(f32x4.add(one, ofX), f32x4.add(one, ofY)));
}
