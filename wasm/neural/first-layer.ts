// The first convolution, 129 to 128 channels over four frames: nearly half of the net. With frames x0..x3 (nothing before and after them)
// and taps g0, g1, g2 the four outputs are
//
//   y0 = x0 g1 + x1 g2             = (x0 - x1) g1 + x1 (g1 + g2)
//   y1 = x0 g0 + x1 g1 + x2 g2     = x0 g0 + (x2 - x1) g2 + x1 (g1 + g2)
//   y2 = x1 g0 + x2 g1 + x3 g2     = (x1 - x2) g0 + x3 g2 + x2 (g0 + g1)
//   y3 = x2 g0 + x3 g1             = (x3 - x2) g1 + x2 (g0 + g1)
//
// which on the right are eight products instead of ten, as the last of each line is that of its neighbour. All are whole numbers: the sums
// are the same, bit for bit (what leaves an i32 on the way comes back). Bin 128 is done apart, so that the others are 64 pairs.
import { ROUNDER } from './constants';
import {
  CONV1_BIASES,
  CONV1_INPUT,
  CONV1_LAST_INPUT,
  CONV1_LAST_WEIGHTS,
  CONV1_LIST_BYTES,
  CONV1_OUTPUT,
  CONV1_SCALES,
  CONV1_TAP_BYTES,
  CONV1_TAP_SUMS,
  CONV1_WEIGHTS,
  MAGNITUDES,
  SUMS,
} from './layout';
import { atLeast, largestLane } from './product';
import { toI32 } from './quantize';
import { BLOCK_ROWS, PAIR_BYTES, PAIR_WEIGHTS, sumRows } from './sums';

const BLOCKS: usize = 128 / BLOCK_ROWS;
const BLOCK_BYTES: usize = BLOCK_ROWS * 4;
const OUTPUT_BYTES: usize = 128 * 4;
/** In each block of the weights: g0, g2, g1. In each of the tap sums: g1 + g2, g0 + g1. */
const WEIGHTS_BYTES: usize = 3 * CONV1_TAP_BYTES;
const TAP_SUMS_BYTES: usize = 2 * CONV1_TAP_BYTES;
const PAIRS: usize = 64;

// Lists of pairs. Where g0 and g2 follow each other, so do their inputs.
const X0: usize = CONV1_INPUT;
const X2_LESS_X1: usize = X0 + CONV1_LIST_BYTES;
const X1_LESS_X2: usize = X2_LESS_X1 + CONV1_LIST_BYTES;
const X3: usize = X1_LESS_X2 + CONV1_LIST_BYTES;
const X0_LESS_X1: usize = X3 + CONV1_LIST_BYTES;
const X3_LESS_X2: usize = X0_LESS_X1 + CONV1_LIST_BYTES;
const X1: usize = X3_LESS_X2 + CONV1_LIST_BYTES;
const X2: usize = X1 + CONV1_LIST_BYTES;

// Sums of a block of rows: what is each output's own, and what two share.
const OWN0: usize = SUMS;
const OWN1: usize = OWN0 + BLOCK_BYTES;
const OWN2: usize = OWN1 + BLOCK_BYTES;
const OWN3: usize = OWN2 + BLOCK_BYTES;
const SHARED01: usize = OWN3 + BLOCK_BYTES;
const SHARED23: usize = SHARED01 + BLOCK_BYTES;

/** g1 + g2 and g0 + g1, once, when the weights are there. */
export function createTapSums(): void {
  for (let block: usize = 0; block < BLOCKS; block++) {
    const g0 = CONV1_WEIGHTS + block * WEIGHTS_BYTES;
    const g2 = g0 + CONV1_TAP_BYTES;
    const g1 = g2 + CONV1_TAP_BYTES;
    const to = CONV1_TAP_SUMS + block * TAP_SUMS_BYTES;
    for (let i: usize = 0; i < CONV1_TAP_BYTES; i += 16) {
      v128.store(to + i, i16x8.add(v128.load(g1 + i), v128.load(g2 + i)));
      v128.store(to + CONV1_TAP_BYTES + i, i16x8.add(v128.load(g0 + i), v128.load(g1 + i)));
    }
  }
}

/** The magnitudes, a frame a lane, as i16 in the lists above. */
export function quantizeMagnitudes(factor: f32): void {
  const by = f32x4.splat(factor);
  const rounder = v128.load(ROUNDER);
  let at = MAGNITUDES;
  for (let i: usize = 0; i < PAIRS * PAIR_BYTES; i += PAIR_BYTES) {
    // No magnitude is negative, so that the two of a pair can simply be joined.
    const x = v128.or(toI32(v128.load(at), by, rounder), i32x4.shl(toI32(v128.load(at, 16), by, rounder), 16));
    const less = i16x8.sub(x, v128.shuffle<i32>(x, x, 1, 2, 1, 2));
    v128.store(X0 + i, v128.shuffle<i32>(x, x, 0, 0, 0, 0));
    v128.store(X1 + i, v128.shuffle<i32>(x, x, 1, 1, 1, 1));
    v128.store(X2 + i, v128.shuffle<i32>(x, x, 2, 2, 2, 2));
    v128.store(X3 + i, v128.shuffle<i32>(x, x, 3, 3, 3, 3));
    v128.store(X0_LESS_X1 + i, v128.shuffle<i32>(less, less, 0, 0, 0, 0));
    v128.store(X1_LESS_X2 + i, v128.shuffle<i32>(less, less, 1, 1, 1, 1));
    v128.store(X2_LESS_X1 + i, v128.shuffle<i32>(less, less, 2, 2, 2, 2));
    v128.store(X3_LESS_X2 + i, v128.shuffle<i32>(less, less, 3, 3, 3, 3));
    at += 32;
  }
  v128.store(CONV1_LAST_INPUT, toI32(v128.load(at), by, rounder));
}

