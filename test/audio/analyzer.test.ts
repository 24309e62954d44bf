// The analyzer against its f64 twin, and at its limits: any chunking, a full ring, silence, full scale.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Analyzer, createAudioCore, type SampleRateHz } from '../../src/audio/index.ts';
import { FrameTwin } from './frame-twin.ts';
import { addPhrase, clampPcm, seeded, softNoise, speechLike, toPcm, whiteNoise } from './signals.ts';

const core = createAudioCore({ maxSlots: 2 });

function bytesOf(pcm: Int16Array): Uint8Array {
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

/** What the analyzer says of each frame of a signal given in chunks of these lengths in turn. */
function listen(pcm: Int16Array, rateHz: SampleRateHz, chunks: readonly number[]): number[] {
  const analyzer = core.openAnalyzer(rateHz);
  const results: number[] = [];
  for (let at = 0, turn = 0; at < pcm.length; turn++) {
    const chunk = pcm.subarray(at, Math.min(pcm.length, at + chunks[turn % chunks.length]!));
    at += analyzer.write(bytesOf(chunk));
    while (analyzer.next()) {
      results.push(
        analyzer.score,
        analyzer.rms,
        analyzer.firstHalfDb,
        analyzer.secondHalfDb,
        analyzer.floorDb,
        analyzer.peak,
      );
      results.push(...analyzer.frame);
    }
  }
  analyzer.release();
  return results;
}

function feed(analyzer: Analyzer, frame: Int16Array): void {
  assert.equal(analyzer.write(bytesOf(frame)), 320);
  assert.equal(analyzer.next(), true);
}

const SIGNALS: Readonly<Record<string, Int16Array>> = {
  'speech in noise': speechLike({ seconds: 8, seed: 3, noiseDb: -46 }),
  'quiet speech': speechLike({ seconds: 4, seed: 4, noiseDb: -78 }).map((x) => Math.round(x / 8)),
  'strong noise': speechLike({ seconds: 8, seed: 5, noiseDb: -28 }),
  'noise that steps up': toPcm(Float64Array.from([...softNoise(32000, -70, 6), ...softNoise(80000, -40, 7)])),
  'digital silence, then speech': Int16Array.from([
    ...new Int16Array(8000),
    ...speechLike({ seconds: 2, seed: 8, noiseDb: -90 }),
  ]),
  'full-scale noise': toPcm(whiteNoise(32000, 3, 9)),
};

for (const [name, pcm] of Object.entries(SIGNALS)) {
  test(`agrees with the twin: ${name}`, () => {
    const analyzer = core.openAnalyzer(16000);
    const twin = new FrameTwin();
    for (let at = 0; at + 320 <= pcm.length; at += 320) {
      const frame = pcm.subarray(at, at + 320);
      feed(analyzer, frame);
      twin.analyze(frame);
      const where = `frame ${at / 320}`;
      assert.equal(analyzer.rms, twin.rms, where);
      assert.equal(analyzer.peak, twin.peak, where);
      assert.ok(Math.abs(analyzer.firstHalfDb - twin.firstHalfDb) < 1e-9, where);
      assert.ok(Math.abs(analyzer.secondHalfDb - twin.secondHalfDb) < 1e-9, where);
      assert.ok(
        Math.abs(analyzer.floorDb - twin.speech.floor) < 1e-6,
        `${where}: ${analyzer.floorDb} ${twin.speech.floor}`,
      );
      assert.ok(
        Math.abs(analyzer.score - twin.speech.score) < 1e-4,
        `${where}: ${analyzer.score} ${twin.speech.score}`,
      );
      assert.deepEqual(analyzer.frame, frame);
    }
    analyzer.release();
  });
}

test('is the same under any chunking, at every rate', () => {
  const pcm = speechLike({ seconds: 1, seed: 10, noiseDb: -40 });
  const random = seeded(12);
  for (const rateHz of [8000, 16000, 24000, 48000] as const) {
    const whole = listen(pcm, rateHz, [rateHz / 50]);
    assert.ok(whole.length > 300);
    assert.deepEqual(listen(pcm, rateHz, [1]), whole);
    assert.deepEqual(listen(pcm, rateHz, [100_000]), whole);
    assert.deepEqual(
      listen(
        pcm,
        rateHz,
        Array.from({ length: 30 }, () => 1 + Math.floor(random() * 3000)),
      ),
      whole,
    );
  }
});

test('takes a packet of 100 ms whole, and stops at a full ring without losing anything', () => {
  for (const rateHz of [8000, 16000, 24000, 48000] as const) {
    const analyzer = core.openAnalyzer(rateHz);
    const second = new Uint8Array(rateHz * 2);
    assert.equal(analyzer.write(second.subarray(0, rateHz / 5)), rateHz / 10);
    while (analyzer.next());
    let taken = 0;
    for (let turn = 0; turn < 3; turn++) taken += analyzer.write(second);
    assert.ok(taken >= rateHz / 10 && taken < rateHz / 5, `${rateHz} Hz: ${taken} samples`);
    assert.ok(analyzer.write(second) <= 6);
    let frames = 0;
    while (analyzer.next()) frames++;
    assert.ok(frames >= 5 && frames <= 6, `${rateHz} Hz: ${frames} frames`);
    assert.ok(analyzer.write(second) > 0);
    analyzer.release();
  }
});

test('frames of other rates lie at the time of their input', () => {
  for (const rateHz of [8000, 24000, 48000] as const) {
    const analyzer = core.openAnalyzer(rateHz);
    // A click at 30 ms: the middle of the second frame.
    const pcm = new Int16Array(rateHz / 10);
    for (let i = 0; i < pcm.length; i++)
      pcm[i] = clampPcm(20000 * Math.exp(-((i / rateHz - 0.03) ** 2) / (2 * 0.0004 ** 2)));
    analyzer.write(bytesOf(pcm));
    analyzer.next();
    assert.ok(analyzer.peak < 10);
    analyzer.next();
    assert.equal(analyzer.frame.indexOf(Math.max(...analyzer.frame)), 160);
    assert.equal(analyzer.delaySamples, rateHz === 8000 ? 64 : 32);
    analyzer.release();
  }
});

test('writeSilence is the same as zeros', () => {
  const pcm = speechLike({ seconds: 1, seed: 14, noiseDb: -50 });
  const run = (silence: (analyzer: Analyzer) => void) => {
    const analyzer = core.openAnalyzer(24000);
    const results: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      analyzer.write(bytesOf(pcm.subarray(turn * 1200, turn * 1200 + 1200)));
      silence(analyzer);
      while (analyzer.next()) results.push(analyzer.score, analyzer.rms, ...analyzer.frame);
    }
    analyzer.release();
    return results;
  };
  assert.deepEqual(
    run((analyzer) => analyzer.writeSilence(1100)),
    run((analyzer) => analyzer.write(new Uint8Array(2200))),
  );
});

