// The kernels against their f64 twins on a hundred thousand random cases each: frames of the fused pass, windows of quality, resampled samples.
// (G.711 and floats to PCM: bad-input.test.ts; the stages of the net: neural/net.test.ts.) SYRINX_SEED=N tries another sequence.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { createAudioCore, type SampleRateHz, type SignalQuality } from '../../src/audio/index.ts';
import { createEngine, openSlot, releaseSlot } from '../../src/audio/engine.ts';
import { FrameTwin } from './frame-twin.ts';
import { QualityTwin } from './quality-twin.ts';
import { ResamplerTwin } from './resampler-twin.ts';
import { clampPcm, seeded, softNoise, speechLike, whiteNoise } from './signals.ts';

const SEED = Number(process.env['SYRINX_SEED'] ?? 20_261_129);
const CASES = 100_000;
const core = createAudioCore({ maxSlots: 1 });
const POOL = 16_000 * 20;
const VOICE = speechLike({ seconds: 20, seed: SEED, noiseDb: -90 });
const NOISES = [whiteNoise(POOL, -20, SEED + 1), softNoise(POOL, -20, SEED + 2)] as const;

/** A stretch of a call: voice at some level in some noise, or what no caller sends; now and then with clipping, an offset or holes. */
class Scene {
  readonly #random: () => number;
  #kind = 0;
  #voice = 0;
  #noise = 0;
  #noiseAt = 0;
  #voiceAt = 0;
  #limit = 32_767;
  #offset = 0;
  #holes = 0;
  #period = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Another scene; returns its length in frames. */
  change(): number {
    const random = this.#random;
    this.#kind = random() < 0.85 ? 0 : 1 + Math.floor(random() * 5);
    this.#voice = random() < 0.2 ? 0 : 10 ** (random() * 2.5 - 2);
    this.#noise = 10 ** (random() * 4 - 3.8);
    this.#limit = random() < 0.2 ? 500 + random() * 8000 : 32_767;
    this.#offset = random() < 0.2 ? (random() - 0.5) * 5000 : 0;
    this.#holes = random() < 0.3 ? random() * 0.3 : 0;
    this.#period = 1 + Math.floor(random() * 400);
    this.#voiceAt = Math.floor(random() * POOL);
    this.#noiseAt = Math.floor(random() * POOL);
    return 50 + Math.floor(random() * 750);
  }

