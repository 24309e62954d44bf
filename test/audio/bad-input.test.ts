// What no caller should send, against twins in f64: any bits as floats, any samples at any rate and length, slots of others untouched.
// The generators are seeded; SYRINX_SEED=N tries another sequence.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { type Analyzer, createAudioCore, type SampleRateHz } from '../../src/audio/index.ts';
import { createEngine } from '../../src/audio/engine.ts';
import { decisionTable, decodeTable } from './g711-twin.ts';
import { seeded, speechLike } from './signals.ts';

const SEED = Number(process.env['SYRINX_SEED'] ?? 20_261);
const RATES = [8000, 16_000, 24_000, 48_000] as const;

/** Scale, round halves to even, saturate; NaN is silence. */
function pcmOf(value: number): number {
  const scaled = Math.fround(value * 32768);
  if (Number.isNaN(scaled)) return 0;
  let rounded = Math.round(scaled);
  if (Math.abs(scaled % 1) === 0.5 && rounded % 2 !== 0) rounded--;
  return Math.max(-32768, Math.min(32767, rounded)) + 0;
}

test('200,000 floats of any bits become what the twin says', (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  const { core, floatOut, pcmOut } = createEngine(1);
  const bits = new Uint32Array(floatOut.buffer, floatOut.byteOffset, 1000);
  const values = new Float32Array(1000);
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 1000; i++) {
      // Half of them any bits (NaN, infinities, denormals, 1e38), half in and around the range.
      if ((i & 1) === 0) bits[i] = Math.floor(random() * 2 ** 32);
      else floatOut[i] = (random() - 0.5) * 2.1;
      values[i] = floatOut[i]!;
    }
    const count = 990 + (round % 11);
    core.floatToPcm(floatOut.byteOffset, pcmOut.byteOffset, count);
    for (let i = 0; i < count; i++)
      if (pcmOut[i] !== pcmOf(values[i]!)) assert.fail(`seed ${SEED}: ${values[i]} became ${pcmOut[i]}`);
  }
});

test('NaN and infinities in the resampler harm the samples that they reach, and no other slot', () => {
  const engine = createEngine(2);
  const { core, floatOut } = engine;
  const [bad, good] = [core.openSlot(), core.openSlot()];
  core.start(bad, 8000, 16_000);
  core.start(good, 8000, 16_000);
  const clean = Array.from({ length: 160 }, (_, i) => Math.sin(i / 5) / 2);
  const run = (handle: number, values: readonly number[]) => {
    floatOut.set(values);
    return [...floatOut.subarray(0, core.resampleFloat(handle, values.length))];
  };
  const expected = run(good, clean);
  core.start(good, 8000, 16_000);
  run(
    bad,
    clean.map((x, i) => (i === 20 ? Number.NaN : i === 40 ? Infinity : x)),
  );
  assert.deepEqual(run(good, clean), expected);
  // The bad stream is whole again when they have left its filter.
  run(bad, clean);
  assert.ok(run(bad, clean).every(Number.isFinite));
});

test('131,072 samples through both laws of G.711 are where the twin puts them', (t) => {
  t.diagnostic(`seed ${SEED}`);
  const core = createAudioCore({ maxSlots: 1 });
  const random = seeded(SEED + 1);
  const pcm = Int16Array.from({ length: 65_536 }, () => Math.floor(random() * 65_536) - 32_768);
  const bytes = new Uint8Array(pcm.length);
  const back = new Int16Array(pcm.length);
  for (const law of ['mu', 'a'] as const) {
    const [values, decisions] = [decodeTable(law), decisionTable(law)];
    core.encodeG711(law, pcm, bytes);
    core.decodeG711(law, bytes, back);
    for (let i = 0; i < pcm.length; i++) {
      const size = pcm[i]! >= 0 ? pcm[i]! : law === 'mu' ? -pcm[i]! : -1 - pcm[i]!;
      const code = law === 'mu' ? ~bytes[i]! & 0x7f : (bytes[i]! ^ 0x55) & 0x7f;
      const fits = size >= decisions[code]! && size < (decisions[code + 1] ?? 65_536) && back[i] === values[bytes[i]!];
      if (!fits) assert.fail(`seed ${SEED}: ${law} ${pcm[i]} became ${bytes[i]} and ${back[i]}`);
    }
  }
});

/** A stretch of what lines really carry when something is broken. */
function stretch(random: () => number, samples: number): Int16Array {
  const kind = Math.floor(random() * 8);
  const period = 1 + Math.floor(random() * 400);
  const level = Math.floor(random() * 32_768);
  return Int16Array.from({ length: samples }, (_, i) => {
    if (kind === 0) return 0;
    if (kind === 1) return i % (2 * period) < period ? 32_767 : -32_768;
    if (kind === 2) return i & 1;
    if (kind === 3) return level;
    if (kind === 4) return i % period === 0 ? -32_768 : 0;
    if (kind === 5) return Math.floor(random() * 65_536) - 32_768;
    if (kind === 6) return random() < 0.5 ? 0 : 1;
    return Math.floor((level * ((i % period) - period / 2)) / period);
  });
}

