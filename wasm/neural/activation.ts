// Sigmoid and tanh, four at a time, from + - * / alone: the same bits on every host. No x is ever NaN.
import {
  FACTORIAL_2,
  FACTORIAL_3,
  FACTORIAL_4,
  FACTORIAL_5,
  FACTORIAL_6,
  LARGEST_EXPONENT,
  LN2_HIGH,
  LN2_LOW,
  LOG2_E,
  ONE,
  ROUNDER,
  SMALLEST_EXPONENT,
} from './constants';

/** exp(-x), x held to -30..30: 2^-n times a polynomial of degree six on [-ln 2 / 2, ln 2 / 2]. */
// @ts-ignore: decorator
@inline
function expOfNegative(x: v128): v128 {
  x = f32x4.pmax(v128.load(SMALLEST_EXPONENT), f32x4.pmin(v128.load(LARGEST_EXPONENT), x));
  // The rounder less n: as -n is added to it, its low bits are those of -n.
  const rounded = f32x4.sub(v128.load(ROUNDER), f32x4.mul(x, v128.load(LOG2_E)));
  const n = f32x4.sub(v128.load(ROUNDER), rounded);
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, v128.load(LN2_HIGH))), f32x4.mul(n, v128.load(LN2_LOW)));
  // Of -r: odd terms are subtracted.
  let p = f32x4.sub(v128.load(FACTORIAL_5), f32x4.mul(v128.load(FACTORIAL_6), r));
  p = f32x4.sub(v128.load(FACTORIAL_4), f32x4.mul(p, r));
  p = f32x4.sub(v128.load(FACTORIAL_3), f32x4.mul(p, r));
  p = f32x4.sub(v128.load(FACTORIAL_2), f32x4.mul(p, r));
  p = f32x4.sub(v128.load(ONE), f32x4.mul(p, r));
  p = f32x4.sub(v128.load(ONE), f32x4.mul(p, r));
  // -n goes into the exponent of 1; the shift leaves nothing of the rounder.
  const power = i32x4.add(i32x4.shl(rounded, 23), v128.load(ONE));
  return f32x4.mul(p, power);
}

// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = v128.load(ONE);
  return f32x4.div(one, f32x4.add(one, expOfNegative(x)));
}

/** sigmoid(x) * tanh(y), with one division for both. */
// @ts-ignore: decorator
@inline
export function sigmoidTimesTanh(x: v128, y: v128): v128 {
  const one = v128.load(ONE);
  const ofY = expOfNegative(f32x4.add(y, y));
  const ofX = expOfNegative(x);
  return f32x4.div(f32x4.sub(one, ofY), f32x4.mul(f32x4.add(one, ofX), f32x4.add(one, ofY)));
}