  fill(frame: Int16Array): void {
    const { length } = frame;
    if (this.#voiceAt + length > POOL) this.#voiceAt = 0;
    if (this.#noiseAt + length > POOL) this.#noiseAt = this.#voiceAt & 63;
    if (this.#random() < this.#holes) frame.fill(0);
    else if (this.#kind === 0) {
      const noise = NOISES[this.#period & 1]!;
      const [voice, level, voiceAt, noiseAt] = [this.#voice, this.#noise, this.#voiceAt, this.#noiseAt];
      const [limit, offset] = [this.#limit, this.#offset];
      for (let i = 0; i < length; i++) {
        const x = voice * VOICE[voiceAt + i]! + level * noise[noiseAt + i]!;
        frame[i] = clampPcm(Math.max(-limit, Math.min(limit, x)) + offset);
      }
    } else for (let i = 0; i < length; i++) frame[i] = this.#odd(i);
    this.#voiceAt += length;
    this.#noiseAt += length;
  }

  #odd(i: number): number {
    if (this.#kind === 1) return 0;
    if (this.#kind === 2) return i % (2 * this.#period) < this.#period ? 32_767 : -32_768;
    if (this.#kind === 3) return this.#random() < 0.5 ? 0 : 1;
    if (this.#kind === 4) return Math.floor(this.#random() * 65_536) - 32_768;
    return i % this.#period === 0 ? -32_768 : 0;
  }
}

test(`the fused pass: ${CASES} frames as the twin hears them`, (t) => {
  t.diagnostic(`seed ${SEED}`);
  const scene = new Scene(seeded(SEED));
  const frame = new Int16Array(320);
  const bytes = new Uint8Array(frame.buffer);
  const analyzer = core.openAnalyzer(16_000);
  let frames = 0;
  let ties = 0;
  while (frames < CASES) {
    analyzer.reset();
    const twin = new FrameTwin();
    const where = () => `seed ${SEED}, frame ${frames}`;
    for (let left = 4 * scene.change(); left > 0; left--) {
      if (left % 400 === 0) scene.change();
      scene.fill(frame);
      analyzer.write(bytes);
      assert.ok(analyzer.next());
      twin.analyze(frame);
      frames++;
      assert.equal(analyzer.rms, twin.rms, where());
      assert.equal(analyzer.peak, twin.peak, where());
      for (const key of ['firstHalfDb', 'secondHalfDb'] as const)
        if (!(Math.abs(analyzer[key] - twin[key]) < 1e-9)) assert.fail(`${where()}: ${key} ${analyzer[key]}`);
      const { floor, score, margin } = twin.speech;
      const same = Math.abs(analyzer.floorDb - floor) < 1e-4 && Math.abs(analyzer.score - score) < 1e-3;
      if (same) continue;
      // The bands are f32 in the core: what lies on the border may fall to either side, and the two have different pasts from there on.
      if (margin >= 1e-4) {
        assert.fail(
          `${where()}: score ${analyzer.score}, twin ${score}; floor ${analyzer.floorDb}, ${floor}; ${margin}`,
        );
      }
      ties++;
      break;
    }
  }
  analyzer.release();
  t.diagnostic(`${frames} frames, ${ties} on the border`);
  assert.ok(ties <= frames / 5000, `${ties} of ${frames} frames on the border`);
});

const TOLERANCES: Partial<Record<keyof SignalQuality, number>> = {
  score: 1e-3,
  clarity: 1e-3,
  levelDb: 1e-3,
  snrDb: 2e-2,
  clipFraction: 1e-9,
  gapFraction: 1e-9,
  dc: 1e-9,
};

/** Frames of which the windows are those of the twin; the scene changes once or more in each. */
function compareWindows(rateHz: SampleRateHz, wanted: number, log: (text: string) => void): void {
  const scene = new Scene(seeded(SEED + rateHz));
  const analyzer = core.openAnalyzer(rateHz);
  const twin = new QualityTwin(rateHz);
  const packet = new Int16Array(rateHz / 50);
  let windows = 0;
  let left = 0;
  let frames = 0;
  while (frames < wanted) {
    if (left-- <= 0) left = scene.change();
    scene.fill(packet);
    twin.hear(packet);
    analyzer.write(new Uint8Array(packet.buffer));
    while (analyzer.next()) {
      frames++;
      // The twin is told what the detector heard, and given the core's own frame.
      twin.frame(analyzer.frame, analyzer.score >= 0.5);
      const quality = analyzer.quality as SignalQuality;
      const { figures } = twin;
      const where = `seed ${SEED}, ${rateHz} Hz, window ${quality.windows}`;
      if (quality.windows !== figures.windows) assert.fail(`${where}, twin ${figures.windows}`);
      if (quality.windows === windows) continue;
      windows = quality.windows;
      for (const key of ['frames', 'activeFrames', 'bandwidthHz'] as const)
        assert.equal(quality[key], figures[key], `${where}: ${key}`);
      for (const [key, tolerance] of Object.entries(TOLERANCES) as [keyof SignalQuality, number][]) {
        const [a, b] = [quality[key], figures[key]];
        if (!(Number.isNaN(b) ? Number.isNaN(a) : Math.abs(a - b) <= tolerance))
          assert.fail(`${where}: ${key} ${a}, twin ${b}`);
      }
    }
  }
  analyzer.release();
  log(`${rateHz} Hz: ${frames} frames, ${windows} windows`);
}

test('quality: 100,000 frames in windows as the twin judges them, at four rates', (t) => {
  t.diagnostic(`seed ${SEED}`);
  compareWindows(16_000, 70_000, (text) => t.diagnostic(text));
  for (const rateHz of [8000, 24_000, 48_000] as const) compareWindows(rateHz, 10_000, (text) => t.diagnostic(text));
});

test(`the resampler: more than ${CASES} samples of all pairs of rates as the twin has them`, (t) => {
  t.diagnostic(`seed ${SEED}`);
  const engine = createEngine(1);
  const rates = [8000, 16_000, 24_000, 48_000];
  const random = seeded(SEED);
  let samples = 0;
  for (const from of rates) {
    for (const to of rates) {
      if (from === to) continue;
      const input = Float64Array.from({ length: 6000 }, () =>
        Math.fround((random() * 2 - 1) * (random() < 0.1 ? 1 : 0.1)),
      );
      const expected = new ResamplerTwin(from, to).filter(input);
      const handle = openSlot(engine, from, to);
      let heard = 0;
      for (let at = 0; at < input.length; ) {
        const block = input.subarray(at, at + 1 + Math.floor(random() * 1000));
        at += block.length;
        engine.floatOut.set(block);
        const count = engine.core.resampleFloat(handle, block.length);
        for (let i = 0; i < count; i++, heard++)
          if (!(Math.abs(engine.floatOut[i]! - expected[heard]!) < 2e-6))
            assert.fail(
              `seed ${SEED}: ${from} to ${to} Hz, sample ${heard}: ${engine.floatOut[i]}, twin ${expected[heard]}`,
            );
      }
      assert.equal(heard, expected.length);
      samples += heard;
      releaseSlot(engine, handle);
    }
  }
  t.diagnostic(`${samples} samples`);
  assert.ok(samples >= CASES);
});
