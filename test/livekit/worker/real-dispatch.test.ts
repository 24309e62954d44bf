// Whom a real LiveKit server offers its jobs: kinds of jobs, namespaces, deployments, loads, bursts, and who drains.
// real time: the server collects bids for 200 ms before each offer, and other processes join its rooms.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { createLiveKitApi, type LiveKitApi } from '../../../src/livekit/api.ts';
import type { OfferHandler } from '../../../src/livekit/job.ts';
import { startCaller } from '../room/caller.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../room/real-server.ts';
import { noServer, type RealWorker, signIn, startWorker, until } from './real-worker.ts';

const credentials = { apiKey: KEY, apiSecret: SECRET };
/** Twice what the server needs for an offer: what has not come by then does not come. */
const NOTHING_MS = 600;

let server: RealServer;
let api: LiveKitApi;
const started: RealWorker[] = [];
before(async () => {
  if (noServer !== false) return;
  server = await startRealServer('room: { departure_timeout: 1 }\n');
  api = createLiveKitApi({ server: server.url, ...credentials });
});
after(async () => {
  if (noServer === false) await server.stop();
});

function real(name: string, run: () => Promise<void>): void {
  void test(name, { skip: noServer, timeout: 60_000 }, async () => {
    try {
      await run();
    } finally {
      await Promise.all(started.splice(0).map((one) => one.stop()));
    }
  });
}

async function worker(options: Parameters<typeof startWorker>[2] = {}, url = server.url): Promise<RealWorker> {
  const one = startWorker(url, credentials, options);
  started.push(one);
  await until('registration', () => one.worker.status().registrations.every(({ state }) => state === 'registered'));
  return one;
}
const roomsOf = (one: RealWorker) => one.jobs.map(({ job }) => job.room.name).sort();
const dispatchAll = (rooms: readonly string[], agentName: string, to = api) =>
  Promise.all(rooms.map((room) => to.dispatch.create(room, { agentName })));
const names = (stem: string, count: number) => Array.from({ length: count }, (_, i) => `${stem}-${i}`);
const noMore = () => new Promise((go) => setTimeout(go, NOTHING_MS));

real('a job for publishers comes when somebody publishes, and is about that one', async () => {
  const one = await worker({ agents: [{ name: '', jobType: 'publisher' }] });
  const caller = await startCaller();
  try {
    const leave = await signIn(server.url, await api.callerToken({ room: 'stage', identity: 'listener' }));
    await noMore();
    assert.deepEqual(roomsOf(one), [], 'who is silent brings nobody');
    const token = await api.callerToken({ room: 'stage', identity: 'singer', attributes: { tier: 'gold' } });
    caller.do('join', { url: server.url, token });
    const { job } = await until('the job', () => one.jobs[0]);
    assert.deepEqual([job.type, job.participant?.identity, job.room.name], ['publisher', 'singer', 'stage']);
    assert.deepEqual(job.participant?.attributes, { tier: 'gold' });
    leave();
  } finally {
    await caller.exit();
  }
});

real('a handler that refuses by metadata; one that says who the agent is in its room', async () => {
  const accept: OfferHandler = async ({ metadata, attributes }) =>
    metadata === 'no'
      ? { accept: false }
      : { accept: true, identity: `anna-${attributes.order}`, name: 'Anna', attributes: { mood: 'calm' } };
  const one = await worker({ agents: [{ name: 'anna', accept }] });
  await api.dispatch.create('refused', { agentName: 'anna', metadata: 'no' });
  await api.dispatch.create('taken', { agentName: 'anna', attributes: { order: '7' } });
  const run = await until('the job', () => one.jobs[0]);
  const leave = await signIn(server.url, run.job.token);
  const [anna] = await server.rooms.listParticipants('taken');
  assert.deepEqual([anna?.identity, anna?.name, anna?.attributes.mood], ['anna-7', 'Anna', 'calm']);
  assert.equal(anna?.attributes['lk.agent_name'], 'anna');
  await noMore();
  assert.deepEqual(roomsOf(one), ['taken']);
  leave();
});

real('what an agent may do in its rooms is what was configured, in the token of the server and in ours', async () => {
  const permissions = { hidden: true, canPublishData: false, canUpdateMetadata: false };
  const one = await worker({ agents: [{ name: 'shy', permissions }] });
  await dispatchAll(['shy'], 'shy');
  const run = await until('the job', () => one.jobs[0]);
  for (const token of [run.job.token, await run.job.freshToken()]) {
    const { video } = decodeJwt(token) as { video: Record<string, unknown> };
    const { hidden, canPublishData, canUpdateOwnMetadata, canPublish } = video;
    assert.deepEqual([hidden, canPublishData, canUpdateOwnMetadata, canPublish], [true, false, false, true]);
  }
});

