// Signal quality: the sensors and the index against their twin, windows, what each figure says of a known signal, and bad input.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Analyzer,
  createAudioCore,
  noiseRatio,
  type SampleRateHz,
  type SignalQuality,
} from '../../src/audio/index.ts';
import { QualityTwin } from './quality-twin.ts';
import { clampPcm, seeded, speechLike, whiteNoise } from './signals.ts';

const core = createAudioCore({ maxSlots: 4 });
const TOLERANCE: Partial<Record<keyof SignalQuality, number>> = {
  score: 1e-4,
  clarity: 1e-4,
  levelDb: 1e-3,
  snrDb: 1e-2,
  clipFraction: 1e-9,
  gapFraction: 1e-9,
  dc: 1e-9,
};

function feed(analyzer: Analyzer, pcm: Int16Array, each: () => void = () => {}): void {
  const packet = analyzer.inputRateHz / 50;
  for (let at = 0; at + packet <= pcm.length; at += packet) {
    analyzer.write(new Uint8Array(pcm.buffer, pcm.byteOffset + at * 2, packet * 2));
    while (analyzer.next()) each();
  }
}

function qualityOf(pcm: Int16Array, rateHz: SampleRateHz = 16_000): SignalQuality {
  const analyzer = core.openAnalyzer(rateHz);
  feed(analyzer, pcm);
  const quality = { ...(analyzer.quality as SignalQuality) };
  analyzer.release();
  return quality;
}

/** At another rate: each sample repeated, or every other one. Only for signals whose spectrum does not matter. */
function atRate(pcm: Int16Array, rateHz: SampleRateHz): Int16Array {
  return Int16Array.from(
    { length: Math.floor((pcm.length * rateHz) / 16_000) },
    (_, i) => pcm[Math.floor((i * 16_000) / rateHz)]!,
  );
}

function compare(quality: SignalQuality, twin: SignalQuality, what: string): void {
  assert.equal(quality.frames, twin.frames, what);
  assert.equal(quality.activeFrames, twin.activeFrames, what);
  assert.equal(quality.bandwidthHz, twin.bandwidthHz, `${what}: bandwidthHz`);
  for (const [key, tolerance] of Object.entries(TOLERANCE) as [keyof SignalQuality, number][]) {
    const [a, b] = [quality[key], twin[key]];
    const good = Number.isNaN(b) ? Number.isNaN(a) : Math.abs(a - b) <= tolerance;
    assert.ok(good, `${what}: ${key} ${a}, twin ${b}`);
  }
}

const SPEECH = speechLike({ seconds: 12, seed: 5, noiseDb: -60 });
const damages: Readonly<Record<string, (pcm: Int16Array) => Int16Array>> = {
  nothing: (pcm) => pcm,
  noise: (pcm) => {
    const noise = whiteNoise(pcm.length, -36, 2);
    return pcm.map((s, i) => clampPcm(s + noise[i]!));
  },
  clipping: (pcm) => pcm.map((s) => Math.max(-4000, Math.min(4000, s))),
  holes: (pcm) => pcm.map((s, i) => (Math.floor(i / 320) % 7 === 3 ? 0 : s)),
  'ragged holes': (pcm) => pcm.map((s, i) => (i % 2311 < 277 ? 0 : s)),
  offset: (pcm) => pcm.map((s) => clampPcm(s + 1500)),
  whisper: (pcm) => pcm.map((s) => Math.round(s / 200)),
  'full-scale squares': (pcm) => pcm.map((_, i) => (Math.floor(i / 37) % 2 === 0 ? 32767 : -32768)),
  'one-bit noise': (pcm) => {
    const random = seeded(9);
    return pcm.map(() => (random() < 0.5 ? 0 : 1));
  },
  'lowest value': (pcm) => pcm.map(() => -32768),
  silence: (pcm) => pcm.map(() => 0),
};

for (const rateHz of [8000, 16_000, 48_000] as const) {
  test(`sensors and index are those of the twin at ${rateHz} Hz`, () => {
    for (const [name, damage] of Object.entries(damages)) {
      const analyzer = core.openAnalyzer(rateHz);
      const twin = new QualityTwin(rateHz);
      const pcm = damage(rateHz === 16_000 ? SPEECH : atRate(SPEECH, rateHz).subarray(0, rateHz * 5));
      const packet = rateHz / 50;
      let windows = 0;
      for (let at = 0; at + packet <= pcm.length; at += packet) {
        const part = pcm.slice(at, at + packet);
        twin.hear(part);
        analyzer.write(new Uint8Array(part.buffer));
        while (analyzer.next()) {
          // The twin is told what the detector heard, and given the core's own frame.
          twin.frame(analyzer.frame.slice(), analyzer.score >= 0.5);
          const quality = analyzer.quality as SignalQuality;
          assert.equal(quality.windows, twin.figures.windows, name);
          if (quality.windows === windows) continue;
          windows = quality.windows;
          compare(quality, twin.figures, name);
        }
      }
      analyzer.release();
    }
  });
}

