// Proof of the jitter buffer: recorded voices through simulated networks, beside a fixed buffer of 60 ms with silence for what is missing.
// `bun scripts/prove-jitter.ts [--voices DIR]`.
import { createAudioCore } from '../src/audio/index.ts';
import { BANDS, bandPowers } from '../test/audio/spectrum-twin.ts';
import { CASES, type NetworkRun, throughFixedBuffer, throughJitterBuffer } from './network-runs.ts';
import { loadRecordings, Proof } from './recorded-voices.ts';

const CONTROL_MS = 60;
/** Drift shows in minutes. */
const DRIFT_ROUNDS = 3;
const core = createAudioCore({ maxSlots: 1 });
const { voices } = await loadRecordings();
const started = performance.now();
const proof = new Proof();

const once = Int16Array.from(voices.flatMap((voice) => [...voice.pcm]));
const onceLabels = voices.flatMap(({ pcm, labels }) =>
  Array.from({ length: Math.floor(pcm.length / 160) }, (_, i) => labels[i] ?? 0),
);

/** Mean index of the windows, and 1 where nothing of speech was left. */
function index(pcm: Int16Array): number {
  const analyzer = core.openAnalyzer(16_000);
  const scores: number[] = [];
  let seen = 0;
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    analyzer.write(new Uint8Array(pcm.buffer, pcm.byteOffset + at * 2, 640));
    while (analyzer.next()) {
      const quality = analyzer.quality;
      if (quality === null || quality.windows === seen) continue;
      seen = quality.windows;
      if (!Number.isNaN(quality.score)) scores.push(quality.score);
    }
  }
  analyzer.release();
  return scores.length === 0 ? 1 : scores.reduce((a, b) => a + b, 0) / scores.length;
}

/** Mean distance of the band levels from the original's, dB, over frames of speech. It knows nothing of how holes were filled. */
function distance(pcm: Int16Array, original: Int16Array, labels: readonly number[]): number {
  const [a, b] = [new Float64Array(BANDS), new Float64Array(BANDS)];
  let sum = 0;
  let frames = 0;
  for (let at = 0; at + 368 <= pcm.length; at += 320) {
    if (labels[Math.floor((at + 160) / 160) % labels.length] !== 1) continue;
    frames++;
    const [part, whole] = [pcm.subarray(at, at + 368), original.subarray(at, at + 368)];
    if (part.every((s, i) => s === whole[i])) continue;
    bandPowers(part, a);
    bandPowers(whole, b);
    for (let band = 0; band < BANDS; band++)
      sum += Math.abs(10 * Math.log10((a[band]! + FLOOR) / (b[band]! + FLOOR))) / BANDS;
  }
  return sum / frames;
}
/** Of band powers: about -60 dBFS. */
const FLOOR = 1e-4;

const clean = index(once);
console.log(
  `${voices.length} voices, ${(once.length / 16_000).toFixed(0)} s; index of the original ${clean.toFixed(2)}`,
);
console.log(
  'delay: mean / p95 ms after the fastest packet; missing: % of samples; index lost; distance: dB in speech\n',
);
const head =
  'network (packets of 20 ms)                     seed | delay       missing  index  dist | fixed 60: missing  index  dist';
console.log(head);
const rows: { readonly name: string; readonly good: boolean; readonly why: string }[] = [];
for (const { name, network } of CASES) {
  const rounds = network.driftPpm === 0 ? 1 : DRIFT_ROUNDS;
  const pcm = new Int16Array(once.length * rounds);
  for (let i = 0; i < rounds; i++) pcm.set(once, i * once.length);
  const ours = throughJitterBuffer(pcm, network);
  const fixed = throughFixedBuffer(pcm, network, CONTROL_MS);
  const [a, b] = [figures(ours, pcm), figures(fixed, pcm)];
  const figure = (x: number, digits = 2) => x.toFixed(digits);
  console.log(
    `${name.padEnd(46)} ${network.seed} | ${`${figure(ours.delayMs, 1)} / ${figure(ours.delayP95Ms, 0)}`.padEnd(11)} ${figure(ours.missing * 100).padStart(6)}  ${figure(a.lost)}  ${figure(a.far)} |          ${figure(fixed.missing * 100).padStart(6)}   ${figure(b.lost)}   ${figure(b.far)}`,
  );
  rows.push(judge(name, ours, fixed, a, b));
}

function figures(run: NetworkRun, pcm: Int16Array): { readonly lost: number; readonly far: number } {
  return { lost: Math.max(0, clean - index(run.samples)), far: distance(run.samples, pcm, onceLabels) };
}

function judge(
  name: string,
  ours: NetworkRun,
  fixed: NetworkRun,
  a: { readonly lost: number; readonly far: number },
  b: { readonly lost: number; readonly far: number },
): { readonly name: string; readonly good: boolean; readonly why: string } {
  const notLater = ours.delayMs <= CONTROL_MS;
  const whole = fixed.missing === 0;
  // Where the control loses nothing there is nothing to gain: then not a sample may differ from what was sent.
  const better = whole ? ours.missing === 0 && a.far === 0 : a.far < b.far && a.lost <= b.lost;
  const why = whole
    ? 'every sample as it was sent, sooner'
    : 'less is lost of the index and of the spectrum, not later';
  return { name, good: notLater && better, why };
}

console.log('');
for (const { name, good, why } of rows) proof.check(good, `${name}: ${why}`);
const seconds = (performance.now() - started) / 1000;
proof.check(seconds < 90, `the proof took ${seconds.toFixed(1)} s (90)`);
proof.finish();