real('each namespace gets a job of its own; another deployment gets none', async () => {
  const [north, south, plain, blue] = [
    await worker({ agents: [{ name: 'anna', namespace: 'north' }] }),
    await worker({ agents: [{ name: 'anna', namespace: 'south' }] }),
    await worker({ agents: [{ name: 'anna' }] }),
    await worker({ agents: [{ name: 'anna', deployment: 'blue' }] }),
  ];
  await api.dispatch.create('everywhere', { agentName: 'anna' });
  for (const one of [north, south, plain]) await until('a job for each namespace', () => one.jobs[0]);
  await noMore();
  assert.deepEqual(
    [north, south, plain, blue].map((one) => one.jobs.length),
    [1, 1, 1, 0],
  );
  assert.equal(new Set([north, south, plain].map((one) => one.jobs[0]?.job.id)).size, 3);
});

real('a full worker gets no offer while another one does', async () => {
  const full = await worker({ agents: [{ name: 'pair' }], admission: { maxSessions: 1 } });
  await dispatchAll(['first'], 'pair');
  await until('the first job', () => full.jobs[0]);
  const free = await worker({ agents: [{ name: 'pair' }], admission: { maxSessions: 100 } });
  const rooms = names('pair', 12);
  await dispatchAll(rooms, 'pair');
  await until('twelve jobs', () => free.jobs.length === 12);
  assert.deepEqual([roomsOf(full), roomsOf(free)], [['first'], [...rooms].sort()]);
  assert.equal(full.metric('offers'), 1, 'it was not even asked');
});

real('the configured target load is the one that the server has', async () => {
  const strict = await startRealServer('agents: { target_load: 0.4 }\n');
  const there = createLiveKitApi({ server: strict.url, ...credentials });
  try {
    const [matched, mistaken] = [
      await worker({ agents: [{ name: 'matched' }], admission: { maxSessions: 10, targetLoad: 0.4 } }, strict.url),
      await worker({ agents: [{ name: 'mistaken' }], admission: { maxSessions: 10 } }, strict.url),
    ];
    const one = async (name: string, i: number, taker: RealWorker) => {
      await dispatchAll([`${name}-${i}`], name, there);
      return until(`job ${i}`, () => taker.jobs.length === i + 1, 1500).catch(() => false);
    };
    for (let i = 0; i < 10; i++) assert.equal(await one('matched', i, matched), true);
    assert.deepEqual([matched.worker.status().reason, matched.worker.status().load], ['full', 0.4]);
    // With the default of 0.7 six of ten places are 0.42 to this server: it stops there, and nobody refuses anything.
    for (let i = 0; i < 6; i++) assert.equal(await one('mistaken', i, mistaken), true);
    assert.equal(await one('mistaken', 6, mistaken), false);
    assert.equal(mistaken.worker.status().ready, true);
  } finally {
    await Promise.all(started.splice(0).map((each) => each.stop()));
    await strict.stop();
  }
});

real('a burst of eleven for seven places: seven are taken, whoever answers how late', async () => {
  for (const accept of [undefined, (async () => ({ accept: true })) satisfies OfferHandler]) {
    const one = await worker({ agents: [{ name: 'burst', accept }], admission: { maxSessions: 7 } });
    await dispatchAll(names(accept === undefined ? 'at-once' : 'later', 11), 'burst');
    await until('seven jobs', () => one.jobs.length === 7);
    await noMore();
    assert.equal(one.jobs.length, 7);
    assert.deepEqual([one.worker.status().reason, one.worker.status().scaleUp], ['full', true]);
    const [asked = 0, refused = 0] = [one.metric('offers'), one.metric('offers.refused', { reason: 'full' })];
    assert.equal(asked, 7 + refused);
    await Promise.all(started.splice(0).map((each) => each.stop()));
  }
});

real('who drains is offered nothing more, keeps its call, and reports how it ended', async () => {
  const going = await worker({ agents: [{ name: 'shift' }] });
  await dispatchAll(['going'], 'shift');
  const run = await until('the job', () => going.jobs[0]);
  const leave = await signIn(server.url, run.job.token);
  const drained = going.worker.drain(60_000);
  assert.equal(going.worker.status().reason, 'draining');
  const staying = await worker({ agents: [{ name: 'shift' }] });
  const rooms = names('shift', 5);
  await dispatchAll(rooms, 'shift');
  await until('five jobs', () => staying.jobs.length === 5);
  assert.deepEqual([going.metric('offers'), run.job.terminate.aborted, run.stops.length], [1, false, 0]);
  run.job.report({ status: 'success' });
  leave();
  await run.end();
  await drained;
  assert.equal(going.worker.status().registrations[0]?.state, 'stopped');
  assert.equal(staying.jobs.length, 5);
});

real('two agents of one process get what each was asked for, and share its places', async () => {
  const one = await worker({ agents: [{ name: 'anna' }, { name: 'otto' }], admission: { maxSessions: 3 } });
  await Promise.all([dispatchAll(names('for-anna', 3), 'anna'), dispatchAll(names('for-otto', 3), 'otto')]);
  await until('three jobs', () => one.jobs.length === 3);
  await noMore();
  assert.equal(one.jobs.length, 3);
  for (const { job } of one.jobs) assert.ok(job.room.name.startsWith(`for-${job.agentName}`));
});
