// A stream of the neural VAD: speech and none, odd inputs, any chunking, the gate, what long pauses do to the state; nothing allocated.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { createNeuralEngine } from '../../../src/audio/neural/create-neural-vad.ts';
import { createNeuralVad } from '../../../src/audio/neural/index.ts';
import { LAYOUT } from '../../../src/audio/neural/neural-wasm.generated.ts';
import { neuralSlotOffset } from '../../../src/audio/neural/slot-stream.ts';
import { seeded, softNoise, speechLike, toPcm, whiteNoise } from '../signals.ts';

const vad = createNeuralVad({ maxSlots: 8 });

test('the same probabilities under any chunking', () => {
  const seed = 11;
  const random = seeded(seed);
  const pcm = speechLike({ seconds: 3, seed, noiseDb: -45 });
  const whole = vad.open();
  const chunked = vad.open();
  const expected = whole.push(pcm);
  for (let at = 0; at < pcm.length; ) {
    const length = Math.min(pcm.length - at, Math.floor(random() ** 4 * 3000));
    chunked.push(pcm.subarray(at, at + length));
    at += length;
  }
  assert.equal(chunked.probability, expected, `seed ${seed}`);
  assert.deepEqual([chunked.windows, chunked.netRuns], [whole.windows, whole.netRuns]);
  assert.equal(whole.windows, Math.floor(pcm.length / 512));
  chunked.reset();
  for (const sample of pcm.subarray(0, 5120)) chunked.push(Int16Array.of(sample));
  whole.reset();
  assert.equal(chunked.probability, whole.push(pcm.subarray(0, 5120)));
  assert.equal(chunked.push(new Int16Array(0)), chunked.probability);
  whole.release();
  chunked.release();
});

test('a window counts in the call that completes it', () => {
  const stream = vad.open({ gated: false });
  const pcm = speechLike({ seconds: 2, seed: 5, noiseDb: -50 });
  assert.equal(stream.push(pcm.subarray(0, 511)), 0);
  assert.equal(stream.windows, 0);
  assert.ok(stream.push(pcm.subarray(511, 512)) > 0);
  assert.equal(stream.windows, 1);
  stream.release();
});

test('odd inputs give a low probability and no trap', () => {
  const random = seeded(2);
  const seconds = 3;
  const make = (sample: (i: number) => number): Int16Array =>
    Int16Array.from({ length: seconds * 16_000 }, (_, i) => sample(i));
  const inputs: Record<string, Int16Array> = {
    silence: make(() => 0),
    'one bit': make(() => (random() < 0.5 ? 0 : 1)),
    'full scale': make(() => -32768),
    'full-scale squares': make((i) => (i % 160 < 80 ? 32767 : -32768)),
    'DC and a step': make((i) => (i < 16_000 ? 0 : 12_000)),
    impulses: make((i) => (i % 4000 === 0 ? 32767 : 0)),
    'full-scale noise': make(() => Math.floor(random() * 65_536) - 32_768),
  };
  for (const gated of [true, false]) {
    for (const [name, pcm] of Object.entries(inputs)) {
      const stream = vad.open({ gated });
      for (let at = 0; at + 320 <= pcm.length; at += 320) {
        const p = stream.push(pcm.subarray(at, at + 320));
        if (!(p >= 0 && p <= 1)) assert.fail(`${name}: ${p}`);
      }
      // Squares of 100 Hz are a buzz, which may be speech for all the net knows.
      if (name !== 'full-scale squares') assert.ok(stream.probability < 0.5, `${name}: ${stream.probability}`);
      stream.release();
    }
  }
});

test('the gate spares the net silence and steady noise, and opens for a sound', () => {
  for (const noise of [whiteNoise(320_000, -78, 1), whiteNoise(320_000, -40, 2), softNoise(320_000, -30, 3)]) {
    const stream = vad.open();
    stream.push(toPcm(noise));
    assert.ok(stream.netRuns <= 0.05 * stream.windows, `${stream.netRuns} of ${stream.windows}`);
    assert.equal(stream.probability, 0);
    const before = stream.netRuns;
    stream.push(speechLike({ seconds: 2, seed: 4, noiseDb: -40 }));
    assert.ok(stream.netRuns > before + 10);
    stream.release();
  }
});

/** A stream beside its memory. */
function laidOpen(gated: boolean) {
  const engine = createNeuralEngine({ maxSlots: 1 });
  const handle = engine.core.openSlot(gated ? 1 : 0);
  const floats = new Float32Array(engine.core.memory.buffer, neuralSlotOffset(handle), LAYOUT.SLOT_BYTES / 4);
  return {
    push(pcm: Int16Array): number {
      engine.pcmIn.set(pcm);
      engine.core.push(handle, pcm.length);
      return floats[LAYOUT.PROBABILITY / 4]!;
    },
    state: (): number[] => [...floats.subarray(LAYOUT.STATE_H / 4, LAYOUT.STATE_H / 4 + 256)],
  };
}

test('a closed gate leaves the state as it is', () => {
  const stream = laidOpen(true);
  const pcm = speechLike({ seconds: 3, seed: 6, noiseDb: -60 });
  for (let at = 0; at + 512 <= pcm.length; at += 512) stream.push(pcm.subarray(at, at + 512));
  const noise = toPcm(whiteNoise(512 * 300, -60, 8));
  const states: number[][] = [];
  for (let at = 0; at + 512 <= noise.length; at += 512) {
    const p = stream.push(noise.subarray(at, at + 512));
    if (at > 512 * 30) {
      assert.equal(p, 0);
      states.push(stream.state());
    }
  }
  assert.deepEqual(states.at(-1), states[0]);
  assert.ok(states[0]!.some((x) => x !== 0));
});

test('in a long pause with the gate open the state goes back to what it was after 16 low windows', () => {
  const stream = laidOpen(true);
  const random = seeded(9);
  // Each window holds one louder block, so that the gate stays open; no voice in it.
  const states: number[][] = [];
  for (let w = 0; w < 70; w++) {
    const pcm = Int16Array.from({ length: 512 }, (_, i) => Math.round((random() * 2 - 1) * (i < 128 ? 300 : 20)));
    assert.ok(stream.push(pcm) < 0.1, `window ${w}`);
    states.push(stream.state());
  }
  for (const quiet of [32, 48, 64]) {
    assert.deepEqual(states[quiet - 1], states[15]);
    assert.notDeepEqual(states[quiet - 2], states[15]);
  }
});

test('push allocates nothing', () => {
  const stream = vad.open();
  const pcm = speechLike({ seconds: 2, seed: 1, noiseDb: -50 });
  const frames = Array.from({ length: 100 }, (_, i) => pcm.subarray(i * 320, i * 320 + 320));
  const sums = new Float64Array(1);
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) sums[0]! += stream.push(frames[i % 100]!);
  };
  run(20_000);
  run(20_000);
  const changes: number[] = [];
  for (let round = 0; round < 20; round++) {
    const before = process.memoryUsage().heapUsed;
    run(5_000);
    changes.push(Math.abs(process.memoryUsage().heapUsed - before));
  }
  const median = changes.sort((a, b) => a - b)[10]!;
  assert.ok(Number.isFinite(sums[0]) && median < 20_000, `${median} bytes in 5,000 frames`);
  stream.release();
});
