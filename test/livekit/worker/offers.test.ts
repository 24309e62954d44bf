// Offers on virtual time: each is answered, every kind of silence is a no, and never more is taken than there is room for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OfferAnswer } from '../../../src/livekit/job.ts';
import { createBench } from './bench.ts';
import { WorkerStatus } from './fake-link.ts';
import { settle } from './virtual-clock.ts';

test('no, silence, a throw, a rejection and nonsense all refuse, well inside 10 s', async () => {
  const nonsense = [undefined, null, 'yes', {}, { accept: 'yes' }, { accept: true, identity: '' }];
  const wrong = [
    { accept: true, identity: 7 },
    { accept: true, metadata: 'x'.repeat(64_001) },
    { accept: true, attributes: { a: 1 } },
    { accept: true, attributes: null },
  ];
  const cases: [string, () => unknown][] = [
    ['declined', () => ({ accept: false })],
    ['declined', async () => ({ accept: false })],
    ['handler-timeout', () => new Promise(() => {})],
    [
      'handler-failed',
      () => {
        throw new Error('broken');
      },
    ],
    ['handler-failed', () => Promise.reject(new Error('broken'))],
    ...[...nonsense, ...wrong].map((value): [string, () => unknown] => ['invalid-answer', () => value]),
  ];
  for (const [reason, handler] of cases) {
    const bench = createBench({ agent: { accept: handler as () => OfferAnswer } });
    const link = await bench.registered();
    link.offer('AJ_1');
    await bench.clock.advance(5000);
    const answers = link.answerTo('AJ_1');
    assert.deepEqual(
      answers.map((a) => [a.available, a.terminate]),
      [[false, false]],
      reason,
    );
    assert.equal(bench.metric('offers.refused', { reason }), 1, reason);
    assert.deepEqual([bench.worker.status().reserved, bench.worker.status().load], [0, 0]);
  }
});

