// A recording's spectrum over time, as a picture of few colours: columns are time, rows frequency from the top down.

export interface Spectrogram {
  readonly columns: number;
  readonly rows: number;
  /** 0..255 for `FLOOR_DB`..0 dB of the loudest, row by row. */
  readonly levels: Uint8Array;
}

const SIZE = 512;
/** Quieter than this against the loudest is black. */
const RANGE_DB = 80;

export function spectrogram(samples: Int16Array, columns: number): Spectrogram {
  const rows = SIZE / 2;
  const window = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / SIZE));
  const powers = new Float64Array(rows * columns);
  const [re, im] = [new Float64Array(SIZE), new Float64Array(SIZE)];
  let loudest = 1;
  for (let column = 0; column < columns; column++) {
    const middle = Math.floor(((column + 0.5) * samples.length) / columns);
    for (let i = 0; i < SIZE; i++) re[i] = (samples[middle - SIZE / 2 + i] ?? 0) * (window[i] as number);
    im.fill(0);
    transform(re, im);
    for (let row = 0; row < rows; row++) {
      const bin = rows - 1 - row;
      const power = (re[bin] as number) ** 2 + (im[bin] as number) ** 2;
      powers[row * columns + column] = power;
      loudest = Math.max(loudest, power);
    }
  }
  const levels = Uint8Array.from(powers, (power) => {
    const db = 10 * Math.log10(Math.max(1e-9, power / loudest));
    return Math.max(0, Math.min(255, Math.round((1 + db / RANGE_DB) * 255)));
  });
  return { columns, rows, levels };
}

/** In place, radix 2. */
function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j] as number, re[i] as number];
    [im[i], im[j]] = [im[j] as number, im[i] as number];
  }
  for (let span = 2; span <= n; span *= 2) {
    for (let k = 0; k < span / 2; k++) {
      const angle = (-2 * Math.PI * k) / span;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let a = k; a < n; a += span) {
        const b = a + span / 2;
        const x = (re[b] as number) * c - (im[b] as number) * s;
        const y = (re[b] as number) * s + (im[b] as number) * c;
        re[b] = (re[a] as number) - x;
        im[b] = (im[a] as number) - y;
        re[a] = (re[a] as number) + x;
        im[a] = (im[a] as number) + y;
      }
    }
  }
}
