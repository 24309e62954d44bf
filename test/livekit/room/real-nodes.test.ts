// Two nodes of LiveKit with Redis behind one address, and one of them is killed.
// real time: real servers, and the time that they and the SDK take to find out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AgentDispatchClient } from 'livekit-server-sdk';
import { disposeNative } from '../../../src/livekit/room/native.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { type Redis, startRedis, whyNoRedis } from '../api/redis.ts';
import { startBalancer } from './balancer.ts';
import { type Caller, startCaller } from './caller.ts';
import { AGENT_NAME, type Jobs, startJobs, type Visit } from './real-agent.ts';
import { skip as noServer } from './real-rig.ts';
import { KEY, pause, type RealServer, SECRET, startRealServer, until } from './real-server.ts';

const skip = noServer === false ? (whyNoRedis() ?? false) : noServer;
const options = { skip, timeout: 90_000 };

let redis: Redis;
let caller: Caller;
before(async () => {
  if (skip !== false) return;
  redis = await startRedis();
  caller = await startCaller();
});
after(async () => {
  await closeAll().catch(() => {});
  await caller?.exit();
  await redis?.stop();
  if (skip === false) assert.ok(await disposeNative(systemClock));
});

interface Cluster {
  readonly rooms: RealServer;
  readonly other: RealServer;
  readonly jobs: Jobs;
  readonly visit: Visit;
}

/** What is open, to be closed at the end of a test or after one that failed. */
const open: (() => Promise<unknown>)[] = [];
async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

/** The room lives on one node, the worker and the agent's signalling come in through the other, the caller through the first. */
async function callAcross(room: string): Promise<Cluster> {
  const yaml = `${redis.yaml}room: { empty_timeout: 300 }\n`;
  const rooms = await startRealServer(yaml);
  open.push(() => rooms.stop());
  await makeRoom(rooms, room);
  const other = await startRealServer(yaml);
  open.push(() => other.stop());
  const toOther = await startBalancer([portOf(other), portOf(rooms)]);
  const toRooms = await startBalancer([portOf(rooms), portOf(other)]);
  open.push(() => Promise.all([toOther.stop(), toRooms.stop()]));
  const since = caller.told.length;
  caller.do('join', { url: toRooms.url, token: await rooms.token('ada', room), again: true });
  open.push(async () => {
    const told = caller.told.length;
    caller.do('leave');
    await caller.hears('left', 5000, told);
  });
  await caller.hears('joined', 15_000, since);
  const jobs = await startJobs(toOther.url);
  open.push(() => jobs.stop());
  const dispatches = new AgentDispatchClient(other.http, KEY, SECRET);
  await dispatches.createDispatch(room, AGENT_NAME);
  const visit = await jobs.visit(room, 15_000);
  await caller.hears('sound', 15_000, since, (t) => t.on === true);
  return { rooms, other, jobs, visit };
}

/** While it is the only node, the room can only be there. A node that has just come up does not answer for a moment. */
async function makeRoom({ rooms }: RealServer, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rooms.createRoom({ name });
      return;
    } catch (error) {
      if (attempt === 10) throw error;
      await pause(300);
    }
  }
}

function portOf({ http }: RealServer): number {
  return Number(new URL(http).port);
}

/** Both hear each other again, in the same call. */
async function goesOn({ visit }: Cluster, limitMs: number): Promise<void> {
  await until("the agent's line", limitMs, () => (visit.transport?.leadMs ?? -1) > 0 && visit.events.length > 0);
  await until('the voice at the ear', limitMs, () => caller.told.findLast((t) => t.event === 'sound')?.on === true);
  visit.loud = 0;
  caller.do('tone', { ms: 1000 });
  await until("the caller's voice", 10_000, () => visit.loud > 15);
  assert.deepEqual([visit.closed, visit.outcome], [[], null]);
}

test("the agent's node is killed, the room lives on the other: back through that one", options, async (t) => {
  const cluster = await callAcross('room-elsewhere');
  const { visit, jobs } = cluster;
  const since = caller.told.length;
  const killedMs = performance.now();
  await cluster.other.kill();
  await until('the loss', 10_000, () => visit.events.some((e) => e.type === 'reconnecting' || e.type === 'lost'));
  await until('the recovery', 40_000, () => visit.events.some((e) => e.type === 'recovered'));
  t.diagnostic(`recovered ${Math.round(performance.now() - killedMs)} ms after the kill`);
  await goesOn(cluster, 20_000);
  await until('the worker at the other node', 20_000, () => jobs.worker.status().ready);
  assert.ok(!caller.told.slice(since).some((e) => e.event === 'disconnected'), 'the caller kept its line');
  await closeAll();
});

test("the room's node is killed: both meet again on the other one", options, async (t) => {
  const cluster = await callAcross('room-lost');
  const { visit } = cluster;
  const killedMs = performance.now();
  await cluster.rooms.kill();
  await until('the loss', 20_000, () => visit.events.some((e) => e.type === 'stalled' || e.type === 'reconnecting'));
  await pause(1000);
  await until('the caller again', 60_000, () =>
    visit.events.some((e, i) => e.type === 'caller-linked' && e.again && i > 0),
  );
  t.diagnostic(`caller and agent meet again ${Math.round(performance.now() - killedMs)} ms after the kill`);
  await goesOn(cluster, 30_000);
  await closeAll();
});
