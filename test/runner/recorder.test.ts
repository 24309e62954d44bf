// Recordings: everything that goes in comes out again, and what is no recording says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readRecording, RecordingError, recordSession } from '../../src/runner/recorder.ts';
import { describeEffects, replay } from '../../src/runner/replay.ts';
import { DEFAULT_SESSION_OPTIONS, type SessionOptions } from '../../src/session/options.ts';
import { createSession } from '../../src/session/session.ts';
import { createFakeCore, FakeAnalyzer } from '../simulation/fake-core.ts';

const options: SessionOptions = {
  ...DEFAULT_SESSION_OPTIONS,
  id: 'r\u00e9',
  agent: 'a',
  transport: 't',
  inputRateHz: 16_000,
  outputRateHz: 24_000,
};

/** A short recorded session, whole. */
function recorded(sink = { fail: false }) {
  const parts: Uint8Array[] = [];
  const failures: unknown[] = [];
  let closed = 0;
  const lines: string[] = [];
  const session = recordSession(
    createSession(
      options,
      new FakeAnalyzer(),
      describeEffects((line) => lines.push(line)),
    ),
    options,
    {
      write(bytes) {
        if (sink.fail) throw new Error('disk full');
        parts.push(bytes);
      },
      close: () => void closed++,
    },
    (error) => failures.push(error),
  );
  const out = new Int16Array(480);
  for (let i = 0; i < 120; i++) session.audio(new Uint8Array(640).fill(i), i * 320, i * 20 + 20);
  session.event({ type: 'text', text: 'h\u00e9llo' }, 3000);
  session.event({ type: 'token', turn: 1, round: 1, text: 'Hi.' }, 3001);
  session.event({ type: 'speech', turn: 1, piece: 2, samples: Int16Array.of(1, -2, 3) }, 3002);
  session.pull(out, 3003);
  session.wake(3004);
  session.event({ type: 'close', reason: 'done' }, 4000);
  session.event({ type: 'text', text: 'too late' }, 4001);
  const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, lines, closed, failures, session, parts };
}

test('what goes in comes out, in order, and the file is closed once', () => {
  const { bytes, lines, closed, parts } = recorded();
  const { inputs, truncated, options: read } = readRecording(bytes);
  assert.equal(truncated, false);
  assert.deepEqual(read, JSON.parse(JSON.stringify(options)));
  assert.equal(closed, 1);
  assert.ok(parts.length > 1, 'audio is more than one block');
  assert.equal(inputs.length, 126);
  assert.deepEqual(inputs.slice(120), [
    { type: 'event', nowMs: 3000, event: { type: 'text', text: 'h\u00e9llo' } },
    { type: 'event', nowMs: 3001, event: { type: 'token', turn: 1, round: 1, text: 'Hi.' } },
    { type: 'event', nowMs: 3002, event: { type: 'speech', turn: 1, piece: 2, samples: Int16Array.of(1, -2, 3) } },
    { type: 'pull', nowMs: 3003, samples: 480 },
    { type: 'wake', nowMs: 3004 },
    { type: 'event', nowMs: 4000, event: { type: 'close', reason: 'done' } },
  ]);
  const again = replay(readRecording(bytes), createFakeCore());
  assert.deepEqual(again.effects.trimEnd().split('\n').slice(0, -1), lines);
  assert.equal(again.session.ended, true);
});

test('a disk that is full ends the recording and not the session', () => {
  const { lines, failures, session } = recorded({ fail: true });
  assert.equal(failures.length, 1);
  assert.ok(session.ended);
  assert.deepEqual(lines, recorded().lines);
});

test('foreign files are refused', () => {
  for (const bytes of [
    new Uint8Array(0),
    new TextEncoder().encode('RIFF....WAVE\n'),
    new TextEncoder().encode('syrinx-recording-1'),
    new TextEncoder().encode('syrinx-recording-1 {\n'),
    new TextEncoder().encode('syrinx-recording-1 null\n'),
    new TextEncoder().encode('syrinx-recording-1 {"id":"a"}\n'),
    new TextEncoder().encode('syrinx-recording-2 {}\n'),
  ])
    assert.throws(() => readRecording(bytes), RecordingError);
});

test('a file that was cut is read as far as it goes', () => {
  const { bytes } = recorded();
  const head = bytes.indexOf(10) + 1;
  const cut = readRecording(bytes.subarray(0, head + 21 + 640 + 30));
  assert.equal(cut.inputs.length, 1);
  assert.ok(cut.truncated);
  assert.equal(readRecording(bytes.subarray(0, head)).truncated, false);
});

test('a damaged file is a RecordingError or a recording, never another error', () => {
  const { bytes } = recorded();
  const core = createFakeCore();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 20,
      }),
      (damage) => {
        const copy = bytes.slice();
        for (const [at, value] of damage) copy[at] = value;
        // The events at the end are where most can go wrong.
        for (const [at, value] of damage.slice(0, 3)) copy[copy.length - 1 - (at % 700)] = value;
        try {
          replay(readRecording(copy), core);
        } catch (error) {
          assert.ok(error instanceof RecordingError, String(error));
        }
        assert.equal(core.slotsInUse, 0);
      },
    ),
    { seed: 61, numRuns: 300 },
  );
});
