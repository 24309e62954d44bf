// Jobs on virtual time: every slot comes back and every result is told, in whatever order things come.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench } from './bench.ts';
import { JobType } from './fake-link.ts';
import { settle } from './virtual-clock.ts';

test('an offer is taken, assigned, run and reported, with all that came with it', async () => {
  const bench = createBench({
    agent: {
      accept: (offer) => ({
        accept: true,
        identity: `me-${offer.metadata}`,
        name: 'Anna',
        metadata: 'mine',
        attributes: { mood: 'calm' },
      }),
    },
  });
  const link = await bench.registered();
  const more = {
    type: JobType.JT_PARTICIPANT,
    metadata: 'order-7',
    attributes: { language: 'de' },
    participant: { sid: 'PA_1', identity: 'caller', name: 'Carl', metadata: 'm', attributes: { tier: 'gold' } },
  };
  link.offer('AJ_1', more);
  const answer = link.answerTo('AJ_1')[0];
  assert.equal(answer?.available, true);
  assert.equal(answer?.participantIdentity, 'me-order-7');
  assert.equal(answer?.participantName, 'Anna');
  assert.equal(answer?.participantMetadata, 'mine');
  assert.deepEqual(answer?.participantAttributes, { mood: 'calm', 'lk.agent.name': 'judge' });
  assert.equal(bench.worker.status().reserved, 1);
  await bench.clock.advance(2);
  link.assign('AJ_1', {}, more);
  const [run] = bench.jobs;
  assert.ok(run);
  const { freshToken, report, terminate, ...told } = run.job;
  assert.deepEqual(told, {
    id: 'AJ_1',
    type: 'participant',
    room: { sid: 'RM_AJ_1', name: 'room-AJ_1', metadata: 'about the room' },
    participant: { sid: 'PA_1', identity: 'caller', name: 'Carl', metadata: 'm', attributes: { tier: 'gold' } },
    metadata: 'order-7',
    attributes: { language: 'de' },
    agentName: 'judge',
    dispatchId: 'AD_AJ_1',
    identity: 'me-order-7',
    url: 'ws://livekit.example',
    token: 'room-token',
  });
  assert.equal(terminate.aborted, false);
  assert.equal(await freshToken(), 'agent-token room-AJ_1 judge me-order-7');
  assert.deepEqual(link.reports('AJ_1'), ['JS_RUNNING']);
  assert.deepEqual([bench.worker.status().running, bench.worker.status().reserved], [1, 0]);
  assert.equal(link.last('updateWorker')?.jobCount, 1);
  report({ status: 'success' });
  await run.end({ status: 'failed', error: 'too late to say' });
  assert.deepEqual(link.reports('AJ_1'), ['JS_RUNNING', 'JS_SUCCESS']);
  assert.equal(bench.worker.status().running, 0);
  assert.equal(link.last('updateWorker')?.jobCount, 0);
});

test('without a handler the agent is called after its job; the address of the assignment wins', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.offer('AJ_1');
  assert.equal(link.answerTo('AJ_1')[0]?.participantIdentity, 'agent-AJ_1');
  link.assign('AJ_1', { url: 'wss://elsewhere.example' });
  assert.equal(bench.jobs[0]?.job.url, 'wss://elsewhere.example');
});

test('an assignment that never comes gives its slot back after 7.5 s; one that comes later is refused as failed', async () => {
  const bench = createBench({ admission: { maxSessions: 1 } });
  const link = await bench.registered();
  link.offer('AJ_1');
  await bench.clock.advance(7499);
  assert.equal(bench.worker.status().reason, 'full');
  await bench.clock.advance(1);
  assert.deepEqual([bench.worker.status().ready, bench.metric('assignments.missing')], [true, 1]);
  await bench.clock.advance(1500);
  link.assign('AJ_1');
  assert.equal(bench.jobs.length, 0);
  assert.deepEqual(link.reports('AJ_1'), ['JS_FAILED: assignment was not expected']);
});

