// The voice: order of pieces, a piece ahead, back-pressure, cancelling at each point, rates, and what a broken voice does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { ModelError } from '../../src/models/port.ts';
import { Breaker } from '../../src/runner/breaker.ts';
import { type CannedAudio, createCannedAudio } from '../../src/runner/canned.ts';
import { DEFAULT_PERSIST_POLICY } from '../../src/runner/persist.ts';
import { createScope } from '../../src/runner/scope.ts';
import { Voice } from '../../src/runner/voice.ts';
import { scriptedTts, type Step, type TtsScript } from '../simulation/models.ts';
import { settled, VirtualTime } from '../simulation/virtual-time.ts';

const chunk = (value: number, samples = 240) => new Uint8Array(new Int16Array(samples).fill(value).buffer);
const fails = (kind: 'auth' | 'unavailable'): Step<Uint8Array> => ({ fail: new ModelError(kind, 't', kind) });

/** A voice, the session's queue as a number, and a log of what came out. */
function stage(script: TtsScript, outputRateHz: 8000 | 24000 = 24_000, maxSlots = 8) {
  const time = new VirtualTime();
  const tts = scriptedTts(time, script);
  const core = createAudioCore({ maxSlots });
  const log: string[] = [];
  const state = { queuedMs: 0, samples: 0, most: 0 };
  const canned: CannedAudio = createCannedAudio({
    tts: null,
    voice: undefined,
    clip: () => ({ sampleRateHz: 24_000, samples: new Int16Array(4800).fill(9) }),
    core,
    clock: time,
  });
  const voice = new Voice({
    models: [{ model: tts, candidate: { name: tts.name, breaker: new Breaker(time) } }],
    voice: undefined,
    outputRateHz,
    core,
    clock: time,
    canned,
    sink: {
      get queuedMs() {
        return state.queuedMs;
      },
      speech({ piece }, samples) {
        state.queuedMs += (samples.length * 1000) / outputRateHz;
        state.samples += samples.length;
        state.most = Math.max(state.most, state.queuedMs);
        log.push(`${piece}: ${samples[0]}`);
      },
      spoken: ({ piece }) => log.push(`${piece} done`),
      failed: ({ piece }, kind) => log.push(`${piece} ${kind}`),
      stalled: ({ piece }) => log.push(`${piece} stalled`),
    },
    context: (scope, onStalled) => ({ clock: time, random: () => 0, policy: DEFAULT_PERSIST_POLICY, scope, onStalled }),
  });
  const root = createScope();
  const speak = (piece: number, text: string) => voice.speak({ turn: 1, piece, text }, root);
  return { time, tts, core, log, state, voice, root, speak };
}

test('pieces are spoken in their order, each asked for while the one before still sounds', async () => {
  const { time, tts, log, speak } = stage((text) => [
    { afterMs: text === 'a' ? 500 : 10, give: chunk(text.charCodeAt(0)) },
  ]);
  speak(1, 'a');
  speak(2, 'b');
  speak(3, 'c');
  await time.runTo(400);
  assert.deepEqual(
    tts.asked.map((a) => a.request),
    ['a'],
  );
  await time.runTo(2000);
  assert.deepEqual(log, ['1: 97', '1 done', '2: 98', '2 done', '3: 99', '3 done']);
  speak(4, 'd');
  await time.runTo(3000);
  assert.deepEqual(log.slice(6), ['4: 100', '4 done']);
  assert.equal(time.pending, 0);
});

test('it waits for room in the queue and goes on when a tick finds it', async () => {
  const { time, state, log, voice, speak } = stage(() => Array.from({ length: 100 }, () => ({ give: chunk(5, 2400) })));
  speak(1, 'long');
  await time.runTo(10);
  assert.equal(state.queuedMs, 3000);
  voice.tick();
  await settled();
  assert.equal(state.queuedMs, 3000);
  for (let i = 0; i < 700; i++) {
    state.queuedMs = Math.max(0, state.queuedMs - 20);
    voice.tick();
    await settled();
  }
  assert.equal(state.samples, 240_000);
  assert.ok(state.most <= 3000);
  assert.equal(log.at(-1), '1 done');
});

