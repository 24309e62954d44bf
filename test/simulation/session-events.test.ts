// The events that an agent's hooks and tools get of a whole call: each documented name that the call can have, in order, with its fields.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOCUMENTED_SESSION_EVENTS, SESSION_EVENTS, type SessionEventName } from '../../src/agent/session-events.ts';
import type { Call } from '../../src/runner/call.ts';
import { calls, writes } from './models.ts';
import { type Scenario, simulate } from './simulated-call.ts';

interface Seen {
  readonly name: SessionEventName;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Listens to everything. Borrowed payloads are copied, as handlers must that keep them. */
function listen(seen: Seen[]) {
  return (call: Call) => {
    for (const name of SESSION_EVENTS) {
      call.handle.on(name, (payload) => seen.push({ name, payload: { ...(payload as Record<string, unknown>) } }));
    }
    call.handle.started();
  };
}

const ask = { atMs: 500, ms: 600, text: 'what is the weather' };
const weather = { name: 'weather', description: 'weather', run: () => ({ sky: 'clear' }) };
const broken = {
  name: 'broken',
  description: 'broken',
  run: () => {
    throw new Error('out of order');
  },
};
const scenario: Scenario = {
  caller: [ask, { atMs: 6000, ms: 800, text: 'stop that' }],
  endMs: 24_000,
  llm: (_, n) =>
    n === 0
      ? calls({ id: 'a', name: 'weather', arguments: '{"in":"Rome"}' }, { id: 'b', name: 'broken', arguments: '{}' })
      : writes('It is sunny in Rome, and it will stay so for the whole week, they say, with little wind.'),
  tools: [weather, broken],
  at: [[16_000, (call) => call.input.text('thank you')]],
};

test('a call with tools, an interruption and a written turn tells what happened in it', async () => {
  const seen: Seen[] = [];
  const { ledger, reason } = await simulate({ ...scenario, opened: listen(seen) });
  const of = (name: SessionEventName) => seen.filter((one) => one.name === name).map(({ payload }) => payload);
  assert.equal(of('session_started').length, 1);
  assert.deepEqual(
    of('session_stopped').map(({ reason: told }) => told),
    [reason],
  );
  assert.ok((of('session_stopped')[0]?.duration_ms as number) >= 13_000);
  assert.equal(seen.at(-1)?.name, 'session_stopped');
  // Each turn of the ledger began and was completed, in this order.
  const turns = of('turn_completed');
  assert.deepEqual(
    turns.map(({ turn_id }) => turn_id),
    ledger.turns.map(({ turn }) => turn),
  );
  assert.deepEqual(
    turns.map(({ response }) => response),
    ledger.turns.map(({ agent }) => agent.heard),
  );
  assert.deepEqual(
    of('turn_started').map(({ type }) => type),
    ['audio', 'audio', 'text'],
  );
  assert.deepEqual(
    of('turn_started').map(({ input }) => input),
    [ask.text, 'stop that', 'thank you'],
  );
  for (const { duration_ms, messages_count } of turns) {
    assert.ok((duration_ms as number) > 0);
    assert.ok([1, 2].includes(messages_count as number));
  }
  assert.deepEqual(
    of('tool_called').map(({ tool_name, arguments: args }) => [tool_name, args]),
    [
      ['weather', '{"in":"Rome"}'],
      ['broken', '{}'],
    ],
  );
  assert.deepEqual(
    of('tool_completed').map(({ tool_name, result }) => [tool_name, result]),
    [['weather', '{"sky":"clear"}']],
  );
  assert.deepEqual(
    of('tool_error').map(({ tool_name, error }) => [tool_name, error]),
    [['broken', 'Error: out of order']],
  );
  assert.equal(of('interrupted').length, 1);
  assert.ok(of('response_cancelled').some(({ reason: why }) => why === 'interrupted'));
  assert.deepEqual(
    of('text_received').map(({ text, source }) => [text, source]),
    [['thank you', 'text']],
  );
  assert.ok(of('stt_result').some(({ text }) => text === ask.text));
  assert.equal(of('vad_speech_start').length, of('vad_speech_end').length);
  assert.ok(of('response_generated').every(({ text }) => (text as string).startsWith('It is sunny')));
  assert.equal(of('response_generated').length, 3);
  assert.ok(of('speaking_started').length >= 3);
  // Sizes add up to what the line was given.
  const bytes = (name: SessionEventName) => of(name).reduce((sum, { size }) => sum + (size as number), 0);
  assert.ok(bytes('audio_output') > 0 && bytes('tts_audio') >= bytes('audio_output'));
  assert.ok(of('audio_received').every(({ size }) => size === 640));
  assert.ok(
    of('tts_complete').every(
      ({ audio_size, audio_duration_ms }) => (audio_size as number) > 0 && (audio_duration_ms as number) > 0,
    ),
  );
  const states = of('state_changed');
  for (let i = 1; i < states.length; i++) assert.equal(states[i]?.from_state, states[i - 1]?.to_state);
  // What no call over this line can have: rooms, participants, a realtime model.
  const names = new Set(seen.map(({ name }) => name));
  assert.deepEqual(
    DOCUMENTED_SESSION_EVENTS.filter((name) => !names.has(name)),
    [
      'participant_updated',
      'participant_removed',
      'room_id_updated',
      'realtime_event',
      'realtime_closed',
      'callbacks_registered',
      'callback_unregistered',
    ],
  );
});

test('what a transport tells of its room reaches the handlers', async () => {
  const seen: Seen[] = [];
  await simulate({
    endMs: 1000,
    opened(call) {
      listen(seen)(call);
      call.handle.tell('participant_updated', { participant_id: 'jo', data: { name: 'Jo' } });
      call.handle.tell('room_id_updated', { room_id: 'lobby' });
      call.handle.tell('participant_removed', { participant_id: 'jo' });
    },
  });
  assert.deepEqual(
    seen.map(({ name }) => name).filter((name) => name.includes('participant') || name.includes('room')),
    ['participant_updated', 'room_id_updated', 'participant_removed'],
  );
});

test('R-14, R-15: handlers that throw at every event change nothing in the call', async () => {
  const plain = await simulate(scenario);
  let failures = 0;
  const hostile = await simulate({
    ...scenario,
    observe: (_, base) => ({ ...base, handlerFailed: () => void failures++ }),
    opened(call) {
      for (const name of SESSION_EVENTS) {
        call.handle.on(name, () => {
          throw new Error('never mind');
        });
      }
    },
  });
  assert.ok(failures > 100, `only ${failures} handlers failed`);
  assert.deepEqual(hostile.ledger.turns, plain.ledger.turns);
});

test('a failing model is an event of its stage, and the session says so at its end', async () => {
  const seen: Seen[] = [];
  await simulate({
    caller: [ask],
    endMs: 20_000,
    llm: () => [{ fail: new Error('nobody is there') }],
    opened: listen(seen),
  });
  const errors = seen.filter(({ name }) => name === 'llm_error');
  assert.ok(errors.length >= 1);
  assert.equal(errors[0]?.payload.kind, 'internal');
});

test('a handler may speak, write, rate and end the call', async () => {
  const ratings: unknown[] = [];
  const result = await simulate({
    caller: [ask],
    endMs: 20_000,
    observe: (_, base) => ({ ...base, rated: (rating) => ratings.push(rating) }),
    opened(call) {
      call.handle.once('turn_completed', () => call.handle.say('And now good-bye.'));
      call.handle.on('turn_completed', ({ type }) => {
        if (type !== 'agent') return;
        call.handle.rate({ rating: 4, kind: 'naturalness' });
        call.handle.close('said all');
      });
    },
  });
  assert.equal(result.reason, 'said all');
  assert.equal(result.ledger.turns.at(-1)?.agent.heard, 'And now good-bye.');
  assert.deepEqual(ratings, [{ rating: 4, kind: 'naturalness' }]);
  assert.throws(() => result.call.handle.rate(6), /from 1 to 5/);
  assert.throws(() => result.call.handle.rate(Number.NaN), RangeError);
  assert.throws(() => result.call.handle.rate({ rating: 3, kind: 'mood' as never }), /kinds of rating/);
});
