// From a job to a call and back: what is reported to the server, when, and what a job leaves behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssignedJob, JobOutcome } from '../../../src/livekit/job.ts';
import { createRoomJobHandler, type RoomJobOptions } from '../../../src/livekit/room/room-job.ts';
import { FakeConnection, settle, VirtualClock } from './virtual-room.ts';

function setUp(more: Partial<RoomJobOptions> = {}) {
  const clock = new VirtualClock();
  const connections: FakeConnection[] = [];
  const log: string[] = [];
  let online = true;
  let roomSid = 'RM';
  let answersGoodbye = false;
  const handler = createRoomJobHandler({
    clock,
    random: () => 0.5,
    connect: async (request) => {
      log.push(`join with ${request.token}`);
      if (!online) throw new Error('refused for eyJhbGciOi.abc');
      const connection = new FakeConnection(request, clock);
      connection.sid = roomSid;
      const leave = connection.leave.bind(connection);
      connection.leave = () => {
        log.push('leave');
        return leave();
      };
      connections.push(connection);
      return connection;
    },
    openCall: (transport) => {
      log.push('call');
      return {
        input: {
          audio: () => {},
          played: () => {},
          text: () => {},
          dtmf: () => {},
          close: (reason) => log.push(`close: ${reason}`),
        },
        farewell: (reason) => {
          log.push(`goodbye: ${reason}`);
          if (answersGoodbye) transport.close(reason);
        },
        done: transport.done,
      };
    },
    ...more,
  });
  let jobs = 0;
  const assign = (parts: Partial<AssignedJob> = {}) => {
    const abort = new AbortController();
    const id = `job-${++jobs}`;
    const job: AssignedJob = {
      id,
      type: 'room',
      room: { sid: 'RM', name: 'room', metadata: '' },
      participant: undefined,
      metadata: '',
      attributes: {},
      agentName: 'judge',
      dispatchId: 'AD',
      identity: `agent-${id}`,
      url: 'ws://server',
      token: 'assigned',
      freshToken: async () => 'fresh',
      terminate: abort.signal,
      report: (outcome: JobOutcome) =>
        log.push(`${id} ${outcome.status}${'error' in outcome ? `: ${outcome.error}` : ''}`),
      ...parts,
    };
    return { abort, running: handler(job) };
  };
  return {
    clock,
    connections,
    log,
    assign,
    offline: () => void (online = false),
    online: () => void (online = true),
    remade: () => void (roomSid = 'RM_2'),
    polite: () => void (answersGoodbye = true),
  };
}

test('join, caller, call, hang-up: success is reported before the room is left', async () => {
  const { clock, connections, log, assign } = setUp();
  const { running } = assign();
  await settle();
  connections[0]?.join('ada');
  await settle();
  connections[0]?.events.peerLeft('ada', 'left');
  await clock.pass(5000);
  assert.deepEqual(await running.done, { status: 'success' });
  assert.deepEqual(log, ['join with assigned', 'call', 'close: caller hung up', 'job-1 success', 'leave']);
  assert.equal(clock.pending, 0);
});

test('nobody comes: no call is opened', async () => {
  const { clock, log, assign } = setUp();
  const { running } = assign();
  await settle();
  await clock.pass(300_000);
  assert.deepEqual(await running.done, { status: 'success' });
  assert.equal(log.includes('call'), false);
});

test('a room that was deleted before the join, and made anew by it, is left at once', async () => {
  const { clock, log, assign, remade } = setUp();
  remade();
  const { running } = assign();
  await settle();
  assert.deepEqual(await running.done, { status: 'success' });
  assert.deepEqual(log, ['join with assigned', 'job-1 success', 'leave']);
  assert.equal(clock.pending, 0);
});

test('a room that is deleted while the join hangs: the job ends within a second, and a join that comes later is left', async () => {
  const joins: ((connection: FakeConnection) => void)[] = [];
  const asked: string[] = [];
  let sid: string | undefined = 'RM';
  const { clock, log, assign } = setUp({
    connect: () => new Promise((resolve) => joins.push(resolve)),
    findRoom: async (name) => {
      asked.push(name);
      if (asked.length === 1) throw new Error('no answer');
      return sid;
    },
  });
  const { running } = assign();
  await clock.pass(2500);
  assert.deepEqual([asked, log], [['room', 'room'], []], 'it is still there, or nobody knows');
  sid = undefined;
  await clock.pass(500);
  assert.deepEqual(await running.done, { status: 'success' });
  assert.deepEqual(log, ['job-1 success']);
  const late = new FakeConnection({ events: { disconnected() {} }, voiceRateHz: 24_000 } as never, clock);
  joins[0]?.(late);
  await settle();
  assert.ok(late.hasLeft);
  assert.equal(clock.pending, 0);
});

