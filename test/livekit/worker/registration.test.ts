// Registration on virtual time: what is sent, what is believed, when a connection counts as dead, how it comes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench } from './bench.ts';
import { JobType, WorkerStatus } from './fake-link.ts';
import { settle } from './virtual-clock.ts';

test('registers at once with everything that was configured, then says how much room there is', async () => {
  const bench = createBench({
    server: 'https://livekit.example/base/?worker_token=abc',
    agent: {
      namespace: 'north',
      jobType: 'publisher',
      deployment: 'blue',
      permissions: { hidden: true, canUpdateMetadata: false },
    },
  });
  bench.worker.start();
  await settle();
  const link = bench.links.last;
  assert.equal(link.request.url, 'wss://livekit.example/base/agent?worker_token=abc');
  assert.equal(link.request.token, 'worker-token-1');
  assert.equal(link.said.length, 0);
  assert.equal(bench.worker.status().reason, 'not-registered');
  link.open();
  assert.equal(link.said.length, 1);
  const request = link.last('register');
  assert.equal(request?.agentName, 'judge');
  assert.equal(request?.type, JobType.JT_PUBLISHER);
  assert.equal(request?.namespace, 'north');
  assert.equal(request?.deployment, 'blue');
  assert.equal(request?.pingInterval, 5);
  const allowed = request?.allowedPermissions;
  assert.deepEqual(
    [allowed?.agent, allowed?.hidden, allowed?.canPublish, allowed?.canUpdateMetadata],
    [true, true, true, false],
  );
  link.register('AW_seven');
  const status = link.last('updateWorker');
  assert.deepEqual([status?.status, status?.load, status?.jobCount], [WorkerStatus.WS_AVAILABLE, 0, 0]);
  assert.equal(bench.worker.status().ready, true);
  assert.equal(bench.worker.status().registrations[0]?.workerId, 'AW_seven');
  assert.equal(bench.worker.status().registrations[0]?.region, 'here');
});

test('several agents are several registrations; readiness waits for all', async () => {
  const bench = createBench({ agents: [{ name: 'a' }, { name: 'b', jobType: 'participant' }] });
  bench.worker.start();
  await settle();
  const [a, b] = bench.links.links;
  assert.ok(a && b && bench.links.links.length === 2);
  a.open().register('AW_a');
  assert.equal(bench.worker.status().ready, false);
  b.open().register('AW_b');
  assert.equal(bench.worker.status().ready, true);
  assert.deepEqual(
    [a, b].map((l) => [l.last('register')?.agentName, l.last('register')?.type]),
    [
      ['a', JobType.JT_ROOM],
      ['b', JobType.JT_PARTICIPANT],
    ],
  );
  assert.throws(() => createBench({ agents: [] }), /needs an agent/);
  assert.throws(() => createBench({ agents: [{ name: 'a' }, { name: 'a' }] }), /same name/);
  assert.throws(() => createBench({ server: 'ftp://x' }), /ws:\/\/HOST/);
});

test('a first message that is no answer to the registration ends the connection, never the program', async () => {
  for (const first of ['offer', 'assign', 'terminate'] as const) {
    const bench = createBench();
    bench.worker.start();
    await settle();
    const link = bench.links.last.open();
    link[first]('AJ_1');
    assert.equal(link.ended, 'cut', first);
    assert.equal(bench.metric('connection.losses', { cause: 'wrong-order' }), 1);
    assert.equal(bench.worker.status().registrations[0]?.state, 'waiting');
    assert.equal(bench.jobs.length, 0);
  }
});

test('a pong before the registration is allowed', async () => {
  const bench = createBench();
  bench.worker.start();
  await settle();
  const link = bench.links.last.open();
  link.say({ case: 'pong', value: { lastTimestamp: 1n, timestamp: 2n } });
  link.register();
  assert.equal(bench.worker.status().ready, true);
});

