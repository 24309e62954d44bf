// The resampler against its definition: f64 twin, SINAD, stop-band, time alignment, chunking.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore, type SampleRateHz } from '../../src/audio/index.ts';
import { createEngine, openSlot, releaseSlot } from '../../src/audio/engine.ts';
import { ResamplerTwin } from './resampler-twin.ts';
import { clampPcm, seeded, whiteNoise } from './signals.ts';

const RATES: readonly SampleRateHz[] = [8000, 16000, 24000, 48000];
const PAIRS = RATES.flatMap((from) => RATES.filter((to) => to !== from).map((to) => [from, to] as const));
const core = createAudioCore({ maxSlots: 4 });
const engine = createEngine(1);

/** The float path: f32 at both ends. */
function resampleFloat(input: Float64Array, fromHz: number, toHz: number): Float64Array {
  const handle = openSlot(engine, fromHz, toHz);
  const output: number[] = [];
  for (let at = 0; at < input.length; at += 1000) {
    const block = input.subarray(at, at + 1000);
    engine.floatOut.set(block);
    const produced = engine.core.resampleFloat(handle, block.length);
    output.push(...engine.floatOut.subarray(0, produced));
  }
  releaseSlot(engine, handle);
  return Float64Array.from(output);
}

/** All of a signal in chunks of the given lengths in turn, with the tail. */
function resample(
  input: Int16Array,
  fromHz: SampleRateHz,
  toHz: SampleRateHz,
  chunks: readonly number[] = [960],
): Int16Array {
  const resampler = core.openResampler(fromHz, toHz);
  const all: number[] = [];
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const chunk = input.subarray(at, at + chunks[turn % chunks.length]!);
    const output = new Int16Array(resampler.maxOutput(chunk.length));
    const produced = resampler.process(chunk, output);
    all.push(...output.subarray(0, produced));
    at += chunk.length;
  }
  const tail = new Int16Array(resampler.delaySamples);
  all.push(...tail.subarray(0, resampler.flush(tail)));
  resampler.release();
  return Int16Array.from(all);
}