function checkFigures(analyzer: Analyzer, what: string): void {
  const { score, rms, firstHalfDb, secondHalfDb, floorDb, peak, quality } = analyzer;
  assert.ok(score >= 0 && score <= 1, `${what}: score ${score}`);
  assert.ok(rms >= 0 && rms <= 1 && peak >= 0 && peak <= 32_768, `${what}: rms ${rms}, peak ${peak}`);
  for (const db of [firstHalfDb, secondHalfDb, floorDb]) assert.ok(db >= -101 && db <= 1, `${what}: ${db} dB`);
  if (quality === null || quality.windows === 0) return;
  const inside = (x: number, low: number, high: number) => Number.isNaN(x) || (x >= low && x <= high);
  assert.ok(inside(quality.score, 1, 5) && inside(quality.clarity, 1, 5), `${what}: index ${quality.score}`);
  assert.ok(inside(quality.clipFraction, 0, 1) && inside(quality.gapFraction, 0, 1) && inside(quality.dc, 0, 1), what);
  assert.ok(inside(quality.snrDb, -10, 60) && inside(quality.bandwidthHz, 0, 7500), what);
}

for (const rateHz of RATES) {
  test(`any samples in packets of any length at ${rateHz} Hz: figures stay in range, a stream beside them hears its own`, (t) => {
    t.diagnostic(`seed ${SEED}`);
    const random = seeded(SEED + rateHz);
    const core = createAudioCore({ maxSlots: 2 });
    const beside = core.openAnalyzer(16_000);
    const alone = createAudioCore({ maxSlots: 1 }).openAnalyzer(16_000);
    const voice = speechLike({ seconds: 2, seed: 4, noiseDb: -50 });
    const analyzer = core.openAnalyzer(rateHz);
    let frames = 0;
    for (let i = 0; i < 100; i++) {
      const part = stretch(random, 1 + Math.floor(random() * (i % 10 === 0 ? rateHz / 4 : 700)));
      const odd = new Uint8Array(part.length * 2 + (i & 1));
      odd.set(new Uint8Array(part.buffer));
      let taken = analyzer.write(odd);
      while (taken <= part.length) {
        while (analyzer.next()) {
          frames++;
          checkFigures(analyzer, `seed ${SEED}, stretch ${i}`);
        }
        if (taken === part.length) break;
        taken += analyzer.write(odd.subarray(taken * 2));
      }
      const packet = new Uint8Array(voice.buffer, i * 640, 640);
      beside.write(packet);
      alone.write(packet);
      assert.equal(beside.next(), alone.next());
      assert.equal(beside.score, alone.score);
    }
    assert.ok(frames > 50, `${frames} frames`);
  });
}

test('ten minutes in one chunk are taken as far as there is room, and the rest when it was read', () => {
  const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(8000);
  const chunk = new Uint8Array(10 * 60 * 8000 * 2);
  let at = 0;
  let frames = 0;
  while (at < chunk.length) {
    const taken = analyzer.write(chunk.subarray(at));
    assert.ok(taken > 0 && taken <= 2048);
    at += taken * 2;
    while (analyzer.next()) frames++;
  }
  assert.ok(frames >= 10 * 60 * 50 - 1 && frames <= 10 * 60 * 50);
  assert.equal(analyzer.quality?.windows, 59);
});

test('ten minutes in one chunk are resampled as in chunks of any length', () => {
  const core = createAudioCore({ maxSlots: 2 });
  const random = seeded(SEED + 3);
  const pcm = Int16Array.from({ length: 10 * 60 * 8000 }, () => Math.floor(random() * 65_536) - 32_768);
  const [whole, parts] = [core.openResampler(8000, 16_000), core.openResampler(8000, 16_000)];
  const [a, b] = [new Int16Array(whole.maxOutput(pcm.length)), new Int16Array(whole.maxOutput(pcm.length) + 20_000)];
  const count = whole.process(pcm, a);
  let written = 0;
  for (let at = 0; at < pcm.length; ) {
    const part = pcm.subarray(at, at + 1 + Math.floor(random() * 9000));
    written += parts.process(part, b.subarray(written));
    at += part.length;
  }
  assert.equal(written, count);
  assert.equal(
    a.findIndex((sample, i) => i < count && sample !== b[i]),
    -1,
  );
});

test('one sample at a time is as good as a frame', () => {
  const core = createAudioCore({ maxSlots: 2 });
  for (const rateHz of [8000, 48_000] as readonly SampleRateHz[]) {
    const pcm = speechLike({ seconds: 1, seed: 6, noiseDb: -50 });
    const [a, b] = [core.openAnalyzer(rateHz), core.openAnalyzer(rateHz)];
    const bytes = new Uint8Array(pcm.buffer);
    const scores: number[][] = [[], []];
    for (let i = 0; i < 8000; i++) {
      a.write(bytes.subarray(i * 2, i * 2 + 2));
      while (a.next()) scores[0]!.push(a.score);
    }
    for (let i = 0; i < 8000; i += 160) {
      b.write(bytes.subarray(i * 2, i * 2 + 320));
      while (b.next()) scores[1]!.push(b.score);
    }
    assert.deepEqual(scores[0], scores[1]);
    a.release();
    b.release();
  }
});
