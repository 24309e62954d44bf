// From samples to magnitudes: four frames of 256, 128 apart, periodic Hann, one frame in each lane of every vector, so that no step
// of the transform shuffles.
import { cosPi } from '../elementary';
import { createTwiddles, gatherFrames, productI, productR, transforms64 } from '../fft';
import { HEARD, MAGNITUDES, REVERSED, SPECTRUM, TWIDDLES, WINDOW } from './layout';
import { atLeast, largestLane } from './product';

/** Complex points: 256 real samples, packed in pairs. */
const POINTS: i32 = 128;
/** Frames start 128 samples apart. */
const STEP_BYTES: usize = 128 * 4;

/** Window (with the scale of PCM16 in it), twiddle factors W_256 and the order of the points; once. */
export function createFrontEnd(): void {
  for (let i = 0; i < 256; i++) {
    store<f32>(WINDOW + (<usize>i << 2), <f32>((0.5 - 0.5 * cosPi(<f64>i / 128.0)) / 32768.0));
  }
  createTwiddles(TWIDDLES, 2 * POINTS);
  // Even points to the first half, odd ones to the second, each in base-4 digit-reversed order.
  for (let i = 0; i < POINTS; i++) {
    const n = i >> 1;
    store<u8>(REVERSED + <usize>i, <u8>(((i & 1) << 6) | ((n & 3) << 4) | (n & 12) | (n >> 4)));
  }
}

/** Magnitudes of what was heard: 576 samples of PCM16 at `pcm`. Returns the largest. */
export function magnitudes(pcm: usize): f32 {
  hear(pcm);
  gatherFrames(HEARD, STEP_BYTES, POINTS, WINDOW, REVERSED, SPECTRUM);
  transforms64(SPECTRUM, POINTS, TWIDDLES, 2 * POINTS);
  lastStage();
  return unpack();
}

/** To f32, with the last 64 samples but one mirrored at the end. */
function hear(pcm: usize): void {
  for (let i: usize = 0; i < 576; i += 8) {
    const x = v128.load(pcm + (i << 1));
    const at = HEARD + (i << 2);
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x)));
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x)), 16);
  }
  for (let i: usize = 0; i < 64; i += 4) {
    const x = v128.load(HEARD + ((571 - i) << 2));
    v128.store(HEARD + ((576 + i) << 2), v128.shuffle<f32>(x, x, 3, 2, 1, 0));
  }
}

/** Joins the two halves: radix 2. */
function lastStage(): void {
  const half: usize = 64 << 5;
  for (let k: usize = 0; k < 64; k++) {
    const wr = v128.load32_splat(TWIDDLES + (k << 4));
    const wi = v128.load32_splat(TWIDDLES + (k << 4), 4);
    const at = SPECTRUM + (k << 5);
    const ar = v128.load(at);
    const ai = v128.load(at, 16);
    const xr = v128.load(at + half);
    const xi = v128.load(at + half, 16);
    const br = productR(xr, xi, wr, wi);
    const bi = productI(xr, xi, wr, wi);
    v128.store(at, f32x4.add(ar, br));
    v128.store(at, f32x4.add(ai, bi), 16);
    v128.store(at + half, f32x4.sub(ar, br));
    v128.store(at + half, f32x4.sub(ai, bi), 16);
  }
}

/** From the transform of the pairs to the magnitudes of the real samples, bins k and 128 - k at a time. */
function unpack(): f32 {
  const half = f32x4.splat(0.5);
  // Bins 0 and 128 are the sum and the difference of the parts of point 0.
  const r0 = v128.load(SPECTRUM);
  const i0 = v128.load(SPECTRUM, 16);
  let largest = f32x4.abs(f32x4.add(r0, i0));
  v128.store(MAGNITUDES, largest);
  const nyquist = f32x4.abs(f32x4.sub(r0, i0));
  v128.store(MAGNITUDES + (128 << 4), nyquist);
  largest = atLeast(largest, nyquist);
  for (let k: usize = 1; k <= 64; k++) {
    const at = SPECTRUM + (k << 5);
    const mirror = SPECTRUM + ((128 - k) << 5);
    const zr = v128.load(at);
    const zi = v128.load(at, 16);
    const mr = v128.load(mirror);
    const mi = v128.load(mirror, 16);
    const wr = v128.load32_splat(TWIDDLES + (k << 3));
    const wi = v128.load32_splat(TWIDDLES + (k << 3), 4);
    // Transforms of the even and, turned, of the odd samples; both doubled.
    const evenR = f32x4.add(zr, mr);
    const evenI = f32x4.sub(zi, mi);
    const oddR = f32x4.add(zi, mi);
    const oddI = f32x4.sub(mr, zr);
    const turnedR = productR(oddR, oddI, wr, wi);
    const turnedI = productI(oddR, oddI, wr, wi);
    const low = magnitude(f32x4.add(evenR, turnedR), f32x4.add(evenI, turnedI), half);
    const high = magnitude(f32x4.sub(evenR, turnedR), f32x4.sub(evenI, turnedI), half);
    v128.store(MAGNITUDES + (k << 4), low);
    v128.store(MAGNITUDES + ((128 - k) << 4), high);
    largest = atLeast(largest, atLeast(low, high));
  }
  return largestLane(largest);
}

// @ts-ignore: decorator
@inline
function magnitude(re: v128, im: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.sqrt(f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im))), scale);
}
