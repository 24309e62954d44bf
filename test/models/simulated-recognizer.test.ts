// The simulated ear: known recordings under gain, noise, rate and damage; nothing for anything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecognizer, CUT, demoDialogue } from '../../src/models/simulated/index.ts';
import { createRandom } from '../../src/models/simulated/random.ts';
import { resample } from '../../src/models/simulated/resample.ts';

const SEED = 20_241;
const recordings = demoDialogue.recordings();
const recognizer = createRecognizer(recordings);
const clip = (index: number): Float32Array => recordings[index]?.samples as Float32Array;
const text = (index: number): string => recordings[index]?.text as string;
const all = [0, 1, 2, 3];

function concat(...parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
const silence = (ms: number): Float32Array => new Float32Array(ms * 16);
const padded = (index: number): Float32Array => concat(silence(300), clip(index), silence(400));
const power = (samples: Float32Array): number => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
/** Gaussian noise that lies `snrDb` below the speech. */
function noisy(samples: Float32Array, speech: Float32Array, snrDb: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const sigma = Math.sqrt(power(speech) / 10 ** (snrDb / 10));
  return samples.map((x) => x + sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

test('finds each recording, and where it lies', () => {
  for (const i of all) {
    const { text: heard, found } = recognizer.recognize(padded(i), 16_000);
    assert.equal(heard, text(i));
    assert.ok(Math.abs((found[0]?.startMs ?? 0) - 300) <= 1);
  }
});
test('at any gain, polarity and clipping level', () => {
  for (const i of all) {
    for (const gain of [0.003, 0.1, -1, 3]) {
      const changed = padded(i).map((x) => Math.max(-1, Math.min(1, Math.round(x * gain * 32_768) / 32_768)));
      assert.equal(recognizer.recognize(changed, 16_000).text, text(i), `gain ${gain}`);
    }
  }
});
test('at rates from 8 to 48 kHz', () => {
  for (const i of all) {
    for (const rate of [8000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000]) {
      assert.equal(recognizer.recognize(resample(padded(i), 16_000, rate), rate).text, text(i), `${rate} Hz`);
    }
  }
});
test('in noise down to 10 dB', () => {
  for (const i of all) {
    for (const snrDb of [30, 20, 15, 10]) {
      for (let seed = SEED; seed < SEED + 5; seed++) {
        assert.equal(
          recognizer.recognize(noisy(padded(i), clip(i), snrDb, seed), 16_000).text,
          text(i),
          `${snrDb} dB, seed ${seed}`,
        );
      }
    }
  }
});
test('several in one upload, in their order, also the same one twice', () => {
  const upload = concat(clip(2), silence(200), clip(0), silence(150), clip(3), silence(400), clip(0));
  assert.equal(recognizer.recognize(upload, 16_000).text, [2, 0, 3, 0].map(text).join(' '));
});
test('in an upload of minutes', () => {
  const upload = concat(...Array.from({ length: 12 }, (_, k) => concat(silence(7000 + k * 137), clip(k % 4))));
  const { text: heard } = recognizer.recognize(upload, 16_000);
  assert.equal(heard, Array.from({ length: 12 }, (_, k) => text(k % 4)).join(' '));
});
test('a few milliseconds may lack at the ends', () => {
  for (const i of all) assert.equal(recognizer.recognize(clip(i).slice(40 * 16, -40 * 16), 16_000).text, text(i));
});
test('a missing beginning or end is admitted', () => {
  for (const i of all) {
    for (const ms of [120, 300, 500]) {
      assert.equal(
        recognizer.recognize(concat(clip(i).slice(ms * 16), silence(300)), 16_000).text,
        CUT,
        `first ${ms} ms`,
      );
      assert.equal(
        recognizer.recognize(concat(silence(300), clip(i).slice(0, -ms * 16)), 16_000).text,
        CUT,
        `last ${ms} ms`,
      );
    }
  }
});
test('a hole, a swap and a repeated frame in the middle are admitted', () => {
  for (const i of all) {
    const middle = clip(i).length >> 1;
    const hole = padded(i);
    hole.fill(0, 300 * 16 + middle, 300 * 16 + middle + 200 * 16);
    assert.equal(recognizer.recognize(hole, 16_000).text, CUT);
    const late = concat(clip(i).slice(0, middle), silence(30), clip(i).slice(middle));
    assert.equal(recognizer.recognize(late, 16_000).text.replace(`${CUT} ${CUT}`, CUT), CUT);
  }
});
test('a whole one beside a damaged one', () => {
  const upload = concat(clip(0), silence(200), clip(1).slice(0, clip(1).length >> 1));
  assert.equal(recognizer.recognize(upload, 16_000).text, `${text(0)} ${CUT}`);
});
test('nothing in noise, tones, silence and other speech', () => {
  const random = createRandom(SEED);
  const noise = Float32Array.from({ length: 48_000 }, () => random() - 0.5);
  const tone = Float32Array.from({ length: 48_000 }, (_, i) => 0.5 * Math.sin(i / 7));
  // Speech backwards has the spectrum of speech and no word of it.
  const backwards = all.map((i) => clip(i).slice().reverse());
  for (const audio of [noise, tone, silence(3000), new Float32Array(0), new Float32Array(1), ...backwards]) {
    assert.equal(recognizer.recognize(audio, 16_000).text, '');
  }
  // Each recording is other speech to an ear that knows only the rest.
  for (const i of all) {
    const others = createRecognizer(recordings.filter((_, other) => other !== i));
    assert.equal(others.recognize(padded(i), 16_000).text, '');
    assert.equal(others.recognize(noisy(padded(i), clip(i), 10, SEED), 16_000).text, '');
  }
  assert.equal(createRecognizer([]).recognize(padded(0), 16_000).text, '');
});
