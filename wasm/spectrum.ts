// Mean power of 16 bands in a frame: four sub-frames of 8 ms, 5 ms apart, one in each lane of every vector, so that no step shuffles.
import { BAND_EDGES, BAND_LANES, BAND_POWERS, BEFORE_FRAME, BIN_LANES, FRAME_FLOAT, REVERSED, SPECTRUM, TWIDDLES, WINDOW } from './layout';
import { cosPi, sinPi } from './elementary';
import { pcmToFloat } from './pcm';

export const BANDS: i32 = 16;
/** Complex points: 128 real samples, packed in pairs. */
const POINTS: i32 = 64;
/** Sub-frames start 80 samples apart. */
const STEP_BYTES: usize = 80 * 4;

/** Window, twiddle factors and tables; once. */
export function createSpectrum(): void {
  for (let i = 0; i < 2 * POINTS; i++) {
    store<f32>(WINDOW + (<usize>i << 2), <f32>(0.5 - 0.5 * cosPi((<f64>i + 0.5) / <f64>POINTS)));
    const angle = -<f64>i / <f64>POINTS;
    store<f32>(TWIDDLES + (<usize>i << 3), <f32>cosPi(angle));
    store<f32>(TWIDDLES + (<usize>i << 3), <f32>sinPi(angle), 4);
  }
  for (let i = 0; i < POINTS; i++) {
    store<u8>(REVERSED + <usize>i, <u8>(((i & 3) << 4) | (i & 12) | (i >> 4)));
  }
  // 125 Hz a bin, narrow below 1 kHz, up to 7.6 kHz.
  let edge = 1;
  for (let band = 0; band <= BANDS; band++) {
    store<u8>(BAND_EDGES + <usize>band, <u8>edge);
    edge += band < 6 ? 1 : band < 9 ? 2 : band < 10 ? 3 : band < 12 ? 4 : band < 13 ? 6 : band < 14 ? 7 : band < 15 ? 9 : 15;
  }
}

/** Into `BAND_POWERS`, from the frame of the slot and the samples before it. */
export function bandPowers(slot: usize): void {
  pcmToFloat(slot + BEFORE_FRAME, FRAME_FLOAT, 368);
  gather();
  stage(1);
  stage(4);
  stage(16);
  powers();
}

/** Windows the sub-frames and writes them in digit-reversed order: lane l of point n is samples 2n and 2n + 1 of sub-frame l. */
function gather(): void {
  for (let n = 0; n < POINTS; n += 2) {
    const from = FRAME_FLOAT + (<usize>n << 3);
    const a = v128.load(from);
    const b = v128.load(from + STEP_BYTES);
    const c = v128.load(from + 2 * STEP_BYTES);
    const d = v128.load(from + 3 * STEP_BYTES);
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    const window = WINDOW + (<usize>n << 3);
    const even = SPECTRUM + (<usize>load<u8>(REVERSED + <usize>n) << 5);
    const odd = SPECTRUM + (<usize>load<u8>(REVERSED + <usize>n, 1) << 5);
    v128.store(even, f32x4.mul(v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5), v128.load32_splat(window)));
    v128.store(even, f32x4.mul(v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7), v128.load32_splat(window, 4)), 16);
    v128.store(odd, f32x4.mul(v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), v128.load32_splat(window, 8)));
    v128.store(odd, f32x4.mul(v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), v128.load32_splat(window, 12)), 16);
  }
}

/** One radix-4 stage of the transform; `span` points apart. */
// @ts-ignore: decorator
@inline
function stage(span: i32): void {
  const apart = <usize>span << 5;
  // Twiddle W_(4 span)^j is entry j * 32 / span of the table of W_128.
  const turn = <usize>(32 / span) << 3;
  for (let j = 0; j < span; j++) {
    const w1 = TWIDDLES + <usize>j * turn;
    const w2 = TWIDDLES + 2 * <usize>j * turn;
    const w3 = TWIDDLES + 3 * <usize>j * turn;
    const w1r = v128.load32_splat(w1);
    const w1i = v128.load32_splat(w1, 4);
    const w2r = v128.load32_splat(w2);
    const w2i = v128.load32_splat(w2, 4);
    const w3r = v128.load32_splat(w3);
    const w3i = v128.load32_splat(w3, 4);
    for (let k = j; k < POINTS; k += 4 * span) {
      const at = SPECTRUM + (<usize>k << 5);
      const ar = v128.load(at);
      const ai = v128.load(at, 16);
      let xr = v128.load(at + apart);
      let xi = v128.load(at + apart, 16);
      const br = f32x4.sub(f32x4.mul(xr, w1r), f32x4.mul(xi, w1i));
      const bi = f32x4.add(f32x4.mul(xr, w1i), f32x4.mul(xi, w1r));
      xr = v128.load(at + 2 * apart);
      xi = v128.load(at + 2 * apart, 16);
      const cr = f32x4.sub(f32x4.mul(xr, w2r), f32x4.mul(xi, w2i));
      const ci = f32x4.add(f32x4.mul(xr, w2i), f32x4.mul(xi, w2r));
      xr = v128.load(at + 3 * apart);
      xi = v128.load(at + 3 * apart, 16);
      const dr = f32x4.sub(f32x4.mul(xr, w3r), f32x4.mul(xi, w3i));
      const di = f32x4.add(f32x4.mul(xr, w3i), f32x4.mul(xi, w3r));
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

/** Unpacks the transform of the pairs into that of the real samples and sums its power over each band and the sub-frames. */
function powers(): void {
  const quarter = f32x4.splat(0.25);
  for (let band = 0; band < BANDS; band++) {
    let sum = f32x4.splat(0);
    const end = <i32>load<u8>(BAND_EDGES + <usize>band, 1);
    for (let n = <i32>load<u8>(BAND_EDGES + <usize>band); n < end; n++) {
      const at = SPECTRUM + (<usize>n << 5);
      const mirror = SPECTRUM + (<usize>(POINTS - n) << 5);
      const zr = v128.load(at);
      const zi = v128.load(at, 16);
      const mr = v128.load(mirror);
      const mi = v128.load(mirror, 16);
      const wr = v128.load32_splat(TWIDDLES + (<usize>n << 3));
      const wi = v128.load32_splat(TWIDDLES + (<usize>n << 3), 4);
      // Twice the transforms of the even and of the odd samples.
      const evenR = f32x4.add(zr, mr);
      const evenI = f32x4.sub(zi, mi);
      const oddR = f32x4.add(zi, mi);
      const oddI = f32x4.sub(mr, zr);
      const re = f32x4.add(evenR, f32x4.sub(f32x4.mul(oddR, wr), f32x4.mul(oddI, wi)));
      const im = f32x4.add(evenI, f32x4.add(f32x4.mul(oddR, wi), f32x4.mul(oddI, wr)));
      const power = f32x4.mul(f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)), quarter);
      v128.store(BIN_LANES + (<usize>n << 4), power);
      sum = f32x4.add(sum, power);
    }
    v128.store(BAND_LANES + (<usize>band << 4), sum);
  }
  // Four bands at a time: the mean over the lanes.
  for (let band = 0; band < BANDS; band += 4) {
    const at = BAND_LANES + (<usize>band << 4);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
    const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
    const total = f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(BAND_POWERS + (<usize>band << 2), f32x4.mul(total, quarter));
  }
}
