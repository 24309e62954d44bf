// Four transforms at once, one in each lane of every vector, so that no step shuffles: what the core's bands and the net's front end share.
// Points are complex: (re, im) as two v128. All is inlined, so that each caller's constants are folded.
import { cosPi, sinPi } from './elementary';

/** W_turns as (re, im), once around. */
export function createTwiddles(at: usize, turns: i32): void {
  for (let i = 0; i < turns; i++) {
    const angle = <f64>(-2 * i) / <f64>turns;
    store<f32>(at + (<usize>i << 3), <f32>cosPi(angle));
    store<f32>(at + (<usize>i << 3), <f32>sinPi(angle), 4);
  }
}

/** Real and imaginary part of a product. */
// @ts-ignore: decorator
@inline
export function productR(ar: v128, ai: v128, br: v128, bi: v128): v128 {
  return f32x4.sub(f32x4.mul(ar, br), f32x4.mul(ai, bi));
}

// @ts-ignore: decorator
@inline
export function productI(ar: v128, ai: v128, br: v128, bi: v128): v128 {
  return f32x4.add(f32x4.mul(ar, bi), f32x4.mul(ai, br));
}

/** Windows four frames of `points` pairs of samples, `step` bytes apart, and writes them in the order of `reversed`: lane l of point n is
 *  samples 2n and 2n + 1 of frame l. */
// @ts-ignore: decorator
@inline
export function gatherFrames(samples: usize, step: usize, points: i32, window: usize, reversed: usize, spectrum: usize): void {
  for (let n = 0; n < points; n += 2) {
    const from = samples + (<usize>n << 3);
    const w = v128.load(window + (<usize>n << 3));
    const a = f32x4.mul(v128.load(from), w);
    const b = f32x4.mul(v128.load(from + step), w);
    const c = f32x4.mul(v128.load(from + 2 * step), w);
    const d = f32x4.mul(v128.load(from + 3 * step), w);
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    const first = spectrum + (<usize>load<u8>(reversed + <usize>n) << 5);
    const second = spectrum + (<usize>load<u8>(reversed + <usize>n, 1) << 5);
    v128.store(first, v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5));
    v128.store(first, v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7), 16);
    v128.store(second, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
    v128.store(second, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), 16);
  }
}

/** Transforms of 64 points each, in base-4 digit-reversed order, one behind the other up to `points`. */
// @ts-ignore: decorator
@inline
export function transforms64(spectrum: usize, points: i32, twiddles: usize, turns: i32): void {
  radix4Stage(spectrum, points, 1, twiddles, turns);
  radix4Stage(spectrum, points, 4, twiddles, turns);
  radix4Stage(spectrum, points, 16, twiddles, turns);
}

/** One radix-4 stage over `points` points; `span` points apart. `twiddles` holds W_turns as (re, im); those of span 1 are all 1. */
// @ts-ignore: decorator
@inline
function radix4Stage(spectrum: usize, points: i32, span: i32, twiddles: usize, turns: i32): void {
  const apart = <usize>span << 5;
  // Twiddle W_(4 span)^j is entry j * turns / 4 / span.
  const turn = <usize>(turns / 4 / span) << 3;
  for (let j = 0; j < span; j++) {
    const w1 = twiddles + <usize>j * turn;
    const w2 = twiddles + 2 * <usize>j * turn;
    const w3 = twiddles + 3 * <usize>j * turn;
    const w1r = v128.load32_splat(w1);
    const w1i = v128.load32_splat(w1, 4);
    const w2r = v128.load32_splat(w2);
    const w2i = v128.load32_splat(w2, 4);
    const w3r = v128.load32_splat(w3);
    const w3i = v128.load32_splat(w3, 4);
    for (let k = j; k < points; k += 4 * span) {
      const at = spectrum + (<usize>k << 5);
      const ar = v128.load(at);
      const ai = v128.load(at, 16);
      let xr = v128.load(at + apart);
      let xi = v128.load(at + apart, 16);
      const br = span == 1 ? xr : productR(xr, xi, w1r, w1i);
      const bi = span == 1 ? xi : productI(xr, xi, w1r, w1i);
      xr = v128.load(at + 2 * apart);
      xi = v128.load(at + 2 * apart, 16);
      const cr = span == 1 ? xr : productR(xr, xi, w2r, w2i);
      const ci = span == 1 ? xi : productI(xr, xi, w2r, w2i);
      xr = v128.load(at + 3 * apart);
      xi = v128.load(at + 3 * apart, 16);
      const dr = span == 1 ? xr : productR(xr, xi, w3r, w3i);
      const di = span == 1 ? xi : productI(xr, xi, w3r, w3i);
      const sumR = f32x4.add(ar, cr);
      const sumI = f32x4.add(ai, ci);
      const differenceR = f32x4.sub(ar, cr);
      const differenceI = f32x4.sub(ai, ci);
      const otherR = f32x4.add(br, dr);
      const otherI = f32x4.add(bi, di);
      // -i (b - d)
      const turnedR = f32x4.sub(bi, di);
      const turnedI = f32x4.sub(dr, br);
      v128.store(at, f32x4.add(sumR, otherR));
      v128.store(at, f32x4.add(sumI, otherI), 16);
      v128.store(at + apart, f32x4.add(differenceR, turnedR));
      v128.store(at + apart, f32x4.add(differenceI, turnedI), 16);
      v128.store(at + 2 * apart, f32x4.sub(sumR, otherR));
      v128.store(at + 2 * apart, f32x4.sub(sumI, otherI), 16);
      v128.store(at + 3 * apart, f32x4.sub(differenceR, turnedR));
      v128.store(at + 3 * apart, f32x4.sub(differenceI, turnedI), 16);
    }
  }
}