test('a window ends after 4 s with speech and after 10 s without', () => {
  const analyzer = core.openAnalyzer(16_000);
  const ends: number[] = [];
  let frames = 0;
  feed(analyzer, Int16Array.from([...SPEECH, ...new Int16Array(16_000 * 10)]), () => {
    frames++;
    if (analyzer.quality?.windows !== ends.length) ends.push(frames);
  });
  analyzer.release();
  assert.deepEqual(ends, [200, 400, 600, 1100]);
});

test('before the first window nothing is measured', () => {
  const quality = qualityOf(SPEECH.subarray(0, 16_000 * 3));
  assert.equal(quality.windows, 0);
  assert.ok(Number.isNaN(quality.score) && Number.isNaN(quality.levelDb) && Number.isNaN(noiseRatio(quality)));
});

test('silence, an idle line and steady noise are no speech, not bad speech', () => {
  for (const db of [-120, -78, -36]) {
    const quality = qualityOf(Int16Array.from(whiteNoise(16_000 * 11, db, 3), clampPcm));
    assert.equal(quality.windows, 1, `${db} dB`);
    assert.ok(Number.isNaN(quality.score), `${db} dB: ${quality.score}`);
    assert.equal(quality.activeFrames, 0);
  }
});

test('each kind of damage lowers the index and shows in its own figure', () => {
  const of = (name: string) => qualityOf((damages[name] as (pcm: Int16Array) => Int16Array)(SPEECH));
  const clean = of('nothing');
  assert.ok(clean.score > 3.8, `${clean.score}`);
  assert.ok(noiseRatio(clean) < 0.02);
  const [noise, clipping, holes, offset] = [of('noise'), of('clipping'), of('holes'), of('offset')];
  assert.ok(noise.score < clean.score - 0.5 && noise.snrDb < 16 && noise.clarity > 4);
  assert.ok(clipping.clipFraction > 0.02 && clipping.clarity < clean.clarity - 0.3);
  assert.ok(Math.abs(holes.gapFraction - 1 / 7) < 0.03, `${holes.gapFraction}`);
  assert.ok(holes.score < clean.score - 0.5);
  assert.ok(Math.abs(offset.dc - 1500 / 32768) < 0.001 && offset.clarity === clean.clarity);
});

test('6 dB up or down changes nothing', () => {
  const clean = qualityOf(SPEECH).score;
  for (const gain of [0.5, 2]) {
    const other = qualityOf(SPEECH.map((s) => clampPcm(s * gain))).score;
    assert.ok(Math.abs(other - clean) <= 0.1, `${other} instead of ${clean}`);
  }
});

test('lengths of packets change nothing in the figures of the frames, and the sensors of the input see the same samples', () => {
  const whole = qualityOf(SPEECH);
  for (const samples of [1, 39, 320, 1024, 1600]) {
    const analyzer = core.openAnalyzer(16_000);
    for (let at = 0; at < SPEECH.length; at += samples) {
      const part = SPEECH.subarray(at, at + samples);
      analyzer.write(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      while (analyzer.next());
    }
    const quality = analyzer.quality as SignalQuality;
    assert.equal(quality.windows, whole.windows, `${samples}`);
    assert.equal(quality.snrDb, whole.snrDb, `${samples}`);
    assert.equal(quality.levelDb, whole.levelDb, `${samples}`);
    assert.equal(quality.clipFraction, whole.clipFraction, `${samples}`);
    analyzer.release();
  }
});

test('a reset, a release and another stream leave nothing behind', () => {
  const analyzer = core.openAnalyzer(16_000);
  feed(analyzer, damages['clipping']!(SPEECH));
  analyzer.reset();
  assert.equal(analyzer.quality?.windows, 0);
  feed(analyzer, SPEECH);
  assert.deepEqual({ ...analyzer.quality }, qualityOf(SPEECH));
  analyzer.release();
  assert.equal(analyzer.quality?.windows, 0);
  assert.ok(Number.isNaN(analyzer.quality?.score));
});