test('a handler that answers after its time is not heard; its signal tells it', async () => {
  let answer: (value: OfferAnswer) => void = () => {};
  let signal: AbortSignal | undefined;
  const bench = createBench({
    agent: {
      accept: (_, given) => {
        signal = given;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    },
  });
  const link = await bench.registered();
  link.offer('AJ_1');
  await bench.clock.advance(5000);
  assert.equal(signal?.aborted, true);
  answer({ accept: true });
  await settle();
  assert.equal(link.answerTo('AJ_1').length, 1);
  assert.equal(link.answerTo('AJ_1')[0]?.available, false);
});

test('"done" tells the server that nobody else is to be asked', async () => {
  const bench = createBench({ agent: { accept: () => ({ accept: false, done: true }) } });
  const link = await bench.registered();
  link.offer('AJ_1');
  const [answer] = link.answerTo('AJ_1');
  assert.deepEqual([answer?.available, answer?.terminate], [false, true]);
});

test('six offers at once for six places: six taken, the seventh refused at once, and the server is told "full"', async () => {
  const bench = createBench({ admission: { maxSessions: 6 } });
  const link = await bench.registered();
  const ids = Array.from({ length: 7 }, (_, i) => `AJ_${i}`);
  for (const id of ids) link.offer(id);
  assert.deepEqual(
    ids.map((id) => link.answerTo(id)[0]?.available),
    [true, true, true, true, true, true, false],
  );
  assert.equal(bench.metric('offers.refused', { reason: 'full' }), 1);
  const loads = link.all('updateWorker').map(({ status, load }) => [status, Math.round((load ?? 0) * 1000) / 1000]);
  assert.deepEqual(loads, [
    [WorkerStatus.WS_AVAILABLE, 0],
    [WorkerStatus.WS_AVAILABLE, 0.117],
    [WorkerStatus.WS_AVAILABLE, 0.233],
    [WorkerStatus.WS_AVAILABLE, 0.35],
    [WorkerStatus.WS_AVAILABLE, 0.467],
    [WorkerStatus.WS_AVAILABLE, 0.583],
    [WorkerStatus.WS_FULL, 0.7],
  ]);
  assert.equal(bench.worker.status().reason, 'full');
  for (const id of ids.slice(0, 6)) link.assign(id);
  assert.equal(bench.jobs.length, 6);
  await bench.jobs[3]?.end();
  assert.equal(link.last('updateWorker')?.status, WorkerStatus.WS_AVAILABLE);
  link.offer('AJ_next');
  assert.equal(link.answerTo('AJ_next')[0]?.available, true);
});

test('handlers that think at the same time cannot take more than there is', async () => {
  const answers: (() => void)[] = [];
  const accept = () =>
    new Promise<OfferAnswer>((resolve) => {
      answers.push(() => resolve({ accept: true }));
    });
  const bench = createBench({ admission: { maxSessions: 3 }, agent: { accept } });
  const link = await bench.registered();
  for (let i = 0; i < 10; i++) link.offer(`AJ_${i}`);
  assert.equal(answers.length, 10);
  for (const answer of answers) answer();
  await settle();
  const taken = link.all('availability').filter((a) => a.available);
  assert.deepEqual([link.all('availability').length, taken.length], [10, 3]);
});

test('undecided offers are bounded', async () => {
  const bench = createBench({ timing: { maxAsked: 2 }, agent: { accept: () => new Promise(() => {}) } });
  const link = await bench.registered();
  for (let i = 0; i < 3; i++) link.offer(`AJ_${i}`);
  assert.deepEqual(
    link.all('availability').map((a) => a.jobId),
    ['AJ_2'],
  );
  assert.equal(bench.metric('offers.refused', { reason: 'busy' }), 1);
});

test('strain closes the door, is told at once, and opens it again only when it has been calm', async () => {
  const bench = createBench();
  const link = await bench.registered();
  bench.measures = { ...bench.measures, lateFrameShare: 0.05 };
  await bench.clock.advance(5000);
  assert.equal(link.last('updateWorker')?.status, WorkerStatus.WS_FULL);
  assert.ok((link.last('updateWorker')?.load ?? 0) >= 0.7);
  link.offer('AJ_1');
  assert.equal(link.answerTo('AJ_1')[0]?.available, false);
  assert.equal(bench.metric('offers.refused', { reason: 'late-frames' }), 1);
  assert.equal(bench.worker.status().reason, 'late-frames');
  assert.equal(bench.worker.status().scaleUp, true);
  bench.measures = { ...bench.measures, lateFrameShare: 0 };
  await bench.clock.advance(2500);
  assert.equal(link.last('updateWorker')?.status, WorkerStatus.WS_FULL);
  await bench.clock.advance(7500);
  assert.equal(link.last('updateWorker')?.status, WorkerStatus.WS_AVAILABLE);
});

test('a door that is closed by calls of another kind is told at once, and so is its opening', async () => {
  const bench = createBench({ admission: { maxSessions: 2 } });
  const link = await bench.registered();
  bench.measures = { ...bench.measures, otherSessions: 2 };
  assert.equal(bench.gate.judge().open, false);
  assert.deepEqual(
    [link.last('updateWorker')?.status, link.last('updateWorker')?.load],
    [WorkerStatus.WS_FULL, Math.fround(0.7)],
  );
  bench.measures = { ...bench.measures, otherSessions: 1 };
  bench.gate.judge();
  assert.equal(link.last('updateWorker')?.status, WorkerStatus.WS_AVAILABLE);
  const told = link.all('updateWorker').length;
  for (let i = 0; i < 5; i++) bench.gate.judge();
  assert.equal(link.all('updateWorker').length, told);
  await bench.worker.drain(0);
  bench.measures = { ...bench.measures, otherSessions: 2 };
  bench.gate.judge();
  assert.ok(link.all('updateWorker').length <= told + 1, 'a worker that is over says nothing');
});

test('calls that are no jobs of the worker count too', async () => {
  const bench = createBench({ admission: { maxSessions: 2 } });
  const link = await bench.registered();
  bench.measures = { ...bench.measures, otherSessions: 2 };
  link.offer('AJ_1');
  assert.equal(link.answerTo('AJ_1')[0]?.available, false);
});
