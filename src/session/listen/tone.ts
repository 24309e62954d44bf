// Whether a frame is a call tone (DTMF, ringback, dial and busy tones, beeps): one or two sinusoids and nearly nothing else.

/** Whole frames only: 20 ms at 16 kHz, halved to 8 kHz. */
const SAMPLES = 160;
/** Samples between those that the rule of two sinusoids connects: far apart, so that a voice, smooth as it is, does not obey it by chance. */
const LAG = 4;
/** What is left over, as a share of what unconnected samples would leave: -17 dB. */
const MOST_LEFT_OVER = 0.02;
/** Share of the power below 250 Hz or so: a voice's fundamental and its first harmonic are two sinusoids, too; no call tone is as low. */
const MOST_LOW = 0.1;
const AVERAGED = 16;
/** RMS of about -65 dBFS at the sum of two samples: below, rounding is not small. */
const LEAST_POWER = 36 * 36 * 2;

const halved = new Float64Array(SAMPLES);

/** `frame`: 320 samples of PCM16 at 16 kHz; of any other length the answer is false. Sums of whole numbers: exact on every host. */
export function isTone(frame: Int16Array): boolean {
  if (frame.length !== 2 * SAMPLES) return false;
  const y = halved;
  for (let i = 0; i < SAMPLES; i++) y[i] = (frame[2 * i] as number) + (frame[2 * i + 1] as number);
  // For two steady sinusoids of any phases, u = p v + q w with u = y[n] + y[n - 4L], v = y[n - L] + y[n - 3L], w = y[n - 2L].
  let uu = 0;
  let uv = 0;
  let uw = 0;
  let vv = 0;
  let vw = 0;
  let ww = 0;
  for (let n = 4 * LAG; n < SAMPLES; n++) {
    const u = (y[n] as number) + (y[n - 4 * LAG] as number);
    const v = (y[n - LAG] as number) + (y[n - 3 * LAG] as number);
    const w = y[n - 2 * LAG] as number;
    uu += u * u;
    uv += u * v;
    uw += u * w;
    vv += v * v;
    vw += v * w;
    ww += w * w;
  }
  if (ww < LEAST_POWER * (SAMPLES - 4 * LAG)) return false;
  const determinant = vv * ww - vw * vw;
  // One sinusoid alone leaves the two unknowns undetermined: one does.
  const both = determinant > 1e-6 * vv * ww;
  const p = both ? (uv * ww - uw * vw) / determinant : vv > 0 ? uv / vv : 0;
  const q = both ? (uw * vv - uv * vw) / determinant : 0;
  const leftOver = uu - p * uv - q * uw;
  return leftOver < MOST_LEFT_OVER * (2 + 2 * p * p + q * q) * ww && lowShare(y) < MOST_LOW;
}

/** Power of the mean of 16 samples over the power of a sample. */
function lowShare(y: Float64Array): number {
  let sum = 0;
  let low = 0;
  let all = 0;
  for (let i = 0; i < AVERAGED; i++) sum += y[i] as number;
  for (let i = AVERAGED; i < SAMPLES; i++) {
    low += sum * sum;
    const middle = y[i - AVERAGED / 2] as number;
    all += middle * middle;
    sum += (y[i] as number) - (y[i - AVERAGED] as number);
  }
  return low / (AVERAGED * AVERAGED * Math.max(1, all));
}
