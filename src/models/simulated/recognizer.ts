// Finds known recordings in received audio by normalised cross-correlation. It knows nothing else and never guesses.
import { fft } from './fft.ts';
import { resample } from './resample.ts';

/** A recording whose words are known. */
export interface KnownRecording {
  readonly text: string;
  readonly samples: Float32Array;
  readonly sampleRateHz: number;
}
export interface FoundRecording {
  /** Place in the list of known recordings. */
  readonly index: number;
  /** `cut`: a part is missing or damaged. */
  readonly state: 'whole' | 'cut';
  readonly startMs: number;
  readonly endMs: number;
  readonly similarity: number;
}
export interface Recognition {
  /** The texts of what was found, in order; a damaged one as `[cut]`. */
  readonly text: string;
  readonly found: readonly FoundRecording[];
}
export interface Recognizer {
  recognize(samples: Float32Array, sampleRateHz: number): Recognition;
}

export const CUT = '[cut]';
/** Searching is done at the coarse rate, judging at the fine one. */
const COARSE_HZ = 4000;
const FINE_HZ = 8000;
/** Speech resembles other speech up to about 0.3; half a phrase in noise at 10 dB gives about 0.65. */
const SEARCH_THRESHOLD = 0.42;
/** What may lack at either end: voice detectors start late, and the ends of words are quiet. */
const EDGE_MS = 50;
const WINDOW = COARSE_HZ * 20;
const BLOCK = FINE_HZ * 0.08;
/** Blocks that are quieter than the phrase by more than 12 dB drown in the noise that is to be tolerated. */
const QUIET_RATIO = 1 / 16;
const SAME_BLOCK = 0.4;

interface Reference {
  readonly coarse: Float32Array;
  readonly fine: Float32Array;
  readonly coarseEnergy: number;
  readonly fineLevel: number;
  readonly spectra: Map<number, { re: Float64Array; im: Float64Array }>;
}
interface Hit extends FoundRecording {
  readonly from: number;
  readonly to: number;
}

export function createRecognizer(recordings: readonly KnownRecording[]): Recognizer {
  const references = recordings.map((recording): Reference => {
    const fine = resample(recording.samples, recording.sampleRateHz, FINE_HZ);
    const coarse = resample(fine, FINE_HZ, COARSE_HZ);
    return {
      coarse,
      fine,
      coarseEnergy: energy(coarse, 0, coarse.length),
      fineLevel: energy(fine, 0, fine.length) / Math.max(1, fine.length),
      spectra: new Map(),
    };
  });
  const longest = Math.max(0, ...references.map((reference) => reference.coarse.length));
  return {
    recognize(samples, sampleRateHz) {
      const fine = resample(samples, sampleRateHz, FINE_HZ);
      const coarse = resample(fine, FINE_HZ, COARSE_HZ);
      let total = 0;
      for (const sample of coarse) total += sample * sample;
      if (references.length === 0 || !(total > 0)) return { text: '', found: [] };
      const hits: Hit[] = [];
      // Long uploads are searched window by window; each shows a recording that begins in it to its end.
      for (let start = 0; start < coarse.length; start += WINDOW) {
        const window = coarse.subarray(start, start + WINDOW + longest);
        for (const { index, lag } of search(references, window, longest)) {
          const hit = judge(references[index] as Reference, index, fine, ((start + lag) * FINE_HZ) / COARSE_HZ);
          if (hit) hits.push(hit);
        }
      }
      const found = withoutOverlaps(hits).sort((a, b) => a.from - b.from);
      const text = found.map((hit) => (hit.state === 'whole' ? recordings[hit.index]?.text : CUT)).join(' ');
      return { text, found: found.map(({ from: _, to: __, ...rest }) => rest) };
    },
  };
}

/** Places (coarse samples; negative when the beginning lies before the audio) where a recording may be. */
function search(
  references: readonly Reference[],
  audio: Float32Array,
  longest: number,
): { index: number; lag: number }[] {
  let n = 1024;
  while (n < audio.length + longest) n *= 2;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  re.set(audio);
  fft(re, im);
  const sums = new Float64Array(audio.length + 1);
  for (let i = 0; i < audio.length; i++) sums[i + 1] = (sums[i] as number) + (audio[i] as number) ** 2;
  const places: { index: number; lag: number }[] = [];
  // Correlations are real, so two of them fit into one complex inverse transform.
  for (let first = 0; first < references.length; first += 2) {
    const one = references[first] as Reference;
    const two = references[first + 1];
    const { re: re1, im: im1 } = spectrumOf(one, n);
    const other = two ? spectrumOf(two, n) : undefined;
    const x = new Float64Array(n);
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const ar = re[i] as number;
      const ai = im[i] as number;
      const br = re1[i] as number;
      const bi = im1[i] as number;
      let xr = ar * br + ai * bi;
      let xi = ai * br - ar * bi;
      if (other) {
        const cr = other.re[i] as number;
        const ci = other.im[i] as number;
        xr -= ai * cr - ar * ci;
        xi += ar * cr + ai * ci;
      }
      x[i] = xr;
      y[i] = xi;
    }
    fft(y, x);
    places.push(...peaks(one, first, x, n, sums));
    if (two) places.push(...peaks(two, first + 1, y, n, sums));
  }
  return places;
}

