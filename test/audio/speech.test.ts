// The score finds where phrases begin and end, in quiet and in noise, loud and soft, and stays down when nobody speaks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { addPhrase, type Phrase, seeded, softNoise, toPcm, whiteNoise } from './signals.ts';

const core = createAudioCore({ maxSlots: 1 });
const PHRASES: readonly Phrase[] = [
  { startMs: 1000, endMs: 1620 },
  { startMs: 1870, endMs: 4440 },
  { startMs: 6500, endMs: 7240 },
  { startMs: 7390, endMs: 9300 },
  { startMs: 9650, endMs: 11600 },
];
const SECONDS = 13;

function scores(pcm: Int16Array): number[] {
  const analyzer = core.openAnalyzer(16000);
  const result: number[] = [];
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    analyzer.write(new Uint8Array(pcm.buffer, pcm.byteOffset + at * 2, 640));
    while (analyzer.next()) result.push(analyzer.score);
  }
  analyzer.release();
  return result;
}

function spoken(noise: Float64Array, db: number, seed: number): Int16Array {
  PHRASES.forEach((phrase, i) => addPhrase(noise, phrase, db, seed + i));
  return toPcm(noise);
}

/** Borders within `toleranceMs`, nothing beyond 100 ms of a phrase, and pauses that show. */
function check(name: string, pcm: Int16Array, toleranceMs: number): void {
  const voiced = scores(pcm).map((score) => score >= 0.5);
  PHRASES.forEach((phrase, i) => {
    const from = ((PHRASES[i - 1]?.endMs ?? 0) + phrase.startMs) / 40;
    const to = (phrase.endMs + (PHRASES[i + 1]?.startMs ?? SECONDS * 1000)) / 40;
    const frames = voiced.map((on, k) => (on && k >= from && k < to ? k : -1)).filter((k) => k >= 0);
    const start = frames[0]! * 20 - phrase.startMs;
    const end = frames.at(-1)! * 20 + 20 - phrase.endMs;
    assert.ok(Math.abs(start) <= toleranceMs, `${name}: phrase ${i} starts ${start} ms off`);
    assert.ok(Math.abs(end) <= toleranceMs, `${name}: phrase ${i} ends ${end} ms off`);
  });
  const outside = voiced.filter(
    (on, k) => on && !PHRASES.some((p) => k * 20 + 20 > p.startMs - 100 && k * 20 < p.endMs + 100),
  );
  assert.equal(outside.length, 0, `${name}: frames outside of phrases`);
}

for (const gainDb of [-12, 0, 12]) {
  test(`clean speech at ${gainDb} dB`, () => {
    for (const seed of [100, 200])
      check(`seed ${seed}`, spoken(whiteNoise(SECONDS * 16000, -78, seed), -26 + gainDb, seed), 40);
  });

  test(`speech 20 dB above noise, at ${gainDb} dB`, () => {
    for (const seed of [400, 500]) {
      check(`white, seed ${seed}`, spoken(whiteNoise(SECONDS * 16000, -46 + gainDb, seed), -26 + gainDb, seed), 60);
      check(`soft, seed ${seed}`, spoken(softNoise(SECONDS * 16000, -46 + gainDb, seed), -26 + gainDb, seed), 60);
    }
  });
}

test('speech straight after digital silence', () => {
  const pcm = spoken(whiteNoise(SECONDS * 16000, -78, 7), -26, 7);
  for (const phrase of [0, ...PHRASES.map((p) => p.endMs)].map(
    (end, i) => [end, PHRASES[i]?.startMs ?? SECONDS * 1000] as const,
  )) {
    pcm.fill(0, (phrase[0] + 60) * 16, (phrase[1] - 60) * 16);
  }
  check('between zeros', pcm, 40);
});

test('a call that begins 100 ms before the first word', () => {
  const pcm = spoken(whiteNoise(SECONDS * 16000, -78, 8), -26, 8).subarray(900 * 16);
  const first = scores(pcm).findIndex((score) => score >= 0.5) * 20;
  assert.ok(Math.abs(first - 100) <= 40, `${first} ms`);
});

test('silence, idle lines and steady noise are not speech', () => {
  for (const pcm of [
    new Int16Array(160_000),
    toPcm(whiteNoise(160_000, -78, 1)),
    toPcm(whiteNoise(160_000, -36, 2)),
    toPcm(softNoise(160_000, -36, 3)),
    toPcm(softNoise(160_000, -12, 4)),
  ]) {
    assert.equal(scores(pcm).filter((score) => score >= 0.5).length, 0);
  }
});

test('a click is short, and noise that steps up is forgotten within three seconds', () => {
  const random = seeded(9);
  const click = whiteNoise(48_000, -70, 5);
  for (let i = 0; i < 80; i++) click[16_000 + i]! += (random() - 0.5) * 40_000;
  assert.ok(scores(toPcm(click)).filter((score) => score >= 0.5).length <= 2);
  const step = Float64Array.from([...softNoise(32_000, -70, 6), ...softNoise(64_000, -40, 7)]);
  const last = scores(toPcm(step)).findLastIndex((score) => score >= 0.5) * 20;
  assert.ok(last < 5000, `speech until ${last} ms`);
});