test('a server that does not answer is given up: while connecting and while registering', async () => {
  const bench = createBench();
  bench.worker.start();
  await bench.clock.advance(9_999);
  assert.equal(bench.links.last.ended, null);
  await bench.clock.advance(1);
  assert.equal(bench.links.last.ended, 'cut');
  assert.equal(bench.metric('connection.losses', { cause: 'connect-timeout' }), 1);
  await bench.clock.advance(1000);
  assert.equal(bench.links.links.length, 2);
  const second = bench.links.last.open();
  await bench.clock.advance(10_000);
  assert.equal(second.ended, 'cut');
  assert.equal(bench.metric('connection.losses', { cause: 'register-timeout' }), 1);
  assert.match(bench.worker.status().registrations[0]?.lastLoss ?? '', /no answer within 10000 ms/);
});

test('pings every 5 s; silence ends the connection after 15 s, any sign of life does not', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.answersPings = false;
  await bench.clock.advance(5000);
  assert.equal(link.all('ping').length, 1);
  const at = link.last('ping')?.timestamp ?? 0n;
  await bench.clock.advance(40);
  assert.equal(bench.worker.status().registrations[0]?.pongAtMs, null);
  link.say({ case: 'pong', value: { lastTimestamp: at, timestamp: at } });
  const { pongAtMs, pingMs } = bench.worker.status().registrations[0] ?? {};
  assert.deepEqual([pongAtMs, pingMs], [Number(at) + 40, 40]);
  for (let i = 0; i < 5; i++) {
    await bench.clock.advance(9000);
    link.alive();
  }
  assert.equal(link.ended, null);
  await bench.clock.advance(14_000);
  assert.equal(link.ended, null);
  await bench.clock.advance(6000);
  assert.equal(link.ended, 'cut');
  assert.equal(bench.metric('connection.losses', { cause: 'silent' }), 1);
  assert.match(bench.log.at(-1) ?? '', /livekit server lost; calls go on/);
});

test('comes back for ever, with jitter and a cap; a fresh token each time; the counter starts again when registered', async () => {
  let random = 0;
  const bench = createBench({ random: () => random });
  bench.worker.start();
  await settle();
  const waits: number[] = [];
  for (let i = 0; i < 40; i++) {
    random = i % 2;
    bench.links.last.close({ reason: 'connection is refused' });
    const before = bench.links.links.length;
    let waitedMs = 0;
    while (bench.links.links.length === before) {
      await bench.clock.advance(50);
      waitedMs += 50;
    }
    waits.push(waitedMs);
  }
  assert.deepEqual(waits.slice(0, 8), [250, 1000, 1000, 4000, 4000, 10_000, 5000, 10_000]);
  assert.ok(waits.every((ms) => ms <= 10_000) && waits.at(-1) === 10_000);
  assert.equal(bench.tokensMinted(), 41);
  assert.equal(new Set(bench.links.links.map((l) => l.request.token)).size, 41);
  // An open socket alone is no success.
  bench.links.last.open().close();
  await bench.clock.advance(4999);
  assert.equal(bench.links.links.length, 41);
  await bench.clock.advance(5001);
  bench.links.last.open().register().close();
  random = 0;
  const before = bench.links.links.length;
  await bench.clock.advance(500);
  assert.equal(bench.links.links.length, before + 1);
});

test('an outage is measured from the loss to the new registration', async () => {
  const bench = createBench();
  (await bench.registered()).close({ code: 1001, reason: 'going away' });
  assert.equal(bench.worker.status().reason, 'not-registered');
  await bench.clock.advance(375);
  bench.links.last.close();
  await bench.clock.advance(750);
  bench.links.last.open().register('AW_two');
  assert.equal(bench.metric('reconnects'), 1);
  assert.equal(bench.metric('outage'), 1.125);
  assert.equal(bench.metric('connection.losses', { cause: 'closed' }), 1);
  assert.equal(bench.metric('connection.losses', { cause: 'connect' }), 1);
  assert.equal(bench.worker.status().registrations[0]?.lastLoss, null);
});

test('a refused key is told as such, and tried again', async () => {
  const refusals: string[] = [];
  const bench = createBench({ onRefused: (detail) => void refusals.push(detail) });
  bench.worker.start();
  await settle();
  bench.links.last.close({ httpStatus: 401, reason: 'Unexpected server response: 401' });
  assert.equal(bench.metric('connection.losses', { cause: 'unauthorized' }), 1);
  assert.match(bench.worker.status().registrations[0]?.lastLoss ?? '', /^unauthorized: server refuses the API key/);
  await bench.clock.advance(1000);
  bench.links.last.open().register();
  assert.equal(bench.worker.status().ready, true);
  assert.deepEqual(refusals, ['server refuses the API key or secret (401)']);
  // A key that was good is no mistake of whoever started the program, and calls may be going on.
  bench.links.last.close();
  await bench.clock.advance(1000);
  bench.links.last.close({ httpStatus: 403, reason: 'Unexpected server response: 403' });
  assert.equal(bench.metric('connection.losses', { cause: 'unauthorized' }), 2);
  assert.equal(refusals.length, 1);
});