function sine(hz: number, rateHz: number, samples: number, amplitude: number): Float64Array {
  return Float64Array.from({ length: samples }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/** Level of the sine that fits best, against what is left, dB; with its amplitude. Edges are left out. */
function sinad(
  signal: ArrayLike<number>,
  hz: number,
  rateHz: number,
): { readonly db: number; readonly amplitude: number } {
  const from = Math.round(signal.length * 0.1);
  const to = Math.round(signal.length * 0.9);
  let ss = 0,
    cc = 0,
    sc = 0,
    sx = 0,
    cx = 0;
  for (let i = from; i < to; i++) {
    const angle = (2 * Math.PI * hz * i) / rateHz;
    const s = Math.sin(angle),
      c = Math.cos(angle),
      x = signal[i]!;
    ss += s * s;
    cc += c * c;
    sc += s * c;
    sx += s * x;
    cx += c * x;
  }
  const determinant = ss * cc - sc * sc;
  const a = (sx * cc - cx * sc) / determinant;
  const b = (cx * ss - sx * sc) / determinant;
  let noise = 0;
  for (let i = from; i < to; i++) {
    const angle = (2 * Math.PI * hz * i) / rateHz;
    noise += (signal[i]! - a * Math.sin(angle) - b * Math.cos(angle)) ** 2;
  }
  return { db: 10 * Math.log10((a * a + b * b) / 2 / (noise / (to - from))), amplitude: Math.hypot(a, b) };
}

test('the float path has a SINAD of at least 100 dB up to 0.8 of the lower Nyquist, and no ripple', () => {
  for (const [from, to] of PAIRS) {
    for (const part of [0.013, 0.31, 0.57, 0.79]) {
      const hz = (part * Math.min(from, to)) / 2;
      const result = sinad(resampleFloat(sine(hz, from, from / 4, 0.5), from, to), hz, to);
      assert.ok(result.db >= 100, `${from} to ${to} Hz at ${hz} Hz: ${result.db.toFixed(1)} dB`);
      const ripple = Math.abs(20 * Math.log10(result.amplitude / 0.5));
      assert.ok(ripple < 0.01, `${from} to ${to} Hz at ${hz} Hz: ripple of ${ripple} dB`);
    }
  }
});

test('through PCM16 the SINAD is at least 86 dB', () => {
  for (const [from, to] of PAIRS) {
    const hz = (0.37 * Math.min(from, to)) / 2;
    const result = sinad(resample(Int16Array.from(sine(hz, from, from / 4, 16384), clampPcm), from, to), hz, to);
    assert.ok(result.db >= 86, `${from} to ${to} Hz: ${result.db.toFixed(1)} dB`);
  }
});

test('what the lower rate cannot hold is gone by 100 dB', () => {
  for (const [from, to] of PAIRS.filter(([from, to]) => from > to)) {
    for (const part of [1.06, 1.1, 1.37, 1.9, 2.6]) {
      const hz = (part * to) / 2;
      if (hz >= from / 2) continue;
      const output = resampleFloat(sine(hz, from, from / 4, 0.5), from, to).subarray(100);
      const power = output.reduce((sum, x) => sum + x * x, 0) / output.length;
      const db = 10 * Math.log10(power / 0.125);
      assert.ok(db <= -100, `${from} to ${to} Hz at ${hz} Hz: ${db.toFixed(1)} dB`);
    }
  }
});

test('the gain at 0.9 of Nyquist is within 1.5 dB', () => {
  for (const [from, to] of PAIRS) {
    const hz = (0.9 * Math.min(from, to)) / 2;
    const { amplitude } = sinad(resampleFloat(sine(hz, from, from / 4, 0.5), from, to), hz, to);
    const db = 20 * Math.log10(amplitude / 0.5);
    assert.ok(db > -1.5 && db < 0.1, `${from} to ${to} Hz: ${db.toFixed(2)} dB`);
  }
});

test('noise agrees with the f64 twin', () => {
  for (const [from, to] of PAIRS) {
    const input = whiteNoise(3000, -20, from + to).map((x) => Math.fround(x / 32768));
    const expected = new ResamplerTwin(from, to).filter(input);
    const actual = resampleFloat(input, from, to);
    assert.equal(actual.length, expected.length, `${from} to ${to} Hz`);
    const worst = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
    assert.ok(worst < 3e-7, `${from} to ${to} Hz: ${worst}`);
  }
});

test('output sample n is at the time of input sample n * from / to, and all of the input comes out', () => {
  for (const [from, to] of PAIRS) {
    const input = new Int16Array(from / 20);
    const at = from / 40;
    // A bump that both rates can hold, centred on a sample that both have.
    for (let i = 0; i < input.length; i++)
      input[i] = clampPcm(20000 * Math.exp(-(((i - at) / from) ** 2) / (2 * 0.0004 ** 2)));
    const output = resample(input, from, to);
    assert.equal(output.length, Math.ceil((input.length * to) / from), `${from} to ${to} Hz`);
    const centre = (at * to) / from;
    assert.ok(Math.abs(output[centre]! - 20000) < 30, `${from} to ${to} Hz: ${output[centre]}`);
    for (let i = 1; i < 10; i++) {
      assert.ok(Math.abs(output[centre - i]! - output[centre + i]!) <= 1, `${from} to ${to} Hz: not symmetric at ${i}`);
    }
  }
});

test('output is the same bytes under any chunking', () => {
  const random = seeded(5);
  for (const [from, to] of PAIRS) {
    const input = Int16Array.from(whiteNoise(5000, -12, from * 3 + to), clampPcm);
    const whole = resample(input, from, to, [5000]);
    assert.deepEqual(resample(input, from, to, [1]), whole);
    assert.deepEqual(resample(input, from, to, [1, 2, 3, 1000, 7, 1024, 1025]), whole);
    assert.deepEqual(
      resample(
        input,
        from,
        to,
        Array.from({ length: 20 }, () => 1 + Math.floor(random() * 700)),
      ),
      whole,
    );
  }
});

test('flush and reset begin again; delaySamples is what is held back', () => {
  for (const [from, to] of PAIRS) {
    const resampler = core.openResampler(from, to);
    const input = Int16Array.from(whiteNoise(from / 10, -12, 3), clampPcm);
    const run = () => {
      const output = new Int16Array(resampler.maxOutput(input.length) + resampler.delaySamples);
      const produced = resampler.process(input, output);
      assert.equal(produced, (input.length * to) / from - resampler.delaySamples);
      return [...output.subarray(0, produced)];
    };
    const first = run();
    resampler.flush(new Int16Array(resampler.delaySamples));
    assert.deepEqual(run(), first);
    resampler.reset();
    assert.deepEqual(run(), first);
    resampler.release();
  }
});

test('equal rates pass through; an output too small is refused', () => {
  const same = core.openResampler(16000, 16000);
  const input = Int16Array.of(1, -2, 3, 32767, -32768);
  const output = new Int16Array(5);
  assert.equal(same.process(input, output), 5);
  assert.deepEqual(output, input);
  assert.equal(same.flush(output), 0);
  assert.equal(same.delaySamples, 0);
  same.release();
  const up = core.openResampler(8000, 48000);
  assert.throws(() => up.process(input, new Int16Array(29)), /RangeError|must hold 30 samples: it holds 29/);
  up.release();
});

test('full-scale squares saturate and do not wrap', () => {
  for (const [from, to] of PAIRS) {
    const input = Int16Array.from({ length: from / 10 }, (_, i) => ((i / 40) & 1 ? -32768 : 32767));
    const output = resample(input, from, to);
    const twin = new ResamplerTwin(from, to);
    const expected = twin.filter(input);
    for (let i = 0; i < expected.length; i++) {
      assert.ok(Math.abs(output[i]! - clampPcm(expected[i]!)) <= 1, `${from} to ${to} Hz: ${output[i]} at ${i}`);
    }
  }
});
