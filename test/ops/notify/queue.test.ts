// The queues of channels on virtual time: retries, patience, bounds, and no channel that delays another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';
import type { Notification } from '../../../src/ops/alerts/index.ts';
import {
  ChannelQueue,
  type ChannelOptions,
  createNotifyInstruments,
  type Deliver,
  Dispatcher,
  type Outcome,
} from '../../../src/ops/notify/index.ts';
import { retryAfterMs } from '../../../src/ops/notify/backoff.ts';
import { notification } from './notices.ts';
import { VirtualClock } from './virtual-clock.ts';

const OK: Outcome = { kind: 'delivered', status: 200 };
const note = (n: number, change: Partial<Notification> = {}) =>
  notification({ id: `n${n}`, groupKey: `g${n}`, ...change });

function open(deliver: Deliver, change: Partial<ChannelOptions> = {}, clock = new VirtualClock()) {
  const settled: string[] = [];
  const tried: string[] = [];
  const queue = new ChannelQueue({
    name: 'webhook',
    clock,
    wallNow: () => clock.now(),
    random: () => 0.5,
    deliver: (one, signal) => {
      tried.push(`${clock.now()} ${one.id}`);
      return deliver(one, signal);
    },
    onSettled: ({ id }, ending) => settled.push(`${clock.now()} ${id} ${ending}`),
    ...change,
  });
  return { queue, clock, settled, tried };
}

test('503 twice, then well: tried again after half to all of 1 s, 2 s, and delivered once', async () => {
  const answers: Outcome[] = [
    { kind: 'retry', status: 503, message: '503' },
    { kind: 'retry', status: 503, message: '503' },
    OK,
  ];
  const { queue, clock, settled, tried } = open(() => Promise.resolve(answers.shift() ?? OK));
  queue.push(note(1));
  queue.push(note(1));
  await clock.advance(60_000);
  assert.deepEqual(tried, ['0 n1', '750 n1', '2250 n1']);
  assert.deepEqual(settled, ['2250 n1 delivered']);
  assert.deepEqual(
    queue.log().map(({ outcome, status, attempt }) => [outcome, status, attempt]),
    [
      ['retry', 503, 1],
      ['retry', 503, 2],
      ['delivered', 200, 3],
    ],
  );
  assert.equal(clock.pending, 0, 'no timer is left');
});

test('a channel that answers 429 for an hour, one that hangs and one that throws delay no other', async () => {
  const clock = new VirtualClock();
  const hour = 3_600_000;
  const limited = open(
    () =>
      Promise.resolve<Outcome>(clock.now() < hour ? { kind: 'retry', status: 429, message: '429', pause: true } : OK),
    { name: 'slack' },
    clock,
  );
  const hanging = open(() => new Promise(() => {}), { name: 'pagerduty' }, clock);
  const throwing = open(
    () => {
      throw new Error('fetch failed: https://hooks.example/secret');
    },
    { name: 'email' },
    clock,
  );
  const good = open(() => Promise.resolve(OK), { name: 'webhook' }, clock);
  const all = [limited, hanging, throwing, good];
  const dispatcher = new Dispatcher({ channels: all.map(({ queue }) => queue) });
  for (let i = 0; i < 60; i++) {
    dispatcher.send(dispatcher.names().map((channel) => note(i, { channel })));
    await clock.advance(60_000);
  }
  assert.deepEqual(
    good.settled,
    Array.from({ length: 60 }, (_, i) => `${i * 60_000} n${i} delivered`),
  );
  assert.equal(limited.settled.length, 0);
  assert.ok(limited.tried.length < 30, `${limited.tried.length} attempts in an hour`);
  await clock.advance(600_000);
  assert.equal(limited.settled.length, 60);
  assert.equal(new Set(limited.settled.map((line) => line.split(' ')[1])).size, 60);
  const last = hanging.queue.log().at(-1);
  assert.deepEqual([last?.outcome, last?.message, last?.latencyMs], ['retry', 'no answer in 10000 ms', 10_000]);
  assert.equal(throwing.queue.log()[0]?.message, 'fetch failed: [address]');
  assert.ok(dispatcher.log().length <= 4 * 200);
});

test('Retry-After is kept to, for the whole channel', async () => {
  const answers: Outcome[] = [{ kind: 'retry', status: 429, message: '', retryAfterMs: 120_000, pause: true }];
  const { queue, clock, tried } = open(() => Promise.resolve(answers.shift() ?? OK));
  queue.push(note(1));
  await clock.advance(1000);
  queue.push(note(2));
  await clock.advance(300_000);
  assert.deepEqual(tried, ['0 n1', '120000 n1', '120000 n2']);
  assert.equal(retryAfterMs('120', 0), 120_000);
  assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 10_000), 50_000);
  assert.equal(retryAfterMs('999999', 0), 3_600_000);
  for (const odd of [null, '', 'soon', '-5', 'Thu, 01 Jan 1970 00:00:00 GMT'])
    assert.equal(retryAfterMs(odd, 1), undefined);
});

test('one that fails holds up no other group, and its own group stays in order', async () => {
  const { queue, clock, settled } = open(({ id }) =>
    Promise.resolve<Outcome>(id === 'bad' && clock.now() < 5000 ? { kind: 'retry', message: '500' } : OK),
  );
  queue.push(notification({ id: 'bad', groupKey: 'x' }));
  queue.push(notification({ id: 'after bad', groupKey: 'x' }));
  queue.push(notification({ id: 'other', groupKey: 'y' }));
  await clock.advance(60_000);
  assert.deepEqual(
    settled.map((line) => line.replace(/^\d+ /, '')),
    ['other delivered', 'bad delivered', 'after bad delivered'],
  );
  assert.match(settled[0] ?? '', /^0 /);
});