test('a socket or a token that throws counts as a failed attempt', async () => {
  let broken: 'token' | 'socket' | null = 'token';
  const bench = createBench({
    tokens: {
      async worker() {
        if (broken === 'token') throw new Error('no entropy');
        return 't';
      },
      agent: async () => 'a',
    },
    openSocket(request, listener) {
      if (broken === 'socket') throw new Error('no sockets left');
      return bench.links.open(request, listener);
    },
  });
  bench.worker.start();
  await settle();
  assert.match(bench.worker.status().registrations[0]?.lastLoss ?? '', /token: no entropy/);
  broken = 'socket';
  await bench.clock.advance(500);
  assert.match(bench.worker.status().registrations[0]?.lastLoss ?? '', /connect: no sockets left/);
  broken = null;
  await bench.clock.advance(1000);
  bench.links.last.open().register();
  assert.equal(bench.worker.status().ready, true);
});

test('garbage is counted and survived; too much of it ends the connection', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.raw(new Uint8Array([0xff, 0xff, 0xff]));
  link.raw('{"nonsense"');
  // Fields of a later protocol: no message that we know, and none that is wrong.
  link.raw(new Uint8Array([0xfa, 0x06, 0x01, 0x2a]));
  link.raw(new Uint8Array(0));
  assert.equal(bench.metric('messages.ignored', { what: 'garbage' }), 2);
  assert.equal(bench.metric('messages.ignored', { what: 'unknown' }), 2);
  assert.equal(link.ended, null);
  link.register('AW_again');
  assert.equal(bench.metric('messages.ignored', { what: 'repeated-register' }), 1);
  for (let i = 0; i < 6; i++) link.raw(new Uint8Array([0xff]));
  assert.equal(link.ended, 'cut');
  assert.equal(bench.metric('connection.losses', { cause: 'garbage' }), 1);
});

test('garbage instead of the answer to the registration ends the connection', async () => {
  const bench = createBench();
  bench.worker.start();
  await settle();
  bench.links.last.open().raw(new Uint8Array([0xff, 0xff]));
  assert.equal(bench.metric('connection.losses', { cause: 'garbage' }), 1);
});

test('a server that reads nothing is left', async () => {
  const bench = createBench();
  const link = await bench.registered();
  link.bufferedBytes = 2_000_000;
  await bench.clock.advance(2500);
  assert.equal(link.ended, 'cut');
  assert.equal(bench.metric('connection.losses', { cause: 'congested' }), 1);
});

test('late events of an old connection change nothing', async () => {
  const bench = createBench();
  const old = await bench.registered();
  old.close();
  await bench.clock.advance(500);
  const fresh = bench.links.last.open().register('AW_two');
  old.register('AW_ghost');
  old.offer('AJ_ghost');
  old.close();
  assert.equal(bench.worker.status().registrations[0]?.workerId, 'AW_two');
  assert.deepEqual(fresh.answerTo('AJ_ghost'), []);
  assert.equal(bench.worker.status().ready, true);
});

test('protojson can be spoken and understood', async () => {
  const bench = createBench({ format: 'json' });
  bench.worker.start();
  await settle();
  const link = bench.links.last.open();
  assert.equal(typeof link.frames[0], 'string');
  assert.equal(JSON.parse(String(link.frames[0])).register.agentName, 'judge');
  link.raw('{"register":{"workerId":"AW_json","serverInfo":{"version":"1","somethingNew":true}}}');
  assert.equal(bench.worker.status().registrations[0]?.workerId, 'AW_json');
  link.raw('{"availability":{"job":{"id":"AJ_1","room":{"name":"r"}}}}');
  assert.equal(link.answerTo('AJ_1')[0]?.available, true);
});
