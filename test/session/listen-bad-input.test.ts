// What no line should carry, through the whole ear of a session (jitter buffer, listener, net): a defined result, counted, and no harm to others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { createNeuralVad, withNeuralEars } from '../../src/audio/neural/index.ts';
import { JitterBuffer } from '../../src/session/listen/jitter-buffer.ts';
import { Listener } from '../../src/session/listen/listener.ts';
import { DEFAULT_SESSION_OPTIONS, type SessionOptions } from '../../src/session/options.ts';
import { seeded, speechLike } from '../audio/signals.ts';

const core = withNeuralEars(createAudioCore({ maxSlots: 4 }), createNeuralVad({ maxSlots: 4 }));
const MINUTES_10 = 10 * 60 * 1000;

function ear(inputRateHz: SessionOptions['inputRateHz'] = 16_000) {
  const { listening } = DEFAULT_SESSION_OPTIONS;
  const options: SessionOptions = {
    ...DEFAULT_SESSION_OPTIONS,
    id: '',
    agent: '',
    transport: '',
    inputRateHz,
    outputRateHz: 24_000,
    listening: { ...listening, vad: 'neural' },
  };
  const analyzer = core.openAnalyzer(inputRateHz);
  const heard = { starts: 0, stops: 0, frames: 0 };
  const listener = new Listener(options, analyzer, {
    speechChanged: (change) => heard[change === 'start' ? 'starts' : 'stops']++,
    frameDone: () => heard.frames++,
  });
  const close = () => {
    listener.stop();
    analyzer.release();
  };
  return { analyzer, listener, heard, close };
}

const bytesOf = (pcm: Int16Array) => new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);

test('ten minutes in one packet are heard to their end', () => {
  const { listener, heard, close } = ear();
  const pcm = new Int16Array(16 * MINUTES_10);
  pcm.set(speechLike({ seconds: 3, seed: 2, noiseDb: -70 }), pcm.length - 16_000 * 4);
  listener.packet(bytesOf(pcm), 0, MINUTES_10);
  assert.deepEqual([heard.frames, listener.framesIn, listener.frameEndMs], [30_000, 30_000, MINUTES_10]);
  assert.ok(heard.starts >= 1 && heard.starts === heard.stops, `${heard.starts} starts, ${heard.stops} stops`);
  close();
});

test('ten minutes in one packet pass the jitter buffer sample by sample', () => {
  const random = seeded(5);
  const pcm = Int16Array.from({ length: 8 * MINUTES_10 }, () => Math.floor(random() * 65_536) - 32_768);
  const out = new Int16Array(pcm.length);
  let next = 0;
  const buffer = new JitterBuffer(8000, {
    packet(bytes, position) {
      if (position !== next) assert.fail(`${position} instead of ${next}`);
      out.set(new Int16Array(bytes.slice().buffer), position);
      next += bytes.length >> 1;
    },
  });
  buffer.packet(bytesOf(pcm), 0, MINUTES_10);
  assert.deepEqual([next, buffer.counters.lost], [pcm.length, 0]);
  assert.equal(
    out.findIndex((sample, i) => sample !== pcm[i]),
    -1,
  );
});

test('one sample at a time is heard as frames are', () => {
  const pcm = speechLike({ seconds: 2, seed: 3, noiseDb: -60 });
  const [whole, single] = [ear(), ear()];
  for (let at = 0; at < pcm.length; at += 320)
    whole.listener.packet(bytesOf(pcm.subarray(at, at + 320)), at, (at + 320) / 16);
  for (let at = 0; at < pcm.length; at++) single.listener.packet(bytesOf(pcm.subarray(at, at + 1)), at, (at + 1) / 16);
  assert.deepEqual(single.heard, whole.heard);
  assert.ok(whole.heard.starts > 0);
  assert.deepEqual(
    [single.listener.onsetMs, single.listener.lastVoicedMs],
    [whole.listener.onsetMs, whole.listener.lastVoicedMs],
  );
  whole.close();
  single.close();
});

const LINES: Readonly<Record<string, (i: number, random: () => number) => number>> = {
  'digital silence': () => 0,
  'one-bit noise': (_, random) => (random() < 0.5 ? 0 : 1),
  'an offset at full scale': () => -32_768,
  'full-scale squares of 50 Hz': (i) => (i % 320 < 160 ? 32_767 : -32_768),
  'full-scale squares of 4 kHz': (i) => (i % 4 < 2 ? 32_767 : -32_768),
  'any bits': (_, random) => Math.floor(random() * 65_536) - 32_768,
};
for (const [name, sample] of Object.entries(LINES)) {
  test(`${name}: every frame is decided, and a caller in the next slot hears its own`, () => {
    const random = seeded(7);
    const voice = speechLike({ seconds: 3, seed: 4, noiseDb: -60 });
    const [bad, beside, alone] = [ear(8000), ear(), ear()];
    for (let turn = 0; turn < 150; turn++) {
      const noise = Int16Array.from({ length: 160 }, (_, i) => sample(turn * 160 + i, random));
      bad.listener.packet(bytesOf(noise), turn * 160, (turn + 1) * 20);
      const packet = bytesOf(voice.subarray(turn * 320, turn * 320 + 320));
      for (const { listener } of [beside, alone]) listener.packet(packet, turn * 320, (turn + 1) * 20);
      if (turn === 0) continue;
      const { score, rms } = bad.analyzer;
      assert.ok(score >= 0 && score <= 1 && rms >= 0 && rms <= 1, `frame ${turn}: ${score}, ${rms}`);
      assert.equal(beside.analyzer.score, alone.analyzer.score);
    }
    assert.ok(bad.heard.frames >= 149 && bad.listener.framesLate === 0);
    assert.deepEqual(beside.heard, alone.heard);
    assert.ok(alone.heard.starts > 0);
    for (const { close } of [bad, beside, alone]) close();
  });
}

test('a sender at half of the rate that was agreed on is late with every frame, and that is counted', () => {
  const { listener, heard, close } = ear();
  const voice = speechLike({ seconds: 2, seed: 6, noiseDb: -60 });
  for (let turn = 0; turn < 100; turn++)
    listener.packet(bytesOf(voice.subarray(turn * 320, turn * 320 + 320)), turn * 320, (turn + 1) * 40);
  assert.equal(heard.frames, 100);
  assert.ok(listener.framesLate >= 98, `${listener.framesLate} late`);
  close();
});

test('after its slot was released an ear refuses to hear, and the slot is as new for the next', () => {
  const first = ear();
  const voice = bytesOf(speechLike({ seconds: 1, seed: 8, noiseDb: -60 }).subarray(0, 320));
  first.listener.packet(voice, 0, 20);
  first.analyzer.release();
  assert.throws(() => first.listener.packet(voice, 320, 40), /slot was released/);
  const second = ear();
  assert.equal(second.analyzer.score, 0);
  second.listener.packet(voice, 0, 20);
  assert.equal(second.heard.frames, 1);
  second.close();
});