for (const [what, untilMs, fill] of [
  ['before the first audio', 5, 0],
  ['between two chunks', 25, 0],
  ['while it waits for room', 25, 3950],
] as const) {
  test(`cancelled ${what}: silent at once, and the next reply is whole`, async () => {
    const { time, tts, log, state, voice, speak } = stage((text) =>
      text === 'old'
        ? Array.from({ length: 50 }, () => ({ afterMs: 10, give: chunk(1, 2400) }))
        : [{ afterMs: 10, give: chunk(2) }],
    );
    state.queuedMs = fill;
    speak(1, 'old');
    speak(2, 'old');
    await time.runTo(untilMs);
    voice.cancel();
    state.queuedMs = 0;
    log.length = 0;
    speak(3, 'new');
    speak(4, 'new');
    await time.runTo(5000);
    assert.deepEqual(log, ['3: 2', '3 done', '4: 2', '4 done']);
    assert.ok(tts.asked.every((a) => a.endedMs !== null));
    assert.equal(time.pending, 0);
  });
}

test('a stock phrase after a cancel does not wait for a voice that does not notice it', async () => {
  const { time, log, voice, root, speak } = stage(() => [{ give: chunk(1) }, { stall: true, deaf: true }]);
  speak(1, 'old');
  await time.runTo(100);
  voice.cancel();
  void voice.speakCanned({ turn: 1, piece: 2, text: 'sorry' }, 'apology', root);
  await time.runTo(700);
  assert.deepEqual(log.slice(1), ['2: 9', '2: 9', '2 done']);
});

test('an apology comes after what is being said, a sign of life at once', async () => {
  const { time, log, voice, root, speak } = stage(() => [{ give: chunk(1) }, { afterMs: 2000, give: chunk(1) }]);
  speak(1, 'slow');
  await time.runTo(10);
  void voice.speakCanned({ turn: 1, piece: 2, text: 'sorry' }, 'apology', root);
  void voice.speakCanned({ turn: 1, piece: 3, text: 'wait' }, 'wait', root);
  await time.runTo(5000);
  assert.deepEqual(log, ['1: 1', '3: 9', '3: 9', '3 done', '1: 1', '1 done', '2: 9', '2: 9', '2 done']);
});

test('a piece that fails is told, and the next one is spoken', async () => {
  const { time, log, speak } = stage((text) => (text === 'bad' ? [fails('auth')] : [{ give: chunk(3) }]));
  speak(1, 'bad');
  speak(2, 'good');
  await time.runTo(5000);
  assert.deepEqual(log, ['1 auth', '2: 3', '2 done']);
});

test('a stream that goes silent in the middle is given up after its limit', async () => {
  const { time, log, tts, speak } = stage(() => [{ give: chunk(1) }, { stall: true, deaf: true }]);
  speak(1, 'a');
  await time.runTo(9999);
  assert.deepEqual(log, ['1: 1']);
  await time.runTo(10_001);
  assert.deepEqual(log, ['1: 1', '1 timeout']);
  assert.equal(tts.asked.length, 1);
  assert.equal(time.pending, 0);
});

test('a voice that never stops is stopped', async () => {
  const minute = chunk(1, 24_000 * 60);
  const { time, log, state, voice, speak } = stage(() => Array.from({ length: 9 }, () => ({ give: minute })));
  speak(1, 'endless');
  await time.runTo(1);
  for (let i = 0; i < 4000 && !log.includes('1 protocol'); i++) {
    state.queuedMs = 0;
    voice.tick();
    await settled();
  }
  assert.equal(log.at(-1), '1 protocol');
});

test("other rates are brought to the line's, nothing of the tail is lost, and slots are given back", async () => {
  const { time, core, state, voice, speak } = stage(
    () => Array.from({ length: 8 }, () => ({ give: chunk(4000, 2401) })),
    8000,
  );
  for (const piece of [1, 2, 3]) speak(piece, 'a');
  await time.runTo(100);
  const expected = (3 * 19_208) / 3;
  assert.ok(Math.abs(state.samples - expected) <= 6, `${state.samples} instead of ${expected}`);
  assert.equal(core.slotsInUse, 1);
  voice.release();
  assert.equal(core.slotsInUse, 0);
});

test('without a slot for a resampler the piece fails, and nothing hangs', async () => {
  const { time, core, log, speak } = stage(() => [{ give: chunk(1) }], 8000, 1);
  const taken = core.openAnalyzer(16_000);
  speak(1, 'a');
  await time.runTo(100);
  assert.deepEqual(log, ['1 internal']);
  taken.release();
});

test('released in the middle: nothing more comes out, nothing rejects', async () => {
  const { time, core, log, voice, speak, tts } = stage(
    () => Array.from({ length: 20 }, () => ({ afterMs: 10, give: chunk(1) })),
    8000,
  );
  speak(1, 'a');
  speak(2, 'b');
  await time.runTo(55);
  voice.release();
  const before = log.length;
  await time.runTo(20_000);
  assert.equal(log.length, before);
  assert.equal(core.slotsInUse, 0);
  assert.ok(tts.asked.every((a) => a.endedMs !== null));
  assert.equal(time.pending, 0);
});
