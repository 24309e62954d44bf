// What the server and its operators do to a job that becomes a call: rooms deleted at every moment, mutes, removals, moves.
// real time: a real livekit-server, with a caller in a process of its own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/runner/clock.ts';
import { createLiveKitApi, type LiveKitApi } from '../../../src/livekit/api.ts';
import { disposeNative } from '../../../src/livekit/room/native.ts';
import { type Caller, startCaller } from './caller.ts';
import { AGENT_NAME, type Jobs, startJobs, type Visit } from './real-agent.ts';
import { real, skip } from './real-rig.ts';
import { KEY, pause, type RealServer, SECRET, startRealServer, until } from './real-server.ts';

let server: RealServer;
let api: LiveKitApi;
let caller: Caller;
let jobs: Jobs;
let deletionsMs = 0;
before(async () => {
  if (skip !== false) return;
  server = await startRealServer('room: { enable_remote_unmute: true }\n');
  api = createLiveKitApi({ server: server.url, apiKey: KEY, apiSecret: SECRET });
  caller = await startCaller();
  jobs = await startJobs(server.url);
});
after(async () => {
  await jobs?.stop();
  await caller?.exit();
  await server?.stop();
  assert.ok(await disposeNative(systemClock));
});

async function inCall(room: string): Promise<Visit> {
  const since = caller.told.length;
  caller.do('join', { url: server.url, token: await server.token('ada', room) });
  await caller.hears('joined', 10_000, since);
  await api.dispatch.create(room, { agentName: AGENT_NAME });
  const visit = await jobs.visit(room);
  await caller.hears('sound', 10_000, since, (t) => t.on === true);
  return visit;
}

async function left(): Promise<void> {
  const since = caller.told.length;
  caller.do('leave');
  await caller.hears('left', 5000, since);
}

/** Loud packets of the caller's tone of 300 ms. */
async function heardOfTone(visit: Visit): Promise<number> {
  const before = visit.loud;
  const since = caller.told.length;
  caller.do('tone', { ms: 300 });
  await caller.hears('spoken', 5000, since);
  await pause(300);
  return visit.loud - before;
}

async function microphone(room: string, identity: string): Promise<string> {
  const { tracks } = await server.rooms.getParticipant(room, identity);
  return tracks[0]?.sid ?? '';
}

// The first ones fall into the time in which a server does not know yet whom it gave a job, and tells nobody that it is over.
test('the room is deleted while the agent joins: the job ends, is reported, and nobody is left', real, async (t) => {
  const endings: string[] = [];
  deletionsMs = systemClock.now();
  for (const delayMs of [0, 10, 20, 30, 45, 60, 90, 150]) {
    const room = `gone-${delayMs}`;
    await api.dispatch.create(room, { agentName: AGENT_NAME });
    const visit = await jobs.visit(room);
    await pause(delayMs);
    const deletedMs = systemClock.now();
    await server.rooms.deleteRoom(room);
    await until(
      `the end of ${room} (${visit.events.map((e) => e.type).join(' ')})`,
      3000,
      () => visit.outcome !== null,
    );
    assert.equal(visit.reported.length, 1, room);
    endings.push(`${delayMs}: ${Math.round(visit.endedMs - deletedMs)} ms, ${JSON.stringify(visit.outcome)}`);
    // A room that our own join has made anew is empty again.
    const rooms = await server.rooms.listRooms([room]);
    assert.ok(
      rooms.every(({ numParticipants }) => numParticipants === 0),
      `somebody is in ${room}`,
    );
  }
  t.diagnostic(endings.join('; '));
  assert.equal(jobs.worker.status().running, 0);
});

