// The way down, on virtual time: intake stops first, calls may end, then they are ended, and it always comes to an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bench, createBench } from './bench.ts';
import { type FakeLink, WorkerStatus } from './fake-link.ts';
import { settle } from './virtual-clock.ts';

async function withJobs(count: number): Promise<{ bench: Bench; link: FakeLink }> {
  const bench = createBench();
  const link = await bench.registered();
  for (let i = 0; i < count; i++) {
    link.offer(`AJ_${i}`);
    link.assign(`AJ_${i}`);
  }
  return { bench, link };
}

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await settle();
  return done;
}

test('says full at once, refuses offers, lets calls end, then says goodbye', async () => {
  const { bench, link } = await withJobs(2);
  const drained = bench.worker.drain(30_000);
  const status = link.last('updateWorker');
  assert.deepEqual([status?.status, status?.load, status?.jobCount], [WorkerStatus.WS_FULL, 1, 2]);
  assert.deepEqual([bench.worker.status().ready, bench.worker.status().reason], [false, 'draining']);
  assert.equal(bench.metric('draining'), 1);
  link.offer('AJ_late');
  assert.equal(link.answerTo('AJ_late')[0]?.available, false);
  assert.equal(bench.metric('offers.refused', { reason: 'draining' }), 1);
  await bench.jobs[0]?.end();
  await bench.clock.advance(20_000);
  assert.deepEqual(bench.jobs[1]?.stops, []);
  assert.equal(await isDone(drained), false);
  assert.equal(link.ended, null);
  await bench.jobs[1]?.end();
  assert.equal(await isDone(drained), true);
  assert.equal(link.ended, 'close');
  assert.deepEqual(link.reports('AJ_1'), ['JS_RUNNING', 'JS_SUCCESS']);
  await bench.clock.advance(2000);
  assert.equal(bench.clock.pending, 0);
});

test('with nothing to wait for it is over at once', async () => {
  const { bench, link } = await withJobs(0);
  assert.equal(await isDone(bench.worker.drain(30_000)), true);
  assert.equal(link.ended, 'close');
  const never = createBench();
  assert.equal(await isDone(never.worker.drain(30_000)), true);
});

test('at the limit jobs are asked to stop, and given up when they do not', async () => {
  const { bench, link } = await withJobs(2);
  const drained = bench.worker.drain(30_000);
  await bench.clock.advance(30_000);
  for (const job of bench.jobs) assert.deepEqual(job.stops, [{ reason: 'server stopped', graceMs: 5000 }]);
  await bench.clock.advance(1000);
  await bench.jobs[0]?.end();
  assert.equal(await isDone(drained), false);
  await bench.clock.advance(6000);
  assert.equal(await isDone(drained), true);
  assert.deepEqual(link.reports('AJ_0'), ['JS_RUNNING', 'JS_SUCCESS']);
  assert.deepEqual(link.reports('AJ_1'), ['JS_RUNNING', 'JS_FAILED: job did not stop in time']);
  assert.equal(bench.metric('jobs.abandoned'), 1);
});

test('a second call shortens the limit, a longer one changes nothing', async () => {
  const { bench } = await withJobs(1);
  const drained = bench.worker.drain(3_600_000);
  await bench.clock.advance(1000);
  void bench.worker.drain(7_200_000);
  void bench.worker.drain(2000);
  await bench.clock.advance(1999);
  assert.deepEqual(bench.jobs[0]?.stops, []);
  await bench.clock.advance(1);
  assert.equal(bench.jobs[0]?.stops.length, 1);
  void bench.worker.drain(0);
  await bench.jobs[0]?.end();
  assert.equal(await isDone(drained), true);
});

test('what was accepted before is still run; what is accepted and not assigned at the end is not', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.offer('AJ_1');
  link.offer('AJ_2');
  const drained = bench.worker.drain(3000);
  link.assign('AJ_1');
  assert.equal(bench.jobs.length, 1);
  await bench.clock.advance(3000);
  link.assign('AJ_2');
  assert.equal(bench.jobs.length, 1);
  assert.deepEqual(link.reports('AJ_2'), ['JS_FAILED: assignment was not expected']);
  await bench.jobs[0]?.end();
  assert.equal(await isDone(drained), true);
});

test('an accepted job that is never assigned does not hold the drain up for longer than its time', async () => {
  const bench = createBench();
  (await bench.registered()).offer('AJ_1');
  const drained = bench.worker.drain(60_000);
  await bench.clock.advance(7499);
  assert.equal(await isDone(drained), false);
  await bench.clock.advance(1);
  assert.equal(await isDone(drained), true);
});

test('offers that the application still thinks about are refused when the drain begins', async () => {
  const bench = createBench({ agent: { accept: () => new Promise(() => {}) } });
  const link = await bench.registered();
  link.offer('AJ_1');
  const drained = bench.worker.drain(1000);
  assert.equal(link.answerTo('AJ_1')[0]?.available, false);
  assert.equal(await isDone(drained), true);
});

test('a server that is lost while draining is not asked again: it would offer jobs', async () => {
  const { bench, link } = await withJobs(1);
  const drained = bench.worker.drain(60_000);
  link.close();
  await bench.clock.advance(30_000);
  assert.equal(bench.links.links.length, 1);
  assert.equal(await isDone(drained), false);
  await bench.jobs[0]?.end();
  assert.equal(await isDone(drained), true);
});

test('draining while there is no connection, and a job whose stop throws', async () => {
  const { bench, link } = await withJobs(1);
  link.close();
  const [job] = bench.jobs;
  assert.ok(job);
  job.stop = () => {
    throw new Error('stop is broken');
  };
  const drained = bench.worker.drain(1000);
  await bench.clock.advance(1000);
  assert.equal(await isDone(drained), true);
  await bench.clock.advance(60_000);
  assert.equal(bench.links.links.length, 1);
});