test('wrong orders: assigned without an offer, twice, after the end; offered twice; ended twice', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.assign('AJ_stranger');
  assert.deepEqual(link.reports('AJ_stranger'), ['JS_FAILED: assignment was not expected']);
  link.offer('AJ_1');
  link.offer('AJ_1');
  assert.equal(link.answerTo('AJ_1').length, 1);
  link.assign('AJ_1');
  link.assign('AJ_1');
  link.offer('AJ_1');
  assert.equal(bench.jobs.length, 1);
  assert.deepEqual(link.reports('AJ_1'), ['JS_RUNNING']);
  link.terminate('AJ_1');
  link.terminate('AJ_1');
  link.terminate('AJ_nobody');
  assert.equal(bench.jobs[0]?.job.terminate.aborted, true);
  await bench.jobs[0]?.end();
  link.terminate('AJ_1');
  link.assign('AJ_1');
  assert.equal(bench.jobs.length, 1);
  const ignored = (what: string) => bench.metric('messages.ignored', { what });
  assert.equal(ignored('repeated-offer'), 2);
  assert.equal(ignored('repeated-assignment'), 1);
  assert.equal(ignored('unknown-assignment'), 2);
  assert.equal(ignored('unknown-termination'), 2);
  assert.equal(link.ended, null);
});

test('what cannot be run is refused or reported as failed', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.offer('AJ_type', { type: 9 as JobType });
  link.offer('AJ_room', { room: {} });
  link.say({ case: 'availability', value: { job: { id: '' } } });
  link.say({ case: 'availability', value: {} });
  assert.equal(bench.metric('offers.refused', { reason: 'unsupported' }), 2);
  const bad = [
    ['AJ_url', { url: 'gopher://x' }, {}, 'assignment with an unusable address'],
    ['AJ_token', { token: '' }, {}, 'assignment without a token'],
    ['AJ_lost', {}, { room: {} }, 'assignment without a room'],
  ] as const;
  for (const [id, more, job, reason] of bad) {
    link.offer(id);
    link.assign(id, more, job);
    assert.deepEqual(link.reports(id), [`JS_FAILED: ${reason}`]);
  }
  assert.equal(bench.jobs.length, 0);
  assert.equal(bench.worker.status().running + bench.worker.status().reserved, 0);
});

test('a launch that throws and a job that fails are told with their reason', async () => {
  const bench = createBench({
    agent: {
      runJob() {
        throw new Error('no native library');
      },
    },
  });
  const link = await bench.registered();
  link.offer('AJ_1');
  link.assign('AJ_1');
  assert.deepEqual(link.reports('AJ_1'), ['JS_RUNNING', 'JS_FAILED: launch failed: no native library']);
  assert.equal(bench.worker.status().running, 0);

  const other = createBench();
  const second = await other.registered();
  for (const id of ['AJ_1', 'AJ_2', 'AJ_3']) {
    second.offer(id);
    second.assign(id);
  }
  await other.jobs[0]?.fail(new Error('room is gone'));
  await other.jobs[1]?.end({ status: 'failed', error: 'line broke' });
  await other.jobs[2]?.end(undefined as unknown as { status: 'success' });
  assert.deepEqual(second.reports('AJ_1'), ['JS_RUNNING', 'JS_FAILED: job failed: room is gone']);
  assert.deepEqual(second.reports('AJ_2'), ['JS_RUNNING', 'JS_FAILED: line broke']);
  assert.deepEqual(second.reports('AJ_3'), ['JS_RUNNING', 'JS_SUCCESS']);
  assert.equal(other.worker.status().running, 0);
});

test('termination before the answer, between accept and assignment, and of a job that does not stop', async () => {
  const bench = createBench({
    agent: { accept: (offer) => (offer.id === 'AJ_1' ? new Promise(() => {}) : { accept: true }) },
  });
  const link = await bench.registered();
  link.offer('AJ_1');
  link.terminate('AJ_1');
  assert.equal(link.answerTo('AJ_1')[0]?.available, false);
  link.offer('AJ_2');
  link.terminate('AJ_2');
  assert.equal(bench.worker.status().reserved, 0);
  link.assign('AJ_2');
  assert.equal(bench.jobs.length, 0);
  link.offer('AJ_3');
  link.assign('AJ_3');
  link.terminate('AJ_3');
  const [job] = bench.jobs;
  assert.equal(job?.job.terminate.aborted, true);
  await bench.clock.advance(14_999);
  assert.deepEqual(job?.stops, []);
  await bench.clock.advance(1);
  assert.deepEqual(job?.stops, [{ reason: 'ended by the server', graceMs: 0 }]);
  await bench.clock.advance(2000);
  assert.equal(bench.worker.status().running, 0);
  assert.equal(bench.metric('jobs.abandoned'), 1);
  assert.deepEqual(link.reports('AJ_3'), ['JS_RUNNING', 'JS_FAILED: job did not stop in time']);
  await job?.end();
  assert.equal(link.reports('AJ_3').length, 2);
});

