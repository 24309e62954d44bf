// A core that hears with the net: analyzers take a slot of both, and give both back; replays want the VAD of their call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../../src/audio/index.ts';
import { createNeuralVad, withNeuralEars } from '../../../src/audio/neural/index.ts';
import { RecordingError, readRecording, recordSession } from '../../../src/runner/recorder.ts';
import { describeEffects, replay } from '../../../src/runner/replay.ts';
import { DEFAULT_SESSION_OPTIONS, type SessionOptions } from '../../../src/session/options.ts';
import { createSession } from '../../../src/session/session.ts';
import { speechLike } from '../signals.ts';

test('an analyzer takes a slot of the core and one of the net; where the net is full, the core gets its own back', () => {
  const core = createAudioCore({ maxSlots: 3 });
  const vad = createNeuralVad({ maxSlots: 1 });
  const ears = withNeuralEars(core, vad);
  const analyzer = ears.openAnalyzer(8000);
  assert.deepEqual([analyzer.vad, ears.slotsInUse, vad.slotsInUse, ears.maxSlots], ['neural', 1, 1, 3]);
  assert.throws(() => ears.openAnalyzer(16_000), /slots of the neural VAD are in use/);
  assert.deepEqual([core.slotsInUse, vad.slotsInUse], [1, 1]);
  const resampler = ears.openResampler(8000, 16_000);
  assert.deepEqual([ears.slotsInUse, vad.slotsInUse], [2, 1]);
  resampler.release();
  analyzer.release();
  assert.deepEqual([core.slotsInUse, vad.slotsInUse], [0, 0]);
  assert.equal(core.openAnalyzer(8000).vad, 'energy');
});

test('a call that heard with the net replays with it, to the same effects, and is refused without it', () => {
  const options: SessionOptions = {
    ...DEFAULT_SESSION_OPTIONS,
    id: 'neural',
    agent: 'test',
    transport: 'test',
    inputRateHz: 16_000,
    outputRateHz: 16_000,
    listening: { ...DEFAULT_SESSION_OPTIONS.listening, vad: 'neural' },
  };
  const lines: string[] = [];
  const blocks: Uint8Array[] = [];
  const ears = () => withNeuralEars(createAudioCore({ maxSlots: 1 }), createNeuralVad({ maxSlots: 1 }));
  const analyzer = ears().openAnalyzer(16_000);
  const session = recordSession(
    createSession(
      options,
      analyzer,
      describeEffects((line) => lines.push(line)),
    ),
    options,
    {
      write: (bytes) => blocks.push(bytes),
      close: () => {},
    },
  );
  const pcm = speechLike({ seconds: 4, seed: 3, noiseDb: -60 });
  for (let at = 0; at + 320 <= pcm.length; at += 320)
    session.audio(new Uint8Array(pcm.buffer, at * 2, 640), at, (at + 320) / 16);
  session.event({ type: 'close', reason: 'over' }, 5000);
  const recording = readRecording(new Uint8Array(Buffer.concat(blocks)));
  assert.equal(recording.options.listening.vad, 'neural');
  const scores: number[] = [];
  const { effects } = replay(recording, ears(), ({ score }) => scores.push(score));
  assert.deepEqual(effects.split('\n').slice(0, -2), lines);
  assert.equal(scores.length, 200);
  assert.ok(scores.every((score) => score >= 0 && score <= 1));
  const core = createAudioCore({ maxSlots: 1 });
  assert.throws(() => replay(recording, core), RecordingError);
  assert.equal(core.slotsInUse, 0);
});
