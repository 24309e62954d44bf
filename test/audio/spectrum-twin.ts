// The f64 twin of wasm/spectrum.ts: mean power of 16 bands over the four sub-frames of a frame, by a plain FFT.

export const BANDS = 16;
/** Bins of 125 Hz that `bandPowers` can tell besides; the first and the last three stay 0. */
export const BINS = 64;
/** First bin of each band, 125 Hz a bin, and the end of the last. */
const EDGES = [1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 24, 30, 37, 46, 61];
const SIZE = 128;
const window = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / SIZE));
const cosine = Float64Array.from({ length: SIZE }, (_, i) => Math.cos((2 * Math.PI * i) / SIZE));
const sine = Float64Array.from({ length: SIZE }, (_, i) => Math.sin((2 * Math.PI * i) / SIZE));
const reversed = Uint8Array.from({ length: SIZE }, (_, i) =>
  Number.parseInt(i.toString(2).padStart(7, '0').split('').reverse().join(''), 2),
);
const re = new Float64Array(SIZE);
const im = new Float64Array(SIZE);

/** `samples`: the 48 before the frame and its 320. Two real sub-frames share one complex transform. */
export function bandPowers(samples: Int16Array, powers: Float64Array, bins?: Float64Array): void {
  powers.fill(0);
  bins?.fill(0);
  for (let pair = 0; pair < 2; pair++) {
    const a = pair * 160;
    for (let i = 0; i < SIZE; i++) {
      const to = reversed[i]!;
      const w = window[i]! / 32768;
      re[to] = samples[a + i]! * w;
      im[to] = samples[a + 80 + i]! * w;
    }
    transform();
    for (let band = 0; band < BANDS; band++) {
      let sum = 0;
      for (let n = EDGES[band]!; n < EDGES[band + 1]!; n++) {
        const m = SIZE - n;
        // |X|^2 + |Y|^2 of the two real signals x + iy.
        const power = (re[n]! ** 2 + im[n]! ** 2 + re[m]! ** 2 + im[m]! ** 2) / 2;
        sum += power;
        if (bins !== undefined) bins[n]! += power / 4;
      }
      powers[band]! += sum / 4;
    }
  }
}

function transform(): void {
  for (let span = 2; span <= SIZE; span *= 2) {
    const half = span / 2;
    const step = SIZE / span;
    for (let k = 0; k < SIZE; k += span) {
      for (let j = 0; j < half; j++) {
        const a = k + j;
        const b = a + half;
        const c = cosine[j * step]!;
        const s = sine[j * step]!;
        const x = re[b]! * c + im[b]! * s;
        const y = im[b]! * c - re[b]! * s;
        re[b] = re[a]! - x;
        im[b] = im[a]! - y;
        re[a]! += x;
        im[a]! += y;
      }
    }
  }
}
