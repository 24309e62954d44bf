// The bus of the specification's events: names as it writes them, replaceable ids, isolation, bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBus, eventName, TELEMETRY_EVENTS } from '../../../src/ops/telemetry/index.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('names are read with and without the prefix, dotted and as lists', () => {
  for (const path of [
    'session.started',
    'livekitex_agent.session.started',
    ['session', 'started'],
    ['livekitex_agent', 'session', 'started'],
    ['syrinx', 'session', 'started'],
  ]) {
    assert.equal(eventName(path), 'session.started');
  }
  for (const path of [
    '',
    'session',
    [],
    ['livekitex_agent'],
    'Session.Started',
    'a..b',
    ['a', ''],
    `a.${'b'.repeat(200)}`,
  ]) {
    assert.throws(() => eventName(path), /no event's name/, String(path));
  }
  assert.equal(TELEMETRY_EVENTS.length, 7);
});

test('handlers get event, measurements, metadata and their configuration', () => {
  const bus = new EventBus();
  const seen: unknown[] = [];
  bus.attach('a', 'tool.executed', (...args) => seen.push(args), { level: 3 });
  bus.execute('tool.executed', { duration_ms: 5, success: true }, { tool_name: 'weather' });
  assert.deepEqual(seen, [
    ['tool.executed', { duration_ms: 5, success: true }, { tool_name: 'weather' }, { level: 3 }],
  ]);
});

test('R-14: the same id replaces, another one is added, and what replaced is not taken away by the old one', () => {
  const bus = new EventBus();
  const seen: string[] = [];
  const stopFirst = bus.attach('id', 'session.started', () => seen.push('first'));
  bus.attach('id', ['session.started'], () => seen.push('second'));
  bus.attach('other', [['livekitex_agent', 'session', 'started']], () => seen.push('other'));
  stopFirst();
  bus.execute('session.started', { session_id: 's', timestamp: 1 });
  assert.deepEqual(seen, ['second', 'other']);
  assert.equal(bus.detach('id'), true);
  assert.equal(bus.detach('id'), false);
  assert.deepEqual(bus.attached(), [{ id: 'other', events: ['session.started'] }]);
});

test('R-14: a handler that throws or rejects leaves the emitter and the others alive; it is counted, and said once', async () => {
  const bus = new EventBus();
  const said: unknown[] = [];
  bus.observe({ failed: (id, event, error, first) => said.push([id, event, (error as Error).message, first]) });
  let reached = 0;
  bus.attach('throws', 'session.started', () => {
    throw new Error('no');
  });
  bus.attach('rejects', 'session.started', async () => {
    throw new Error('late no');
  });
  bus.attach('works', 'session.started', () => reached++);
  for (let i = 0; i < 2; i++) bus.execute('session.started', { session_id: 's', timestamp: i });
  await settled();
  assert.equal(reached, 2);
  assert.deepEqual(bus.counts, { failures: 4, dropped: 0 });
  assert.deepEqual(said, [
    ['throws', 'session.started', 'no', true],
    ['throws', 'session.started', 'no', false],
    ['rejects', 'session.started', 'late no', true],
    ['rejects', 'session.started', 'late no', false],
  ]);
});

test('promises of one handler are bounded; what is dropped is counted', async () => {
  const bus = new EventBus();
  const open: (() => void)[] = [];
  const firsts: boolean[] = [];
  bus.observe({ dropped: (_id, _event, first) => firsts.push(first) });
  bus.attach('slow', 'audio.processed', () => new Promise<void>((resolve) => open.push(resolve)));
  for (let i = 0; i < 70; i++) bus.execute('audio.processed', { latency_ms: i, chunk_size_bytes: 640 });
  assert.equal(open.length, 64);
  assert.deepEqual(bus.counts, { failures: 0, dropped: 6 });
  assert.deepEqual(firsts, [true, false, false, false, false, false]);
  for (const settle of open) settle();
  await settled();
  bus.execute('audio.processed', { latency_ms: 0, chunk_size_bytes: 640 });
  assert.equal(open.length, 65);
});

test('nobody wants what nobody is attached to', () => {
  const bus = new EventBus();
  assert.equal(bus.wants('audio.processed'), false);
  const stop = bus.attach('a', 'audio.processed', () => {});
  assert.equal(bus.wants('audio.processed'), true);
  stop();
  assert.equal(bus.wants('audio.processed'), false);
  // An event of the user's own.
  let own = 0;
  bus.attach('mine', 'billing.charged', ({ length }) => {
    own = length;
  });
  bus.execute(['billing', 'charged'], { cents: 5 });
  assert.equal(own, 'billing.charged'.length);
});

test('ids and events are bounded, nonsense is refused', () => {
  const bus = new EventBus();
  for (let i = 0; i < 100; i++) bus.attach(`id ${i}`, 'session.started', () => {});
  assert.throws(() => bus.attach('one more', 'session.started', () => {}), /At most 100 ids/);
  bus.attach('id 0', 'session.completed', () => {});
  assert.throws(() => bus.attach('', 'session.started', () => {}), RangeError);
  assert.throws(() => bus.attach('id 1', [], () => {}), RangeError);
  assert.throws(() => bus.attach('id 1', 'session.started', 5 as never), TypeError);
});