test('the room is deleted while the call runs: the job ends at once, as a success', real, async () => {
  const visit = await inCall('deleted');
  const deletedMs = systemClock.now();
  await server.rooms.deleteRoom('deleted');
  await until('the end', 3000, () => visit.outcome !== null);
  assert.ok(visit.endedMs - deletedMs < 1000, `${visit.endedMs - deletedMs} ms`);
  assert.deepEqual(visit.reported, [{ status: 'success' }]);
  // The room says so, and the worker's connection does: whichever comes first.
  assert.match(visit.closed.join(), /^(room deleted|job terminated)$/);
  await left();
});

test('an agent that is removed by hand goes and does not come back', real, async () => {
  const visit = await inCall('removed');
  await server.rooms.removeParticipant('removed', visit.job.identity);
  await until('the end', 3000, () => visit.outcome !== null);
  assert.equal(visit.closed.length, 1);
  assert.match(String(visit.closed[0]), /^(removed|job terminated)$/);
  await pause(500);
  assert.deepEqual(
    (await server.rooms.listParticipants('removed')).map((p) => p.identity),
    ['ada'],
  );
  await left();
});

test('a caller who is muted, by hand or by the server, is not heard; unmuted, is heard again', real, async () => {
  const visit = await inCall('muted');
  assert.ok((await heardOfTone(visit)) > 15);
  caller.do('mute', { on: true });
  await pause(200);
  assert.equal(await heardOfTone(visit), 0, 'muted by the caller');
  caller.do('mute', { on: false });
  await pause(200);
  assert.ok((await heardOfTone(visit)) > 15, 'unmuted by the caller');

  const track = await microphone('muted', 'ada');
  await server.rooms.mutePublishedTrack('muted', 'ada', track, true);
  await pause(300);
  assert.equal(await heardOfTone(visit), 0, 'muted by the server');
  await server.rooms.mutePublishedTrack('muted', 'ada', track, false);
  await pause(300);
  assert.ok((await heardOfTone(visit)) > 15, 'unmuted by the server');
  assert.deepEqual(visit.closed, []);
  await left();
});

test('a microphone that is unpublished and published again is heard again', real, async () => {
  const visit = await inCall('tracks');
  let since = caller.told.length;
  caller.do('unpublish');
  await caller.hears('unpublished', 5000, since);
  since = caller.told.length;
  caller.do('publish');
  await caller.hears('published', 5000, since);
  await pause(300);
  assert.ok((await heardOfTone(visit)) > 15);
  assert.deepEqual(visit.closed, []);
  await left();
});

test("the agent's own voice is muted by the server and unmuted: the call goes on", real, async () => {
  const visit = await inCall('mute-agent');
  const track = await microphone('mute-agent', visit.job.identity);
  let since = caller.told.length;
  await server.rooms.mutePublishedTrack('mute-agent', visit.job.identity, track, true);
  await caller.hears('sound', 3000, since, (t) => t.on === false);
  assert.ok((await heardOfTone(visit)) > 15, 'it still listens');
  since = caller.told.length;
  await server.rooms.mutePublishedTrack('mute-agent', visit.job.identity, track, false);
  await caller.hears('sound', 3000, since, (t) => t.on === true);
  assert.deepEqual(visit.closed, []);
  await left();
});

test('a participant can not be moved by this server: it says so, and the call goes on', real, async () => {
  const visit = await inCall('here');
  await server.rooms.createRoom({ name: 'there' });
  await assert.rejects(server.rooms.moveParticipant('here', visit.job.identity, 'there'), /not implemented/);
  assert.ok((await heardOfTone(visit)) > 15);
  await left();
});

test('joins that were given up make no room anew', real, async () => {
  // The SDK gives up a room that is gone after 15 s.
  await pause(Math.max(0, deletionsMs + 24_000 - systemClock.now()));
  const rooms = await server.rooms.listRooms();
  const ghosts = rooms.filter(
    ({ name, creationTimeMs }) => name.startsWith('gone-') && Date.now() - Number(creationTimeMs) < 15_000,
  );
  assert.deepEqual(
    ghosts.map(({ name }) => name),
    [],
  );
});
