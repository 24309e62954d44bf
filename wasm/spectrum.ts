// Mean power of 16 bands in a frame: four sub-frames of 8 ms, 5 ms apart, one in each lane of every vector, so that no step shuffles.
import { BAND_EDGES, BAND_LANES, BAND_POWERS, BEFORE_FRAME, BIN_LANES, FRAME_FLOAT, REVERSED, SPECTRUM, TWIDDLES, WINDOW } from './layout';
import { cosPi } from './elementary';
import { createTwiddles, gatherFrames, productI, productR, transforms64 } from './fft';
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
  }
  createTwiddles(TWIDDLES, 2 * POINTS);
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
  gatherFrames(FRAME_FLOAT, STEP_BYTES, POINTS, WINDOW, REVERSED, SPECTRUM);
  transforms64(SPECTRUM, POINTS, TWIDDLES, 2 * POINTS);
  powers();
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
      const re = f32x4.add(evenR, productR(oddR, oddI, wr, wi));
      const im = f32x4.add(evenI, productI(oddR, oddI, wr, wi));
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
