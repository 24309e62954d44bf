// The simulated voice and what it is made of: clips, their coding, resampling, the Fourier transform; and the stored stock phrases.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAdpcm, encodeAdpcm } from '../../src/models/simulated/adpcm.ts';
import { fft } from '../../src/models/simulated/fft.ts';
import { DEMO_SCRIPT } from '../../src/models/simulated/demo-script.ts';
import { createRandom } from '../../src/models/simulated/random.ts';
import { resample } from '../../src/models/simulated/resample.ts';
import { DEFAULT_FALLBACK, DEFAULT_UNCLEAR } from '../../src/models/simulated/script.ts';
import { createVoice, wordsOf } from '../../src/models/simulated/voice.ts';
import { VOICE_CLIPS } from '../../src/models/simulated/voice-clips.generated.ts';
import { STOCK_PHRASES, STOCK_RATE_HZ, stockPhrasePcm } from '../../src/runner/stock-phrases.generated.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';

const voice = createVoice(VOICE_CLIPS);
const seconds = (text: string): number => voice.speak(text).length / voice.sampleRateHz;
const rms = (samples: Int16Array): number => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

test('has a clip for each sentence of the demonstration and of the stock phrases', () => {
  const texts = [...(DEMO_SCRIPT.turns ?? []), ...(DEMO_SCRIPT.keywords ?? [])].map((entry) => entry.reply);
  texts.push(DEFAULT_FALLBACK, DEFAULT_UNCLEAR, ...Object.values(DEFAULT_SESSION_OPTIONS.phrases));
  for (const text of texts) {
    for (const sentence of text.match(/[^.!?]+[.!?]*/g) ?? []) {
      const words = wordsOf(sentence);
      const key = words.map((word, i) => word.text + (i < words.length - 1 ? word.mark : '')).join(' ');
      assert.ok(VOICE_CLIPS.clips[key], `no clip for '${key}': run scripts/render-voice.ts`);
    }
  }
});
test('a text takes as long as its sentences and the pauses between them', () => {
  const parts = ['Please stay calm.', 'First, count the weasels.'];
  assert.ok(Math.abs(seconds(parts.join(' ')) - (parts.reduce((sum, part) => sum + seconds(part), 0) + 0.35)) < 0.001);
});
test('words that it lacks are spelled, others are not', () => {
  assert.ok(seconds('xylophone') > 2.5);
  assert.ok(seconds('please') < 0.8);
  assert.ok(seconds('42') > seconds('4'));
  assert.equal(voice.speak('…').length, 0);
  assert.equal(voice.speak('').length, 0);
});
test('case, accents and spaces do not matter', () => {
  assert.deepEqual(voice.speak('PLEASE   stay càlm'), voice.speak('Please stay calm.'));
});
test('each clip has the level of speech and does not end in a jump', () => {
  for (const key of Object.keys(VOICE_CLIPS.clips)) {
    const samples = voice.speak(key);
    assert.ok(rms(samples) > 1000 && rms(samples) < 8000, `${key}: ${rms(samples)}`);
    assert.ok(Math.abs(samples.at(-1) ?? 0) < 1500, `${key} ends at ${samples.at(-1)}`);
  }
});
test('ADPCM follows speech-like sound closely, and any bytes decode', () => {
  const sound = Int16Array.from(
    { length: 8000 },
    (_, i) => 6000 * Math.sin(i / 9) * Math.sin(i / 400) + 2000 * Math.sin(i / 3.1),
  );
  const back = decodeAdpcm(encodeAdpcm(sound), sound.length);
  const error = rms(sound.map((x, i) => x - (back[i] as number)));
  assert.ok(20 * Math.log10(rms(sound) / error) > 25, `${20 * Math.log10(rms(sound) / error)} dB`);
  const random = createRandom(5);
  const noise = decodeAdpcm(
    Uint8Array.from({ length: 5000 }, () => random() * 256),
    10_000,
  );
  assert.equal(noise.length, 10_000);
});
test('resampling keeps a tone and its length, at any ratio', () => {
  for (const [from, to] of [
    [16_000, 8000],
    [44_100, 8000],
    [8000, 24_000],
    [10_000, 24_000],
    [48_000, 4000],
    [11_025, 8000],
  ] as const) {
    const hz = 700;
    const tone = (rate: number): Float32Array =>
      Float32Array.from({ length: rate }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
    const out = resample(tone(from), from, to);
    const want = tone(to);
    assert.equal(out.length, to);
    let worst = 0;
    for (let i = 200; i < to - 200; i++) worst = Math.max(worst, Math.abs((out[i] as number) - (want[i] as number)));
    assert.ok(worst < 0.01, `${from} -> ${to}: ${worst}`);
  }
});
test('the transform agrees with its definition and with its inverse', () => {
  const n = 64;
  const random = createRandom(11);
  const re = Float64Array.from({ length: n }, () => random() - 0.5);
  const im = Float64Array.from({ length: n }, () => random() - 0.5);
  const [x, y] = [re.slice(), im.slice()];
  fft(x, y);
  for (let k = 0; k < n; k++) {
    let [sr, si] = [0, 0];
    for (let i = 0; i < n; i++) {
      const angle = (-2 * Math.PI * k * i) / n;
      sr += (re[i] as number) * Math.cos(angle) - (im[i] as number) * Math.sin(angle);
      si += (re[i] as number) * Math.sin(angle) + (im[i] as number) * Math.cos(angle);
    }
    assert.ok(Math.hypot(sr - (x[k] as number), si - (y[k] as number)) < 1e-12);
  }
  fft(y, x);
  for (let i = 0; i < n; i++) assert.ok(Math.abs((x[i] as number) / n - (re[i] as number)) < 1e-14);
});
for (const name of ['apology', 'wait', 'goodbye'] as const) {
  test(`the stored ${name} says the default phrase, as sound of speech`, () => {
    assert.equal(STOCK_PHRASES[name].text, DEFAULT_SESSION_OPTIONS.phrases[name]);
    const pcm = stockPhrasePcm(name);
    assert.ok(pcm.length > 0.5 * STOCK_RATE_HZ && pcm.length < 5 * STOCK_RATE_HZ);
    assert.ok(rms(pcm) > 1000 && rms(pcm) < 8000);
  });
}
