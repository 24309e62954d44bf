// Numbers that the loops use, each as a vector in memory: V8 makes a constant anew wherever it is used, which takes longer than to load it.
import { CONSTANTS } from './layout';

/** 1.5 * 2^23: what is added to it is rounded to whole, halves to even; less the rounder again, both as integers, that is the whole number.
 *  Two instructions, where `nearest` and `trunc_sat` are ten. */
export const ROUNDER: usize = CONSTANTS;
export const ONE: usize = ROUNDER + 16;
/** Beyond, sigmoid and tanh are 0 or 1 to f32. */
export const LARGEST_EXPONENT: usize = ONE + 16;
export const SMALLEST_EXPONENT: usize = LARGEST_EXPONENT + 16;
/** log2 e. */
export const LOG2_E: usize = SMALLEST_EXPONENT + 16;
/** ln 2 in two parts, the first with few bits, so that small whole numbers times it are exact. */
export const LN2_HIGH: usize = LOG2_E + 16;
export const LN2_LOW: usize = LN2_HIGH + 16;
/** 1 / n! */
export const FACTORIAL_2: usize = LN2_LOW + 16;
export const FACTORIAL_3: usize = FACTORIAL_2 + 16;
export const FACTORIAL_4: usize = FACTORIAL_3 + 16;
export const FACTORIAL_5: usize = FACTORIAL_4 + 16;
export const FACTORIAL_6: usize = FACTORIAL_5 + 16;

/** Once. */
export function createConstants(): void {
  put(ROUNDER, 12582912);
  put(ONE, 1);
  put(LARGEST_EXPONENT, 30);
  put(SMALLEST_EXPONENT, -30);
  put(LOG2_E, 1.44269504);
  put(LN2_HIGH, 0.693359375);
  put(LN2_LOW, -2.12194440e-4);
  put(FACTORIAL_2, 0.5);
  put(FACTORIAL_3, <f32>(1.0 / 6.0));
  put(FACTORIAL_4, <f32>(1.0 / 24.0));
  put(FACTORIAL_5, <f32>(1.0 / 120.0));
  put(FACTORIAL_6, <f32>(1.0 / 720.0));
}

function put(at: usize, value: f32): void {
  v128.store(at, f32x4.splat(value));
}