function peaks(
  reference: Reference,
  index: number,
  correlation: Float64Array,
  n: number,
  sums: Float64Array,
): { index: number; lag: number }[] {
  const length = reference.coarse.length;
  const audio = sums.length - 1;
  // A quiet stretch must not look alike only because there is so little of it.
  const floor = (0.02 * length * (sums[audio] as number)) / Math.max(1, audio) + 1e-12;
  const places: { index: number; lag: number; score: number }[] = [];
  for (let lag = 1 - length; lag < audio; lag++) {
    const value = Math.abs(correlation[lag < 0 ? lag + n : lag] as number) / n;
    const heard = (sums[Math.min(audio, lag + length)] as number) - (sums[Math.max(0, lag)] as number);
    const score = value / Math.sqrt(reference.coarseEnergy * Math.max(heard, floor));
    if (score < SEARCH_THRESHOLD) continue;
    const last = places.at(-1);
    if (!last || lag - last.lag > length / 2) places.push({ index, lag, score });
    else if (score > last.score) places[places.length - 1] = { index, lag, score };
  }
  return places;
}

/** Aligns to the sample and compares block by block. */
function judge(reference: Reference, index: number, audio: Float32Array, around: number): Hit | undefined {
  const { fine } = reference;
  let lag = around;
  let similarity = 0;
  let sign = 1;
  for (let tried = around - 4; tried <= around + 4; tried++) {
    const value = alike(fine, audio, tried, 0, fine.length);
    if (Math.abs(value) > similarity) {
      similarity = Math.abs(value);
      lag = tried;
      sign = Math.sign(value);
    }
  }
  const from = Math.max(0, lag);
  const to = Math.min(audio.length, lag + fine.length);
  if (to - from < BLOCK || similarity < SEARCH_THRESHOLD) return undefined;
  const edge = (EDGE_MS * FINE_HZ) / 1000;
  const lacks = from - lag > edge || lag + fine.length - to > edge;
  let blocks = 0;
  let bad = 0;
  let run = 0;
  let longestRun = 0;
  for (let at = edge; at + BLOCK <= fine.length - edge; at += BLOCK / 2) {
    if (energy(fine, at, at + BLOCK) / BLOCK < reference.fineLevel * QUIET_RATIO) continue;
    blocks += 1;
    let best = -1;
    for (let shift = -1; shift <= 1; shift++)
      best = Math.max(best, sign * alike(fine, audio, lag + shift, at, at + BLOCK));
    run = best < SAME_BLOCK ? run + 1 : 0;
    if (run > 0) bad += 1;
    longestRun = Math.max(longestRun, run);
  }
  const damaged = longestRun > 1 || bad > blocks * 0.1;
  return {
    index,
    state: lacks || damaged ? 'cut' : 'whole',
    startMs: Math.round((from * 1000) / FINE_HZ),
    endMs: Math.round((to * 1000) / FINE_HZ),
    similarity,
    from,
    to,
  };
}

/** Normalised correlation of `reference[from..to)` with the audio at `lag`, where they overlap. */
function alike(reference: Float32Array, audio: Float32Array, lag: number, from: number, to: number): number {
  let xy = 0;
  let xx = 1e-12;
  let yy = 1e-12;
  const end = Math.min(to, audio.length - lag);
  for (let i = Math.max(from, -lag); i < end; i++) {
    const x = reference[i] as number;
    const y = audio[i + lag] as number;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Of hits that claim the same stretch, the most similar one stays. */
function withoutOverlaps(hits: Hit[]): Hit[] {
  const kept: Hit[] = [];
  for (const hit of hits.sort((a, b) => b.similarity - a.similarity)) {
    const clash = kept.some((other) => {
      const common = Math.min(hit.to, other.to) - Math.max(hit.from, other.from);
      return common > 0.5 * Math.min(hit.to - hit.from, other.to - other.from);
    });
    if (!clash) kept.push(hit);
  }
  return kept;
}

function spectrumOf(reference: Reference, n: number): { re: Float64Array; im: Float64Array } {
  const known = reference.spectra.get(n);
  if (known) return known;
  const spectrum = { re: new Float64Array(n), im: new Float64Array(n) };
  spectrum.re.set(reference.coarse);
  fft(spectrum.re, spectrum.im);
  reference.spectra.set(n, spectrum);
  return spectrum;
}

function energy(samples: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (samples[i] as number) ** 2;
  return sum;
}
