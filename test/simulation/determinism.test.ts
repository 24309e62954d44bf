// The same inputs give the same effects, byte for byte, on every host; a session goes on from its snapshot at any time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRecording } from '../../src/runner/recorder.ts';
import { describeEffects, replay } from '../../src/runner/replay.ts';
import { createSession } from '../../src/session/session.ts';
import { restoreSession, type SessionSnapshot } from '../../src/session/snapshot.ts';
import { createFakeCore, FakeAnalyzer } from './fake-core.ts';
import { calls, writes } from './models.ts';
import { type Scenario, simulate } from './simulated-call.ts';

const LONG = 'One two three four five six seven eight nine ten. Eleven, twelve, and thirteen follow.';

/** A call with a bit of everything. */
const busy: Scenario = {
  caller: [
    { atMs: 2500, ms: 800, text: 'what is the weather' },
    { atMs: 6000, ms: 300, text: null },
    { atMs: 8000, ms: 700, text: 'stop' },
    { atMs: 8950, ms: 500, text: 'please' },
    { atMs: 16_000, ms: 600, text: 'goodbye' },
  ],
  endMs: 22_000,
  line: { leadMs: 120, reportsPlayed: true, lost: [[5000, 5060]], twice: [[7000, 7100]] },
  tools: [{ name: 'weather', description: 'weather', run: () => ({ sky: 'clear' }) }],
  llm: (_, n) =>
    n === 0 ? calls({ id: 'a', name: 'weather', arguments: '{}' }) : writes(n === 1 ? LONG : `Very well, ${n}.`),
  at: [
    [0, (c) => c.say('Welcome to the bank.')],
    [12_500, (c) => c.input.text('typed words')],
    [15_000, (c) => c.session.event({ type: 'tuning', change: { endpointingMs: 700 } }, 15_000)],
  ],
};

/** FNV-1a over the text. */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return (state >>> 0).toString(16).padStart(8, '0');
}

/** What `busy` decides, on every host. Another number means that a session, or the runner that feeds it, does otherwise than it did. */
const GOLDEN = 'ae71f411';

test('a recorded call replays to the same bytes, again and again and on every host', async () => {
  const first = await simulate(busy);
  const second = await simulate(busy);
  const withoutId = (text: string) => text.replaceAll(/call-\d+/g, 'call');
  assert.equal(withoutId(first.effects), withoutId(second.effects));
  assert.equal(replay(readRecording(first.recording), createFakeCore()).effects, first.effects);
  assert.ok(first.effects.split('\n').length > 60);
  assert.equal(hash(withoutId(first.effects)), GOLDEN);
});

test('a recording that was cut off at any byte replays as far as it goes, to the same effects', async () => {
  const { recording, effects } = await simulate({ ...busy, endMs: 9000 });
  const lines = effects.split('\n');
  for (let part = 1; part <= 12; part++) {
    const cut = recording.subarray(0, Math.floor((recording.length * part) / 13));
    const read = readRecording(cut);
    const again = replay(read, createFakeCore()).effects.trimEnd().split('\n').slice(0, -1);
    assert.deepEqual(again, lines.slice(0, again.length));
  }
});

test('a snapshot of every moment is plain JSON, and a session goes on from it', async () => {
  const { recording } = await simulate(busy);
  const { options, inputs } = readRecording(recording);
  const lines: string[] = [];
  const session = createSession(
    options,
    new FakeAnalyzer(),
    describeEffects((line) => lines.push(line)),
  );
  const snapshots: SessionSnapshot[] = [];
  const phases = new Set<string>();
  let out = new Int16Array(480);
  inputs.forEach((input, i) => {
    if (session.ended) return;
    if (input.type === 'audio') session.audio(input.packet, input.position, input.nowMs);
    else if (input.type === 'event') session.event(input.event, input.nowMs);
    else if (input.type === 'wake') session.wake(input.nowMs);
    else {
      if (out.length !== input.samples) out = new Int16Array(input.samples);
      session.pull(out, input.nowMs);
    }
    if (i % 37 !== 0 || session.ended) return;
    const state = lines.findLast((line) => line.includes('"type":"state"'));
    phases.add(state ?? '');
    snapshots.push(session.snapshot());
  });
  assert.equal(phases.size, 4 + 1, 'not every state was met');
  for (const snapshot of snapshots) {
    const plain = JSON.parse(JSON.stringify(snapshot)) as SessionSnapshot;
    assert.deepEqual(JSON.parse(JSON.stringify(plain)), JSON.parse(JSON.stringify(snapshot)));
    const effects: { effect: string; [key: string]: unknown }[] = [];
    const restored = restoreSession(
      plain,
      new FakeAnalyzer(),
      describeEffects((line) => effects.push(JSON.parse(line))),
    );
    // It listens: a typed word gets an answer that knows what was said before.
    restored.event({ type: 'text', text: 'go on' }, 50_000);
    const request = effects.find((e) => e.effect === 'generate') as unknown as {
      messages: { role: string; content: string }[];
      turn: number;
    };
    assert.deepEqual(request.messages.at(-1), { role: 'user', content: 'go on' });
    assert.equal(request.messages.length, 2 + plain.messages.length);
    assert.ok(request.turn > plain.turn - 1);
    assert.deepEqual(restored.snapshot().turns, plain.turns);
    assert.ok(restored.snapshot().clockMs >= plain.clockMs);
  }
  const thinking = snapshots.find((s) => s.messages.at(-1)?.role === 'user');
  assert.ok(thinking !== undefined, 'a question that is being answered is not forgotten');
  assert.throws(
    () =>
      restoreSession(
        { ...snapshots[0]!, version: 2 as 1 },
        new FakeAnalyzer(),
        describeEffects(() => {}),
      ),
    RangeError,
  );
});