/** Returns the largest result. */
export function firstLayer(step: f32): f32 {
  let largest = f32x4.splat(0);
  for (let block: usize = 0; block < BLOCKS; block++) {
    const g02 = CONV1_WEIGHTS + block * WEIGHTS_BYTES;
    const g1 = g02 + 2 * CONV1_TAP_BYTES;
    const g12 = CONV1_TAP_SUMS + block * TAP_SUMS_BYTES;
    const g01 = g12 + CONV1_TAP_BYTES;
    sumRows(g02, 0, X0, 2 * PAIRS, BLOCK_ROWS, OWN1);
    sumRows(g02, 0, X1_LESS_X2, 2 * PAIRS, BLOCK_ROWS, OWN2);
    sumRows(g1, 0, X0_LESS_X1, PAIRS, BLOCK_ROWS, OWN0);
    sumRows(g1, 0, X3_LESS_X2, PAIRS, BLOCK_ROWS, OWN3);
    sumRows(g12, 0, X1, PAIRS, BLOCK_ROWS, SHARED01);
    sumRows(g01, 0, X2, PAIRS, BLOCK_ROWS, SHARED23);
    largest = atLeast(largest, finishBlock(block * BLOCK_BYTES, step));
  }
  return largestLane(largest);
}

/** Bin 128, scales and biases of 32 rows, `rows` bytes of f32 from the first. Returns the largest of each lane. */
function finishBlock(rows: usize, step: f32): v128 {
  const last = v128.load(CONV1_LAST_INPUT);
  const before = i32x4.shl(last, 16);
  const zero = i32x4.splat(0);
  // Inputs of g0 (low) and g1 (high) for each output.
  const pairs = v128.or(v128.shuffle<i32>(zero, last, 0, 4, 5, 6), before);
  const e0 = v128.shuffle<i32>(pairs, pairs, 0, 0, 0, 0);
  const e1 = v128.shuffle<i32>(pairs, pairs, 1, 1, 1, 1);
  const e2 = v128.shuffle<i32>(pairs, pairs, 2, 2, 2, 2);
  const e3 = v128.shuffle<i32>(pairs, pairs, 3, 3, 3, 3);
  // Inputs of g2.
  const f0 = v128.shuffle<i32>(last, last, 1, 1, 1, 1);
  const f1 = v128.shuffle<i32>(last, last, 2, 2, 2, 2);
  const f2 = v128.shuffle<i32>(last, last, 3, 3, 3, 3);
  const factor = f32x4.splat(step);
  let largest = f32x4.splat(0);
  for (let i: usize = 0; i < BLOCK_BYTES; i += 16) {
    const at = rows + i;
    const w = CONV1_LAST_WEIGHTS + 2 * rows + i;
    const g01 = v128.load(w);
    const g2 = v128.load(w, PAIR_WEIGHTS);
    const scale = f32x4.mul(v128.load(CONV1_SCALES + at), factor);
    const bias = v128.load(CONV1_BIASES + at);
    const early = v128.load(SHARED01 + i);
    const late = v128.load(SHARED23 + i);
    const y0 = result(i32x4.add(early, v128.load(OWN0 + i)), i32x4.add(i32x4.dot_i16x8_s(e0, g01), i32x4.dot_i16x8_s(f0, g2)), scale, bias);
    const y1 = result(i32x4.add(early, v128.load(OWN1 + i)), i32x4.add(i32x4.dot_i16x8_s(e1, g01), i32x4.dot_i16x8_s(f1, g2)), scale, bias);
    const y2 = result(i32x4.add(late, v128.load(OWN2 + i)), i32x4.add(i32x4.dot_i16x8_s(e2, g01), i32x4.dot_i16x8_s(f2, g2)), scale, bias);
    const y3 = result(i32x4.add(late, v128.load(OWN3 + i)), i32x4.dot_i16x8_s(e3, g01), scale, bias);
    const to = CONV1_OUTPUT + at;
    v128.store(to, y0);
    v128.store(to + OUTPUT_BYTES, y1);
    v128.store(to + 2 * OUTPUT_BYTES, y2);
    v128.store(to + 3 * OUTPUT_BYTES, y3);
    largest = atLeast(largest, atLeast(atLeast(y0, y1), atLeast(y2, y3)));
  }
  return largest;
}

// @ts-ignore: decorator
@inline
function result(sum: v128, last: v128, scale: v128, bias: v128): v128 {
  return atLeast(f32x4.splat(0), f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(i32x4.add(sum, last)), scale), bias));
}
