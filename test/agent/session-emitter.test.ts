// Handlers of a session: names that are checked, isolation, bounds, and the three events about handlers themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_HANDLERS, MAX_PENDING, SessionEmitter } from '../../src/agent/session-emitter.ts';
import { DOCUMENTED_SESSION_EVENTS, SESSION_EVENTS, type SessionEventName } from '../../src/agent/session-events.ts';

test('there are the 29 documented names and six more, each once', () => {
  assert.equal(DOCUMENTED_SESSION_EVENTS.length, 29);
  assert.equal(new Set(SESSION_EVENTS).size, 35);
});

test('a handler gets payload and name until it is taken away', () => {
  const emitter = new SessionEmitter();
  const seen: unknown[] = [];
  const stop = emitter.on('stt_result', (payload, name) => seen.push([name, payload.text]));
  emitter.emit('stt_result', { text: 'one' });
  stop();
  emitter.emit('stt_result', { text: 'two' });
  assert.deepEqual(seen, [['stt_result', 'one']]);
  assert.equal(emitter.wants('stt_result'), false);
});

test('once is once, also when the handler emits the same event', () => {
  const emitter = new SessionEmitter();
  let count = 0;
  emitter.on(
    'stt_result',
    () => {
      count++;
      emitter.emit('stt_result', { text: 'again' });
    },
    true,
  );
  emitter.emit('stt_result', { text: 'x' });
  emitter.emit('stt_result', { text: 'x' });
  assert.equal(count, 1);
});

test('a handler that throws or rejects is told of, and harms neither emitter nor neighbours', async () => {
  const failed: string[] = [];
  const emitter = new SessionEmitter({
    failed: (event, error) => failed.push(`${event}: ${(error as Error).message}`),
  });
  let reached = 0;
  emitter.on('interrupted', () => {
    throw new Error('at once');
  });
  emitter.on('interrupted', () => Promise.reject(new Error('later')));
  emitter.on('interrupted', () => reached++);
  emitter.emit('interrupted', { turn_id: 1, heard: '' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(reached, 1);
  assert.deepEqual(failed, ['interrupted: at once', 'interrupted: later']);
});

test('a handler with too many open promises is passed over and counted, until they settle', async () => {
  let dropped = 0;
  const emitter = new SessionEmitter({ dropped: () => dropped++ });
  const open: (() => void)[] = [];
  emitter.on('audio_received', () => new Promise<void>((resolve) => open.push(resolve)));
  for (let i = 0; i < MAX_PENDING + 10; i++) emitter.emit('audio_received', { size: 640 });
  assert.equal(open.length, MAX_PENDING);
  assert.equal(dropped, 10);
  for (const settle of open) settle();
  await new Promise((resolve) => setImmediate(resolve));
  emitter.emit('audio_received', { size: 640 });
  assert.equal(open.length, MAX_PENDING + 1);
});

test('unknown names are refused with the nearest, and of several handlers none is kept then', () => {
  const emitter = new SessionEmitter();
  const wrong = 'sttResult' as SessionEventName;
  assert.throws(
    () => emitter.on(wrong, () => {}),
    /No event of a session is named 'sttResult'; did you mean 'stt_result'\?/,
  );
  assert.throws(() => emitter.on('nothing' as SessionEventName, () => {}), /the events are session_started, /);
  assert.throws(() => emitter.onAll({ stt_result: () => {}, [wrong]: () => {} }), RangeError);
  assert.throws(() => emitter.on('stt_result', 'no function' as never), TypeError);
  assert.deepEqual(emitter.names(), []);
});

test('handlers are bounded', () => {
  const emitter = new SessionEmitter();
  for (let i = 0; i < MAX_HANDLERS; i++) emitter.on('stt_result', () => {});
  assert.throws(() => emitter.on('stt_result', () => {}), /at most 200 handlers/);
  emitter.clear();
  emitter.on('stt_result', () => {});
});

test('handlers that come and go are events', () => {
  const emitter = new SessionEmitter();
  const seen: unknown[] = [];
  emitter.on('callback_registered', ({ event }) => seen.push(['came', event]));
  emitter.on('callbacks_registered', ({ events }) => seen.push(['came', ...events]));
  emitter.on('callback_unregistered', ({ event }) => seen.push(['went', event]));
  const stop = emitter.onAll({ stt_result: () => {}, interrupted: () => {} });
  stop();
  assert.deepEqual(seen, [
    ['came', 'callback_registered'],
    ['came', 'callbacks_registered'],
    ['came', 'callback_unregistered'],
    ['came', 'stt_result', 'interrupted'],
    ['went', 'stt_result'],
    ['went', 'interrupted'],
  ]);
});