test('an odd last byte is no sample; an empty packet is nothing', () => {
  const analyzer = core.openAnalyzer(16000);
  assert.equal(analyzer.write(new Uint8Array(0)), 0);
  assert.equal(analyzer.write(new Uint8Array(1)), 0);
  assert.equal(analyzer.write(new Uint8Array(641)), 320);
  assert.equal(analyzer.write(new Uint8Array(2049)), 1024);
  assert.equal(analyzer.next(), true);
  analyzer.release();
});

test('levels of known signals', () => {
  const analyzer = core.openAnalyzer(16000);
  feed(analyzer, new Int16Array(320));
  assert.deepEqual(
    [analyzer.rms, analyzer.firstHalfDb, analyzer.secondHalfDb, analyzer.peak, analyzer.score],
    [0, -100, -100, 0, 0],
  );
  feed(analyzer, new Int16Array(320).fill(-32768));
  assert.equal(analyzer.rms, 1);
  assert.ok(Math.abs(analyzer.firstHalfDb) < 1e-9);
  assert.equal(analyzer.peak, 32768);
  feed(
    analyzer,
    Int16Array.from({ length: 320 }, (_, i) => (i < 160 ? 328 : -3277)),
  );
  assert.ok(Math.abs(analyzer.firstHalfDb - 20 * Math.log10(328 / 32768)) < 1e-9);
  assert.ok(Math.abs(analyzer.secondHalfDb - 20 * Math.log10(3277 / 32768)) < 1e-9);
  feed(
    analyzer,
    Int16Array.from({ length: 320 }, (_, i) => (i === 5 ? 1 : 0)),
  );
  assert.equal(analyzer.rms, Math.sqrt(1 / 32768 ** 2 / 320));
  analyzer.release();
});

test('every result is finite and the score within 0..1, whatever comes in', () => {
  const random = seeded(77);
  const analyzer = core.openAnalyzer(16000);
  const kinds: readonly ((i: number) => number)[] = [
    () => 0,
    () => 1,
    () => -32768,
    (i) => (i & 1 ? 32767 : -32768),
    (i) => ((i >> 4) & 1 ? 32767 : -32768),
    () => Math.floor(random() * 65536) - 32768,
    (i) => (i === 100 ? 32767 : 0),
    () => Math.floor(random() * 3) - 1,
    (i) => clampPcm(3000 * Math.sin(i / 9)),
  ];
  for (let frame = 0; frame < 3000; frame++) {
    const kind = kinds[Math.floor(random() * kinds.length)]!;
    feed(
      analyzer,
      Int16Array.from({ length: 320 }, (_, i) => kind(i)),
    );
    for (const value of [analyzer.rms, analyzer.firstHalfDb, analyzer.secondHalfDb, analyzer.floorDb, analyzer.score]) {
      assert.ok(Number.isFinite(value), `frame ${frame} (seed 77)`);
    }
    assert.ok(analyzer.score >= 0 && analyzer.score <= 1, `frame ${frame}: ${analyzer.score}`);
  }
  analyzer.release();
});

test('a phrase is heard after thousands of hours of turns', () => {
  // Counters wrap after 2^31 frames: the state far out is as good as a fresh one after some noise, so only the ring is exercised here.
  const analyzer = core.openAnalyzer(16000);
  const quiet = toPcm(softNoise(320, -70, 1));
  for (let i = 0; i < 20_000; i++) feed(analyzer, quiet);
  const signal = softNoise(16000, -70, 2);
  addPhrase(signal, { startMs: 300, endMs: 800 }, -26, 3);
  const pcm = toPcm(signal);
  let voiced = 0;
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    feed(analyzer, pcm.subarray(at, at + 320));
    if (analyzer.score >= 0.5) voiced++;
  }
  assert.ok(voiced >= 22 && voiced <= 28, `${voiced} frames`);
  analyzer.release();
});
