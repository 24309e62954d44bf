// The first convolution, 129 to 128 channels over four frames: four rows and two frames a pass, one loop per tap (fewer registers).
import { CONV1_BIASES, CONV1_INPUT, CONV1_OUTPUT, CONV1_SCALES, CONV1_WEIGHTS, PADDED_BINS } from './layout';
import { largestLane, sumLanes } from './product';

const FRAME_BYTES: usize = <usize>PADDED_BINS * 2;
/** One tap of four rows: eight inputs of the first row, of the second, third, fourth, then the next eight inputs. */
const TAP_BYTES: usize = 4 * FRAME_BYTES;
const OUTPUT_BYTES: usize = 128 * 4;
const X0: usize = CONV1_INPUT;
const X1: usize = CONV1_INPUT + FRAME_BYTES;
const X2: usize = CONV1_INPUT + 2 * FRAME_BYTES;
const X3: usize = CONV1_INPUT + 3 * FRAME_BYTES;

/** Returns the largest result. */
export function firstLayer(step: f32): f32 {
  let largest = f32x4.splat(0);
  for (let row: usize = 0; row < 128; row += 4) {
    const weights = CONV1_WEIGHTS + (row >> 2) * 3 * TAP_BYTES;
    // The frames before the first and after the last are zero: the first hears no tap 0, the last no tap 2.
    largest = pass(weights, 0, X0, X0, X1, X1, X2, row, step, CONV1_OUTPUT, largest);
    largest = pass(weights, 2, X3, X1, X2, X2, X3, row, step, CONV1_OUTPUT + 2 * OUTPUT_BYTES, largest);
  }
  return largestLane(largest);
}

/** Two output frames. Tap `single` counts for one of them only (0: the second, 2: the first) and hears frame `alone`; tap 1 and the other
 *  one hear two frames each. */
// @ts-ignore: decorator
@inline
function pass(
  weights: usize,
  single: usize,
  alone: usize,
  early: usize,
  earlyNext: usize,
  late: usize,
  lateNext: usize,
  row: usize,
  step: f32,
  to: usize,
  largest: v128,
): v128 {
  let c0 = i32x4.splat(0);
  let c1 = i32x4.splat(0);
  let c2 = i32x4.splat(0);
  let c3 = i32x4.splat(0);
  let w = weights + single * TAP_BYTES;
  for (let i: usize = 0; i < FRAME_BYTES; i += 16, w += 64) {
    const x = v128.load(alone + i);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load(w)));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load(w, 16)));
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(x, v128.load(w, 32)));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(x, v128.load(w, 48)));
  }
  const zero = i32x4.splat(0);
  let a0 = single == 0 ? zero : c0;
  let a1 = single == 0 ? zero : c1;
  let a2 = single == 0 ? zero : c2;
  let a3 = single == 0 ? zero : c3;
  let b0 = single == 0 ? c0 : zero;
  let b1 = single == 0 ? c1 : zero;
  let b2 = single == 0 ? c2 : zero;
  let b3 = single == 0 ? c3 : zero;
  w = weights + (single == 0 ? TAP_BYTES : 0);
  for (let i: usize = 0; i < FRAME_BYTES; i += 16, w += 64) {
    const x = v128.load(early + i);
    const y = v128.load(earlyNext + i);
    const w0 = v128.load(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, w0));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(y, w0));
    const w1 = v128.load(w, 16);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, w1));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(y, w1));
    const w2 = v128.load(w, 32);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, w2));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(y, w2));
    const w3 = v128.load(w, 48);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, w3));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(y, w3));
  }
  for (let i: usize = 0; i < FRAME_BYTES; i += 16, w += 64) {
    const x = v128.load(late + i);
    const y = v128.load(lateNext + i);
    const w0 = v128.load(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, w0));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(y, w0));
    const w1 = v128.load(w, 16);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, w1));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(y, w1));
    const w2 = v128.load(w, 32);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, w2));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(y, w2));
    const w3 = v128.load(w, 48);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, w3));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(y, w3));
  }
  const at = row << 2;
  const scale = f32x4.mul(v128.load(CONV1_SCALES + at), f32x4.splat(step));
  const bias = v128.load(CONV1_BIASES + at);
  const lowest = f32x4.splat(0);
  const first = f32x4.max(
    lowest,
    f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sumLanes(a0, a1, a2, a3)), scale), bias),
  );
  const second = f32x4.max(
    lowest,
    f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sumLanes(b0, b1, b2, b3)), scale), bias),
  );
  v128.store(to + at, first);
  v128.store(to + at + OUTPUT_BYTES, second);
  return f32x4.max(largest, f32x4.max(first, second));
}
