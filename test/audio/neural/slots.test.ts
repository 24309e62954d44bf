// Slots of the neural VAD: exhaustion, isolation, generations, release, reset; a thousand streams in one memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNeuralEngine } from '../../../src/audio/neural/create-neural-vad.ts';
import { createNeuralVad, type NeuralStream } from '../../../src/audio/neural/index.ts';
import { LAYOUT } from '../../../src/audio/neural/neural-wasm.generated.ts';
import { neuralSlotOffset } from '../../../src/audio/neural/slot-stream.ts';
import { speechLike } from '../signals.ts';

const pcm = speechLike({ seconds: 4, seed: 3, noiseDb: -50 });
const frames = Array.from({ length: Math.floor(pcm.length / 320) }, (_, i) => pcm.subarray(i * 320, i * 320 + 320));
const listen = (stream: NeuralStream, between: () => void = () => {}): number[] =>
  frames.map((frame) => {
    between();
    return stream.push(frame);
  });

test('maxSlots is checked', () => {
  for (const maxSlots of [0, -1, 1.5, Number.NaN, 65_536]) {
    assert.throws(() => createNeuralVad({ maxSlots }), RangeError);
  }
});

test('a thousand streams in one memory that never grows', () => {
  const vad = createNeuralVad({ maxSlots: 1000 });
  assert.ok(vad.memoryBytes < 7 * 2 ** 20, `${vad.memoryBytes} bytes`);
  const before = vad.memoryBytes;
  const streams = Array.from({ length: 1000 }, () => vad.open());
  assert.throws(() => vad.open(), /All 1000 slots of the neural VAD are in use/);
  const expected = streams[0]!.push(pcm.subarray(0, 1024));
  for (const stream of streams.slice(1)) assert.equal(stream.push(pcm.subarray(0, 1024)), expected);
  assert.equal(vad.memoryBytes, before);
  assert.equal(vad.slotsInUse, 1000);
});

test('streams do not hear each other; reset and a reused slot start afresh', () => {
  const vad = createNeuralVad({ maxSlots: 20 });
  const alone = vad.open();
  const expected = listen(alone);
  assert.ok(expected.some((p) => p > 0) && expected.every((p) => p >= 0 && p <= 1));
  alone.reset();
  assert.equal(alone.probability, 0);
  assert.deepEqual([alone.windows, alone.netRuns], [0, 0]);
  assert.deepEqual(listen(alone), expected);
  alone.release();
  const crowd = Array.from({ length: 19 }, (_, i) => vad.open({ gated: i % 2 === 0 }));
  const loud = Int16Array.from({ length: 77 }, (_, i) => (i % 9 < 4 ? 32767 : -32768));
  let turn = 0;
  const reused = vad.open();
  assert.deepEqual(
    listen(reused, () => crowd[turn++ % crowd.length]!.push(loud)),
    expected,
  );
});

test('reset keeps the choice of the gate', () => {
  const stream = createNeuralVad({ maxSlots: 1 }).open({ gated: false });
  stream.reset();
  stream.push(new Int16Array(512 * 40));
  assert.deepEqual([stream.windows, stream.netRuns], [40, 40]);
});

test('a released slot refuses every call, though its place is in use again', () => {
  const vad = createNeuralVad({ maxSlots: 1 });
  const old = vad.open();
  old.push(pcm.subarray(0, 512));
  old.release();
  assert.equal(vad.slotsInUse, 0);
  const fresh = vad.open();
  for (const call of [() => old.push(frames[0]!), () => old.reset(), () => old.release()]) {
    assert.throws(call, /slot was released/);
  }
  assert.ok([old.probability, old.windows, old.netRuns].every(Number.isNaN));
  assert.equal(vad.slotsInUse, 1);
  assert.equal(fresh.windows, 0);
});

test('handles of other generations, other slots and nonsense are no good', () => {
  const { core } = createNeuralEngine({ maxSlots: 3 });
  const first = core.openSlot(1);
  core.releaseSlot(first);
  const second = core.openSlot(1);
  assert.notEqual(second, first);
  assert.equal(second & 0xffff, first & 0xffff);
  for (const handle of [first, second + 0x10000, second + 1, 2, 3, 0xffff, -1, -2, 0x7fffffff]) {
    assert.equal(core.push(handle, 10), -1, `handle ${handle}`);
    assert.equal(core.reset(handle), -1);
    assert.equal(core.releaseSlot(handle), 0);
  }
  assert.equal(core.push(second, 10), 0);
});

test('a released slot holds nothing of what was said', () => {
  const engine = createNeuralEngine({ maxSlots: 1 });
  const handle = engine.core.openSlot(1);
  const slot = new Uint8Array(engine.core.memory.buffer, neuralSlotOffset(handle), LAYOUT.SLOT_BYTES);
  for (const frame of frames.slice(0, 60)) {
    engine.pcmIn.set(frame);
    engine.core.push(handle, frame.length);
  }
  assert.ok(slot.subarray(16).some((byte) => byte !== 0));
  engine.core.releaseSlot(handle);
  assert.ok(slot.subarray(4).every((byte) => byte === 0));
});

test('40,000 streams come and go', () => {
  const vad = createNeuralVad({ maxSlots: 2 });
  for (let i = 0; i < 40_000; i++) vad.open().release();
  assert.equal(vad.slotsInUse, 0);
});