test('a job about a participant waits for that one', async () => {
  const { connections, log, assign } = setUp();
  assign({ type: 'participant', participant: { sid: '', identity: 'bob', name: '', metadata: '', attributes: {} } });
  await settle();
  connections[0]?.join('ada');
  await settle();
  assert.equal(log.includes('call'), false);
  connections[0]?.join('bob');
  await settle();
  assert.equal(log.includes('call'), true);
});

test('a join that fails is reported as failed, without the token', async () => {
  const { log, assign, offline } = setUp();
  offline();
  const { running } = assign();
  await running.done;
  assert.deepEqual(log, ['join with assigned', 'job-1 failed: refused for ***']);
});

test('a call that can not be opened is reported as failed', async () => {
  const { connections, log, assign } = setUp({
    openCall: () => {
      throw new RangeError('All sessions are in use');
    },
  });
  const { running } = assign();
  await settle();
  connections[0]?.join('ada');
  await running.done;
  assert.deepEqual(log, ['join with assigned', 'job-1 failed: All sessions are in use', 'leave']);
});

test('the server ends the job, before the join or in the call; the worker stops it, twice', async () => {
  for (const when of ['before', 'joined', 'call', 'stop'] as const) {
    const { connections, log, assign, clock } = setUp();
    const { abort, running } = assign();
    if (when === 'before') abort.abort('terminated');
    await settle();
    if (when === 'call' || when === 'stop') connections[0]?.join('ada');
    await settle();
    if (when === 'stop') {
      running.stop('draining', 5000);
      running.stop('draining', 1000);
    } else abort.abort('terminated');
    await clock.pass(10_000);
    await running.done;
    assert.equal(log.filter((l) => l.startsWith('job-1')).length, 1, `${when}: ${log.join(', ')}`);
    assert.equal(
      connections.every((c) => c.hasLeft),
      true,
      when,
    );
    assert.equal(clock.pending, 0, when);
  }
});

test('stopped by the worker: the agent says goodbye, and has its grace for it; without a caller it leaves at once', async () => {
  const polite = setUp();
  polite.polite();
  const first = polite.assign();
  await settle();
  polite.connections[0]?.join('ada');
  await settle();
  first.running.stop('server stopped', 5000);
  assert.deepEqual(await first.running.done, { status: 'success' });
  assert.deepEqual(polite.log.slice(2), ['goodbye: server stopped', 'close: server stopped', 'job-1 success', 'leave']);
  assert.equal(polite.clock.pending, 0);

  const slow = setUp();
  const second = slow.assign();
  await settle();
  slow.connections[0]?.join('ada');
  await settle();
  second.running.stop('server stopped', 5000);
  await slow.clock.pass(4999);
  assert.equal(slow.log.at(-1), 'goodbye: server stopped');
  await slow.clock.pass(1);
  await second.running.done;
  assert.deepEqual(slow.log.slice(3), ['close: server stopped', 'job-1 success', 'leave']);

  const alone = setUp();
  const third = alone.assign();
  await settle();
  third.running.stop('server stopped', 5000);
  await third.running.done;
  assert.deepEqual(alone.log, ['join with assigned', 'job-1 success', 'leave']);
  assert.equal(alone.clock.pending, 0);
});

test('a server that was started anew asks for an agent that comes back by itself: there is one, not two', async () => {
  const { clock, connections, log, assign, offline, online } = setUp();
  const first = assign();
  await settle();
  connections[0]?.join('ada');
  await settle();
  offline();
  connections[0]?.events.disconnected('connection lost');
  await clock.pass(60_000);
  online();
  const second = assign();
  assert.deepEqual(await second.running.done, { status: 'success' });
  await clock.pass(10_000);
  assert.equal(log.at(-1), 'join with fresh');
  assert.equal(connections.length, 2);
  connections[1]?.join('ada');
  await clock.pass(60_000);
  // Long after that it is an ordinary job again.
  assign();
  await settle();
  assert.equal(connections.length, 3);
  first.running.stop('over', 0);
  assert.deepEqual(await first.running.done, { status: 'success' });
});