test('an outage: running jobs go on and are claimed again, accepted ones are dropped, results are told later', async () => {
  const bench = createBench();
  const first = await bench.registered();
  for (const id of ['AJ_1', 'AJ_2']) {
    first.offer(id);
    first.assign(id);
  }
  first.offer('AJ_3');
  first.close();
  assert.deepEqual([bench.worker.status().running, bench.worker.status().reserved], [2, 0]);
  await bench.clock.advance(250_000);
  await bench.jobs[0]?.end({ status: 'failed', error: 'caller is gone' });
  assert.equal(bench.jobs[1]?.job.terminate.aborted, false);
  bench.links.last.close();
  await bench.clock.advance(10_000);
  const second = bench.links.last.open();
  assert.deepEqual(
    second.said.map((m) => m.case),
    ['register'],
  );
  second.register('AW_two');
  assert.deepEqual(
    second.said.map((m) => m.case),
    ['register', 'migrateJob', 'updateJob', 'updateWorker'],
  );
  assert.deepEqual(second.last('migrateJob')?.jobIds, ['AJ_2']);
  assert.deepEqual(second.reports('AJ_1'), ['JS_FAILED: caller is gone']);
  assert.equal(second.last('updateWorker')?.jobCount, 1);
  second.assign('AJ_3');
  assert.equal(bench.jobs.length, 2);
  await bench.jobs[1]?.end();
  assert.deepEqual(second.reports('AJ_2'), ['JS_SUCCESS']);
});

test('a connection that is lost while the application decides withdraws the question', async () => {
  let signal: AbortSignal | undefined;
  const bench = createBench({
    agent: {
      accept: (_, given) => {
        signal = given;
        return new Promise(() => {});
      },
    },
  });
  const link = await bench.registered();
  link.offer('AJ_1');
  link.close();
  assert.equal(signal?.aborted, true);
  assert.equal(bench.metric('offers.refused', { reason: 'withdrawn' }), 1);
});

test('jobs of one agent are strangers to the connection of another', async () => {
  const bench = createBench({ agents: [{ name: 'a' }, { name: 'b' }] });
  bench.worker.start();
  await settle();
  const [a, b] = bench.links.links;
  assert.ok(a && b);
  a.open().register('AW_a');
  b.open().register('AW_b');
  a.offer('AJ_1');
  b.assign('AJ_1');
  assert.equal(bench.jobs.length, 0);
  a.assign('AJ_1');
  b.terminate('AJ_1');
  assert.equal(bench.jobs[0]?.job.terminate.aborted, false);
  assert.deepEqual([a.last('updateWorker')?.jobCount, b.last('updateWorker')?.jobCount], [1, 0]);
  // The process has one capacity, whichever agent uses it.
  assert.equal(Math.round((b.last('updateWorker')?.load ?? 0) * 1000), 117);
});

test('a thousand jobs leave nothing behind', async () => {
  const bench = createBench();
  const link = await bench.registered();
  const timers = bench.clock.pending;
  for (let i = 0; i < 1000; i++) {
    link.offer(`AJ_${i}`);
    link.assign(`AJ_${i}`);
    await bench.jobs.pop()?.end();
  }
  assert.equal(link.all('availability').filter((a) => a.available).length, 1000);
  assert.equal(bench.worker.status().running + bench.worker.status().reserved, 0);
  assert.equal(bench.clock.pending, timers);
  assert.equal(bench.metric('jobs.ended', { outcome: 'success' }), 1000);
});
