// Slots: exhaustion, isolation, reuse, generations, release.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { createEngine, openSlot, releaseSlot, slotOffset } from '../../src/audio/engine.ts';
import { LAYOUT } from '../../src/audio/core-wasm.generated.ts';
import { speechLike } from './signals.ts';

function bytesOf(pcm: Int16Array): Uint8Array {
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

test('maxSlots is checked and memory is sized by it once', () => {
  for (const maxSlots of [0, -1, 1.5, Number.NaN, 65_536]) {
    assert.throws(() => createAudioCore({ maxSlots }), RangeError);
  }
  const core = createAudioCore({ maxSlots: 1000 });
  assert.ok(core.memoryBytes < 11 * 2 ** 20, `${core.memoryBytes} bytes`);
  const before = core.memoryBytes;
  for (let i = 0; i < 1000; i++) core.openAnalyzer(48000);
  assert.equal(core.memoryBytes, before);
  assert.equal(core.slotsInUse, 1000);
  assert.throws(() => core.openResampler(8000, 16000), /All 1000 slots of the audio core are in use/);
});

test('foreign rates are refused and take no slot', () => {
  const core = createAudioCore({ maxSlots: 1 });
  for (const rate of [44_100, 0, -8000, 8000.5, Number.NaN, 12_000]) {
    assert.throws(() => core.openAnalyzer(rate as 8000), /RangeError|must be 8000, 16000, 24000 or 48000 Hz/);
    assert.throws(() => core.openResampler(8000, rate as 8000), RangeError);
  }
  assert.equal(core.slotsInUse, 0);
  core.openAnalyzer(8000).release();
});

test('a released slot refuses every call, though its place is in use again', () => {
  const core = createAudioCore({ maxSlots: 1 });
  const old = core.openAnalyzer(16000);
  old.release();
  assert.equal(core.slotsInUse, 0);
  const fresh = core.openAnalyzer(16000);
  const calls = [
    () => old.write(new Uint8Array(640)),
    () => old.writeSilence(3),
    () => old.next(),
    () => old.reset(),
    () => old.release(),
  ];
  for (const call of calls) assert.throws(call, /slot was released/);
  assert.equal(old.frame.length, 0);
  assert.ok([old.score, old.rms, old.firstHalfDb, old.secondHalfDb, old.floorDb, old.peak].every(Number.isNaN));
  assert.equal(core.slotsInUse, 1);
  assert.equal(fresh.next(), false);
  fresh.release();
  const resampler = core.openResampler(8000, 16000);
  resampler.release();
  assert.throws(() => resampler.process(new Int16Array(1), new Int16Array(2)), /slot was released/);
  assert.throws(() => resampler.flush(new Int16Array(64)), /slot was released/);
  assert.throws(() => resampler.reset(), /slot was released/);
  assert.throws(() => resampler.release(), /slot was released/);
});

test('handles of other generations, other slots and nonsense are no good inside the core', () => {
  const engine = createEngine(2);
  const first = openSlot(engine, 16000, 16000);
  releaseSlot(engine, first);
  const second = openSlot(engine, 16000, 16000);
  assert.notEqual(second, first);
  assert.equal(second & 0xffff, first & 0xffff);
  for (const handle of [first, second + 0x10000, second + 1, 2, 0xffff, -1, -2, 0x7fffffff]) {
    assert.equal(engine.core.nextFrame(handle), -1, `handle ${handle}`);
    assert.equal(engine.core.writePcm(handle, 10), -1);
    assert.equal(engine.core.releaseSlot(handle), 0);
  }
  assert.equal(engine.core.nextFrame(second), 0);
});

test('a released slot holds nothing of what was said', () => {
  const engine = createEngine(1);
  const handle = openSlot(engine, 24000, 16000);
  engine.pcmIn.fill(12345);
  for (let i = 0; i < 3; i++) {
    engine.core.writePcm(handle, 1024);
    engine.core.nextFrame(handle);
  }
  const slot = new Uint8Array(engine.core.memory.buffer, slotOffset(handle), LAYOUT.SLOT_BYTES);
  assert.ok(slot.subarray(16).some((byte) => byte !== 0));
  releaseSlot(engine, handle);
  assert.ok(slot.subarray(4).every((byte) => byte === 0));
});

test('streams do not hear each other, and a reused slot starts afresh', () => {
  const core = createAudioCore({ maxSlots: 40 });
  const pcm = bytesOf(speechLike({ seconds: 3, seed: 2, noiseDb: -50 }));
  const alone = core.openAnalyzer(16000);
  const listen = (analyzer: typeof alone, neighbour: () => void) => {
    const results: number[] = [];
    for (let at = 0; at + 640 <= pcm.length; at += 640) {
      analyzer.write(pcm.subarray(at, at + 640));
      neighbour();
      while (analyzer.next()) {
        neighbour();
        results.push(analyzer.score, analyzer.floorDb, analyzer.rms, analyzer.frame[7]!);
      }
    }
    return results;
  };
  const expected = listen(alone, () => {});
  alone.release();
  const crowd = Array.from({ length: 38 }, (_, i) => core.openAnalyzer(i % 2 ? 48000 : 8000));
  const resampler = core.openResampler(48000, 8000);
  const loud = new Uint8Array(1920).fill(0x7f);
  const output = new Int16Array(160);
  let turn = 0;
  const noisy = core.openAnalyzer(16000);
  const heard = listen(noisy, () => {
    const neighbour = crowd[turn++ % crowd.length]!;
    neighbour.write(loud);
    neighbour.next();
    resampler.process(new Int16Array(loud.buffer), output);
  });
  assert.deepEqual(heard, expected);
  noisy.reset();
  assert.deepEqual(
    listen(noisy, () => {}),
    expected,
  );
});

test('2,000 streams come and go', () => {
  const core = createAudioCore({ maxSlots: 3 });
  for (let i = 0; i < 2000; i++) {
    const analyzer = core.openAnalyzer(8000);
    const resampler = core.openResampler(24000, 48000);
    analyzer.writeSilence(200);
    assert.equal(analyzer.next(), true);
    analyzer.release();
    resampler.release();
  }
  assert.equal(core.slotsInUse, 0);
  // More uses than a generation has numbers.
  for (let i = 0; i < 40_000; i++) core.openAnalyzer(8000).release();
  assert.equal(core.slotsInUse, 0);
});