test('what is refused for good is not tried again', async () => {
  const { queue, clock, settled, tried } = open(() =>
    Promise.resolve({ kind: 'rejected', status: 400, message: 'bad' }),
  );
  queue.push(note(1));
  await clock.advance(3_600_000);
  assert.deepEqual([tried.length, settled], [1, ['0 n1 rejected']]);
});

test('the queue is bounded in length and age, what is dropped is said and counted', async () => {
  const registry = createRegistry();
  const down = (): Promise<Outcome> => Promise.resolve({ kind: 'retry', message: 'down' });
  const instruments = createNotifyInstruments(registry);
  const { queue, clock, settled } = open(down, { maxQueued: 3, maxAgeMs: 600_000, instruments });
  const born = takeSnapshot(registry).map((one) => [one.name, 'value' in one ? one.value : one.count]);
  assert.deepEqual(born, [
    ['syrinx.notify.attempts', 0],
    ['syrinx.notify.queued', 0],
    ['syrinx.notify.duration', 0],
  ]);
  for (let i = 0; i < 5; i++) queue.push(note(i));
  queue.push(note(9, { groupKey: 'g4', reason: 'repeat interval elapsed' }));
  assert.equal(queue.size, 3);
  await clock.advance(1_000_000);
  assert.deepEqual(settled.map((line) => line.replace(/^\d+ /, '')).sort(), [
    'n0 expired',
    'n1 overflow',
    'n2 overflow',
    'n3 expired',
    'n4 expired',
    'n9 superseded',
  ]);
  const values = takeSnapshot(registry).map((one) => [
    one.name,
    Object.values(one.labels).join(),
    'value' in one ? one.value : one.count,
  ]);
  assert.deepEqual(
    values.find(([name, labels]) => name === 'syrinx.notify.dropped' && labels === 'webhook,overflow'),
    ['syrinx.notify.dropped', 'webhook,overflow', 2],
  );
  assert.deepEqual(
    values.find(([name]) => name === 'syrinx.notify.queued'),
    ['syrinx.notify.queued', 'webhook', 0],
  );
});

test('an answer that comes after its time belongs to nobody', async () => {
  let late: ((outcome: Outcome) => void) | undefined;
  let aborted = false;
  const { queue, clock, settled, tried } = open((_, signal) => {
    signal.addEventListener('abort', () => (aborted = true));
    return late === undefined ? new Promise((resolve) => (late = resolve)) : Promise.resolve(OK);
  });
  queue.push(note(1));
  await clock.advance(10_100);
  assert.equal(aborted, true);
  late?.(OK);
  await clock.advance(100);
  assert.deepEqual(settled, []);
  await clock.advance(60_000);
  assert.deepEqual([tried.length, settled.length], [2, 1]);
});

test('receivers that count get no more than they take', async () => {
  const { queue, clock, tried } = open(() => Promise.resolve(OK), { minIntervalMs: 1000 });
  for (let i = 0; i < 4; i++) queue.push(note(i));
  await clock.advance(10_000);
  assert.deepEqual(tried, ['0 n0', '1000 n1', '2000 n2', '3000 n3']);
});

test('stopping waits for what can be done now, and not for what cannot', async () => {
  const good = open(() => Promise.resolve(OK));
  good.queue.push(note(1));
  const stopped = good.queue.stop(5000);
  await good.clock.advance(0);
  await stopped;
  assert.deepEqual(good.settled, ['0 n1 delivered']);
  const hanging = open(() => new Promise(() => {}));
  hanging.queue.push(note(1));
  const cut = hanging.queue.stop(5000);
  await hanging.clock.advance(5000);
  await cut;
  await hanging.clock.advance(100_000);
  assert.deepEqual([hanging.settled, hanging.tried.length, hanging.clock.pending], [[], 1, 0]);
});

test('a channel that is not there is said', () => {
  const settled: string[] = [];
  const dispatcher = new Dispatcher({ channels: [], onSettled: ({ id }, ending) => settled.push(`${id} ${ending}`) });
  dispatcher.send([note(1)]);
  assert.deepEqual(settled, ['n1 unknown channel']);
});

test('whatever a receiver answers, each notification ends exactly once and the queue empties', async () => {
  const answer = fc.constantFrom<Outcome | 'hang' | 'throw'>(
    OK,
    { kind: 'rejected', message: 'no' },
    { kind: 'retry', message: '503' },
    { kind: 'retry', message: '429', retryAfterMs: 90_000, pause: true },
    'hang',
    'throw',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { maxLength: 60 }),
      fc.array(fc.nat(5), { maxLength: 30 }),
      async (answers, groups) => {
        const { queue, clock, settled } = open(() => {
          const next = answers.shift() ?? OK;
          if (next === 'throw') return Promise.reject(new Error('x'));
          return next === 'hang' ? new Promise(() => {}) : Promise.resolve(next);
        });
        for (const [i, group] of groups.entries()) {
          queue.push(note(i, { groupKey: `g${group}` }));
          await clock.advance(1000);
        }
        await clock.advance(24 * 3_600_000);
        assert.equal(queue.size, 0);
        assert.equal(new Set(settled.map((line) => line.split(' ')[1])).size, groups.length);
        assert.equal(settled.length, groups.length);
        assert.equal(clock.pending, 0);
      },
    ),
    { numRuns: 60, seed: 9 },
  );
});

test('an error that has a code alone is told by it', async () => {
  const refused = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
  const { queue, clock } = open(() => Promise.reject(refused));
  queue.push(note(1));
  await clock.advance(10);
  assert.equal(queue.log()[0]?.message, 'ECONNREFUSED');
});
