// The worker against a real LiveKit server: its dispatch, its refusals, its terminations, its restarts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { createLiveKitApi, type LiveKitApi } from '../../../src/livekit/api.ts';
import { summonAgent } from '../../../src/livekit/dispatch-watch.ts';
import type { OfferHandler } from '../../../src/livekit/job.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../room/real-server.ts';
import { noServer, type RealWorker, signIn, startWorker, until } from './real-worker.ts';

const skip = noServer;
const credentials = { apiKey: KEY, apiSecret: SECRET };
function real(name: string, run: () => Promise<void>): void {
  void test(name, { skip, timeout: 30_000 }, run);
}

let server: RealServer;
let api: LiveKitApi;
const started: RealWorker[] = [];
const worker = (...args: Parameters<typeof startWorker> extends [unknown, unknown, ...infer Rest] ? Rest : never) => {
  const one = startWorker(server.url, credentials, ...args);
  started.push(one);
  return one;
};
const ready = async (...args: Parameters<typeof worker>) => {
  const one = worker(...args);
  await until('registration', () => one.worker.status().ready);
  return one;
};
const stopAll = async () => {
  await Promise.all(started.splice(0).map((one) => one.stop()));
};
/** A job for this agent has begun. */
const job = (one: RealWorker, room: string) =>
  until(`job in ${room}`, () => one.jobs.find((each) => each.job.room.name === room));

before(async () => {
  if (skip !== false) return;
  server = await startRealServer('room: { departure_timeout: 1 }\n');
  api = createLiveKitApi({ server: server.url, ...credentials });
});
after(async () => {
  if (skip !== false) return;
  await stopAll();
  await server.stop();
});

real(
  'an agent that is asked for by name gets the job, with metadata, a token that works, and a kind of its own',
  async () => {
    const one = await ready({
      agents: [
        {
          name: 'anna',
          accept: () => ({
            accept: true,
            identity: 'anna-1',
            name: 'Anna',
            metadata: 'mine',
            attributes: { mood: 'calm' },
          }),
        },
      ],
    });
    const made = await api.dispatch.create('explicit', { agentName: 'anna', metadata: 'order-7' });
    const run = await job(one, 'explicit');
    assert.deepEqual(
      [run.job.type, run.job.agentName, run.job.metadata, run.job.identity, run.job.dispatchId, run.job.url],
      ['room', 'anna', 'order-7', 'anna-1', made.id, server.url],
    );
    const own = decodeJwt(run.job.token) as { video: Record<string, unknown>; kind: string; sub: string };
    const fresh = decodeJwt(await run.job.freshToken()) as typeof own & {
      name: string;
      attributes: Record<string, string>;
    };
    assert.deepEqual([own.kind, own.sub, own.video.room], ['agent', 'anna-1', 'explicit']);
    const { canSubscribeMetrics: _, ...granted } = own.video;
    assert.deepEqual(fresh.video, granted, 'our token grants what the server grants');
    assert.deepEqual([fresh.kind, fresh.sub, fresh.name], [own.kind, own.sub, 'Anna']);
    assert.equal(fresh.attributes['lk.agent_name'], 'anna');
    for (const token of [run.job.token, await run.job.freshToken()]) {
      const leave = await signIn(server.url, token);
      const [agent] = await api.rooms.participants('explicit');
      assert.deepEqual([agent?.identity, agent?.isAgent, agent?.agentName], ['anna-1', true, 'anna']);
      leave();
    }
    await stopAll();
  },
);

real('an agent without a name is sent to every room; one for participants to each who joins', async () => {
  const one = await ready({ agents: [{ name: '' }] });
  await api.rooms.create({ name: 'automatic' });
  assert.equal((await job(one, 'automatic')).job.agentName, '');
  await stopAll();
  const two = await ready({ agents: [{ name: '', jobType: 'participant' }] });
  const leave = await signIn(
    server.url,
    await api.callerToken({ room: 'joiners', identity: 'carl', attributes: { tier: 'gold' } }),
  );
  const run = await job(two, 'joiners');
  assert.deepEqual(
    [run.job.type, run.job.participant?.identity, run.job.participant?.attributes],
    ['participant', 'carl', { tier: 'gold' }],
  );
  leave();
  await stopAll();
});

real('a room can be made with its agent, before the caller is there', async () => {
  const one = await ready();
  await api.rooms.create({ name: 'early', agents: [{ agentName: 'judge', metadata: 'soon' }] });
  assert.equal((await job(one, 'early')).job.metadata, 'soon');
  const token = await api.callerToken({
    room: 'by-token',
    identity: 'carl',
    agents: [{ agentName: 'judge', metadata: 'his' }],
  });
  const leave = await signIn(server.url, token);
  assert.equal((await job(one, 'by-token')).job.metadata, 'his');
  leave();
  await stopAll();
});

real('a refusal goes to the next worker; "done" goes to nobody', async () => {
  const refusing = await ready({ agents: [{ name: 'pair', accept: () => ({ accept: false }) }] });
  const taking = await ready({ agents: [{ name: 'pair' }] });
  const rooms = Array.from({ length: 6 }, (_, i) => `pair-${i}`);
  await Promise.all(rooms.map((room) => api.dispatch.create(room, { agentName: 'pair' })));
  await until('six jobs', () => taking.jobs.length === 6);
  assert.equal(refusing.jobs.length, 0);
  await stopAll();

  for (const done of [false, true]) {
    const asked: string[] = [];
    const accept: OfferHandler = (offer) => {
      asked.push(offer.room.name);
      return { accept: false, done };
    };
    const name = done ? 'done' : 'declined';
    await ready({ agents: [{ name, accept }] });
    await ready({ agents: [{ name, accept }] });
    const last = await ready({ agents: [{ name: `${name}-last` }] });
    for (const room of ['a', 'b', 'c']) await api.dispatch.create(`${name}-${room}`, { agentName: name });
    await api.dispatch.create(`${name}-d`, { agentName: `${name}-last` });
    await job(last, `${name}-d`);
    await until('all answers', () => asked.length >= (done ? 3 : 6));
    assert.equal(asked.length, done ? 3 : 6, name);
    await stopAll();
  }
});

real(
  'six at once for a worker with six places; the seventh finds nobody, and nobody comes by itself when a place is free',
  async () => {
    const one = await ready({ admission: { maxSessions: 6 } });
    const rooms = Array.from({ length: 6 }, (_, i) => `burst-${i}`);
    await Promise.all(rooms.map((room) => api.dispatch.create(room, { agentName: 'judge' })));
    await until('six jobs', () => one.jobs.length === 6);
    assert.deepEqual([one.worker.status().reason, one.worker.status().load], ['full', 0.7]);
    const summoned = summonAgent({
      api,
      room: 'seventh',
      agentName: 'judge',
      withinMs: 1000,
      clock: systemClock,
      attempts: 5,
    });
    // The first of its dispatches is lost for ever.
    await until('a dispatch', async () => (await api.dispatch.list('seventh').catch(() => [])).length > 0);
    const lost = (await api.dispatch.list('seventh'))[0]?.id;
    await until('the next dispatch', async () => {
      const [now] = await api.dispatch.list('seventh').catch(() => []);
      return now !== undefined && now.id !== lost;
    });
    assert.equal(one.jobs.length, 6);
    await one.jobs[0]?.end();
    const late = await job(one, 'seventh');
    assert.notEqual(late.job.dispatchId, lost);
    const leave = await signIn(server.url, late.job.token);
    const found = await summoned;
    assert.equal(found.identity, late.job.identity);
    assert.ok(found.attempts >= 2);
    leave();
    await stopAll();
  },
);

real('a worker below the target load is offered calls, at 0.69 too', async () => {
  const one = await ready({
    admission: { maxSessions: 3 },
    measures: () => ({ lateFrameShare: 0.0199, loopLagMs: null, bufferBytes: null }),
  });
  assert.ok(one.worker.status().load > 0.68 && one.worker.status().load < 0.7);
  await api.dispatch.create('busy', { agentName: 'judge' });
  await job(one, 'busy');
  await stopAll();
});

real(
  'deleting the dispatch, deleting the room and leaving it end the job; a job that was reported first is left alone',
  async () => {
    const one = await ready();
    // Until it has collected its workers the server does not know what it has launched.
    await api.dispatch.create('probe', { agentName: 'judge' });
    await job(one, 'probe');
    await until('jobs to be listed', async () => (await api.dispatch.list('probe'))[0]?.jobs === 1, 15_000);
    for (const room of ['undone', 'closed', 'left', 'reported'])
      await api.dispatch.create(room, { agentName: 'judge' });
    const [undone, closed, left, reported] = await Promise.all(
      ['undone', 'closed', 'left', 'reported'].map((room) => job(one, room)),
    );
    assert.ok(undone && closed && left && reported);
    const leaves = await Promise.all([undone, closed, left, reported].map((run) => signIn(server.url, run.job.token)));
    await api.dispatch.delete('undone', undone.job.dispatchId);
    await api.rooms.delete('closed');
    reported.job.report({ status: 'success' });
    leaves[2]?.();
    leaves[3]?.();
    await until('three terminations', () => [undone, closed, left].every((run) => run.job.terminate.aborted));
    assert.equal(reported.job.terminate.aborted, false);
    await stopAll();
  },
);

real(
  'a server that is killed and comes back: the job goes on, the worker registers again and takes the next one',
  async () => {
    const one = await ready({ timing: { backoff: { firstMs: 100, capMs: 400 } } });
    await api.dispatch.create('through', { agentName: 'judge' });
    const run = await job(one, 'through');
    const before = one.worker.status().registrations[0]?.workerId;
    await server.kill();
    await until('the loss', () => one.worker.status().reason === 'not-registered');
    assert.deepEqual([one.worker.status().running, run.job.terminate.aborted, run.stops.length], [1, false, 0]);
    await server.start();
    await until('the registration', () => one.worker.status().ready, 15_000);
    assert.notEqual(one.worker.status().registrations[0]?.workerId, before);
    await api.dispatch.create('afterwards', { agentName: 'judge' });
    await job(one, 'afterwards');
    assert.equal(one.worker.status().running, 2);
    await stopAll();
  },
);

real('a wrong secret is told as such', async () => {
  const one = startWorker(server.url, { apiKey: KEY, apiSecret: `${SECRET}x` });
  started.push(one);
  await until('the refusal', () => one.worker.status().registrations[0]?.lastLoss?.startsWith('unauthorized'));
  assert.match(one.log.join('\n'), /server refuses the API key or secret \(401\)/);
  await stopAll();
});

real('the same in protojson', async () => {
  const one = await ready({ format: 'json', agents: [{ name: 'readable' }] });
  await api.dispatch.create('readable', { agentName: 'readable', metadata: 'hello' });
  assert.equal((await job(one, 'readable')).job.metadata, 'hello');
  await stopAll();
});
