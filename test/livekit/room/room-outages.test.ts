// What every outage does to a call in a room, on virtual time: who comes back, what is said again, and when it is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LeaveReason } from '../../../src/livekit/room/connection.ts';
import { createScene, missing, settle, Talker, talking, types } from './virtual-room.ts';

test('a resume has no gap and repeats nothing', async () => {
  const { scene, talker } = await talking();
  scene.connection.events.reconnecting();
  await talker.talk(1000);
  scene.connection.events.reconnected();
  await talker.talk(1000);
  await scene.clock.pass(200);
  assert.equal(scene.connection.speaker.heard().length, talker.saidMs * 24);
  assert.deepEqual(types(scene).slice(2), ['reconnecting', 'recovered']);
});

test('a full reconnect: the caller is relinked, what was said into the hole is said again', async () => {
  const { scene, talker } = await talking();
  const { events } = scene.connection;
  events.reconnecting();
  await talker.talk(200);
  events.peerLeft('ada', 'connection lost');
  await talker.talk(500);
  const microphone = scene.connection.join('ada');
  events.voiceRepublished();
  events.reconnected();
  events.voiceSubscribed();
  await talker.talk(2000);
  await scene.clock.pass(500);
  microphone.frame(5);
  assert.equal(missing(scene, talker.saidMs), 0);
  assert.ok(scene.connection.speaker.heard().length > talker.saidMs * 24, 'some of it twice');
  assert.equal(scene.heard.audio.at(-1)?.value, 5);
  assert.ok((scene.heard.audio.at(-1)?.position ?? 0) >= 500 * 16, 'the caller’s clock went on');
  assert.deepEqual(scene.heard.closed, []);
});

test('a frozen server: nobody says anything, the statistics do', async () => {
  const { scene, talker } = await talking();
  const traffic = (packetsReceived: number) => {
    scene.connection.entries = [
      {
        case: 'candidatePair',
        value: { candidatePair: { nominated: true, packetsReceived: BigInt(packetsReceived) } },
      },
      // Our own voice goes out, whoever gets it.
      { case: 'outboundRtp', value: { sent: { packetsSent: BigInt(++sent), bytesSent: BigInt(sent * 80) } } },
    ];
  };
  let sent = 0;
  let packets = 100;
  for (let i = 0; i < 3; i++) {
    traffic(++packets);
    await talker.talk(1000);
  }
  const frozenAt = talker.saidMs;
  await talker.talk(6000);
  assert.ok(types(scene).includes('stalled'));
  assert.equal(scene.transport.leadMs, Number.NEGATIVE_INFINITY);
  assert.ok(talker.saidMs - frozenAt < 4500, 'the session is held');
  const from = scene.clock.now();
  traffic(++packets);
  await talker.talk(8000);
  const again = scene.connection.speaker.heard(from)[0] ?? 0;
  assert.ok(again <= frozenAt + 1 && again > frozenAt - 1600, `said again from ${again}, frozen at ${frozenAt}`);
});

test('the SDK is back without having published our voice: the agent joins anew; a voice that goes out, or is muted, is left alone', async () => {
  for (const voice of ['unsent', 'sent', 'muted', 'unknown'] as const) {
    const { scene, talker } = await talking();
    const { connection } = scene;
    connection.events.reconnecting();
    await talker.talk(300);
    connection.events.peerLeft('ada', 'connection lost');
    await talker.talk(3000);
    connection.join('ada');
    connection.events.reconnected();
    if (voice === 'muted') connection.events.muted(connection.identity, true);
    let sent = 0;
    for (let second = 1; second <= 6; second++) {
      sent += voice === 'sent' ? 50 : 0;
      const pair = { nominated: true, packetsReceived: BigInt(second * 60) };
      const out = { sent: { packetsSent: BigInt(sent), bytesSent: BigInt(sent * 80) } };
      connection.entries = [
        { case: 'candidatePair', value: { candidatePair: pair } },
        ...(voice === 'unsent' ? [] : [{ case: 'outboundRtp', value: out }]),
      ];
      if (voice === 'unknown') connection.entries = [];
      await talker.talk(1000);
    }
    assert.equal(scene.connections.length, voice === 'unsent' ? 2 : 1, voice);
    assert.equal(connection.hasLeft, voice === 'unsent');
    if (voice !== 'unsent') continue;
    assert.deepEqual(scene.heard.closed, []);
    scene.connection.join('ada');
    scene.connection.events.voiceSubscribed();
    const from = scene.clock.now();
    await talker.talk(7000);
    assert.ok(scene.connection.speaker.heard(from).length > 0, 'it is heard again');
    assert.ok(types(scene).includes('repeated'));
  }
});

test('a join after which nothing of our voice goes out, the first or a later one: the agent joins anew', async () => {
  const { scene, talker } = await talking();
  /** A second of statistics: the line lives; `sent` packets of our voice have gone out. */
  const second = async (seconds: number, sent: number) => {
    scene.connection.entries = [
      { case: 'candidatePair', value: { candidatePair: { nominated: true, packetsReceived: BigInt(seconds * 60) } } },
      { case: 'outboundRtp', value: { sent: { packetsSent: BigInt(sent), bytesSent: BigInt(sent * 80) } } },
    ];
    await talker.talk(1000);
  };
  const join = () => {
    scene.connection.join('ada');
    scene.connection.events.voiceSubscribed();
  };
  for (let seconds = 1; scene.connections.length === 1; seconds++) {
    assert.ok(seconds <= 6, 'noticed after the first join');
    await second(seconds, 0);
  }
  join();
  for (let seconds = 1; seconds <= 6; seconds++) await second(seconds, seconds * 50);
  assert.equal(scene.connections.length, 2, 'a voice that goes out is left alone');
  scene.connection.events.disconnected('connection lost');
  await talker.talk(2000);
  assert.equal(scene.connections.length, 3);
  join();
  for (let seconds = 1; scene.connections.length === 3; seconds++) {
    assert.ok(seconds <= 6, 'noticed after a rejoin');
    await second(seconds, 0);
  }
  assert.deepEqual(
    scene.connections.map((one) => one.hasLeft),
    [true, true, true, false],
  );
  assert.deepEqual(scene.heard.closed, []);
});

test('the SDK gives up: the agent joins again by itself with a new token, as often as it takes', async () => {
  const { scene, talker } = await talking();
  scene.next.push('refused', 'refused', 'silent', 'ok');
  scene.connection.events.disconnected('connection lost');
  assert.equal(scene.transport.leadMs, Number.NEGATIVE_INFINITY);
  await talker.talk(60_000);
  assert.equal(scene.connections.length, 2);
  assert.deepEqual(scene.tokens.slice(1), Array(4).fill('minted for agent in room'));
  const lost = scene.events.filter((e) => e.type === 'lost');
  assert.deepEqual(
    lost.map((e) => e.wasReconnecting),
    [false],
  );
  const failed = scene.events.filter((e) => e.type === 'rejoin-failed');
  assert.deepEqual(
    failed.map((e) => e.message),
    ['Connection refused', 'Connection refused', 'No answer within 10000 ms'],
  );
  const said = talker.saidMs;
  scene.connection.join('ada');
  scene.connection.events.voiceSubscribed();
  await talker.talk(1000);
  await scene.clock.pass(500);
  assert.ok(talker.saidMs > said);
  assert.equal(missing(scene, talker.saidMs), 0);
  assert.deepEqual(scene.heard.closed, []);
  // The silent join is answered after all: it is left again.
  scene.late[0]?.();
  await settle();
  assert.equal(scene.connections[2]?.hasLeft, true);
  assert.equal(scene.connections[1]?.hasLeft, false);
});

test('a join that was given up is answered before the next attempt: it is left, which does not end the call', async () => {
  const { scene } = await talking();
  scene.next.push('silent', 'ok');
  scene.connection.events.disconnected('connection lost');
  await scene.clock.pass(10_010);
  assert.equal(scene.events.at(-1)?.type, 'rejoin-failed');
  scene.late[0]?.();
  await settle();
  assert.equal(scene.connections[1]?.hasLeft, true);
  await scene.clock.pass(1000);
  assert.deepEqual(scene.heard.closed, []);
  assert.equal(scene.connections.length, 3, 'the next attempt stands');
  scene.connection.join('ada').frame(7);
  assert.equal(scene.heard.audio.at(-1)?.value, 7);
});

test('a connection that is lost while it is joined: one attempt after the other, and what was lost is left', async () => {
  const { scene } = await talking();
  scene.next.push('lost', 'lost, refused', 'refused', 'ok');
  scene.connection.events.disconnected('connection lost');
  await scene.clock.pass(10_000);
  assert.equal(scene.tokens.length, 1 + 4, 'nobody else tries beside it');
  assert.deepEqual(
    scene.connections.map(({ hasLeft }) => hasLeft),
    [true, true, false],
  );
  assert.deepEqual(scene.heard.closed, []);
  scene.connection.join('ada').frame(9);
  assert.equal(scene.heard.audio.at(-1)?.value, 9);
});

test('the first join is lost before it stands: the agent joins anew, in the same room', async () => {
  const scene = createScene();
  scene.next.push('lost');
  await scene.transport.open();
  await scene.clock.pass(1000);
  assert.deepEqual(scene.tokens, ['first', 'minted for agent in room']);
  assert.deepEqual(
    scene.connections.map(({ hasLeft }) => hasLeft),
    [true, false],
  );
  scene.connection.join('ada').frame(3);
  assert.equal(scene.heard.audio.at(-1)?.value, 3);
});

test('a first join that has failed is over: nothing that comes of it later joins or ends anything', async () => {
  const scene = createScene();
  scene.next.push('silent');
  const opening = assert.rejects(scene.transport.open(), /No answer within 10000 ms/);
  await scene.clock.pass(10_000);
  await opening;
  scene.late[0]?.();
  await scene.clock.pass(60_000);
  assert.deepEqual([scene.tokens, scene.connections[0]?.hasLeft, scene.heard.closed], [['first'], true, []]);
  assert.deepEqual(types(scene), ['join-failed']);
});

test('three minutes without a server, the caller back a minute after that: the call goes on', async () => {
  const { scene, talker } = await talking();
  scene.next.push(...Array<'refused'>(46).fill('refused'));
  scene.connection.events.disconnected('connection lost');
  await scene.clock.pass(180_000);
  assert.equal(scene.connections.length, 2, `${scene.tokens.length} attempts`);
  await scene.clock.pass(60_000);
  const microphone = scene.connection.join('ada');
  scene.connection.events.voiceSubscribed();
  await talker.talk(1000);
  microphone.frame(8);
  assert.equal(scene.heard.audio.at(-1)?.value, 8);
  assert.ok((scene.heard.audio.at(-1)?.position ?? 0) >= 240 * 16_000 * 0.99);
});

test('the caller does not come back after a rejoin: the call ends', async () => {
  const { scene } = await talking();
  scene.connection.events.disconnected('connection lost');
  await scene.clock.pass(121_000);
  assert.deepEqual(scene.heard.closed, ['caller lost']);
  assert.equal(await scene.transport.done, 'caller lost');
});

test('no server for ten minutes: the call ends', async () => {
  const { scene } = await talking();
  scene.next.push(...Array<'refused'>(500).fill('refused'));
  scene.connection.events.disconnected('server shutdown');
  await scene.clock.pass(590_000);
  assert.deepEqual(scene.heard.closed, []);
  await scene.clock.pass(20_000);
  assert.deepEqual(scene.heard.closed, ['connection lost']);
  assert.equal(scene.clock.pending, 0, 'no timer is left');
});

for (const reason of ['duplicate identity', 'removed', 'room deleted'] as const) {
  test(`sent away for good (${reason}): the call ends, nobody joins again`, async () => {
    const { scene } = await talking();
    scene.connection.events.disconnected(reason);
    await scene.clock.pass(60_000);
    assert.deepEqual(scene.heard.closed, [reason]);
    assert.equal(scene.connections.length, 1);
    assert.equal(scene.tokens.length, 1);
  });
}

test('the room closes while the caller is waited for: it is opened again', async () => {
  const { scene } = await talking();
  scene.connection.events.peerLeft('ada', 'connection lost');
  await scene.clock.pass(20_000);
  scene.connection.events.disconnected('room closed');
  await scene.clock.pass(1000);
  assert.equal(scene.connections.length, 2);
  scene.connection.join('ada');
  assert.deepEqual(scene.heard.closed, []);
});

test('a reload in the middle of a sentence: the rest is heard after it', async () => {
  const { scene, talker } = await talking();
  scene.connection.events.peerLeft('ada', 'left');
  await talker.talk(2000);
  scene.connection.join('ada');
  await talker.talk(2000);
  await scene.clock.pass(300);
  assert.equal(missing(scene, talker.saidMs), 0);
  assert.deepEqual(scene.heard.closed, []);
});

test('moved to another room: a rejoin goes there', async () => {
  const { scene } = await talking();
  scene.connection.events.moved('other');
  assert.equal(scene.transport.room.roomName, 'other');
  scene.connection.events.disconnected('connection lost');
  await scene.clock.pass(1000);
  assert.equal(scene.tokens.at(-1), 'minted for agent in other');
});

test('events of an earlier connection change nothing', async () => {
  const { scene } = await talking();
  const old = scene.connection;
  old.events.disconnected('connection lost');
  await scene.clock.pass(1000);
  scene.connection.join('ada');
  old.events.peerLeft('ada', 'left');
  old.events.disconnected('room deleted');
  old.events.text('lk.chat', 'ghost', 'ada');
  await scene.clock.pass(10_000);
  assert.deepEqual(scene.heard.closed, []);
  assert.deepEqual(scene.heard.texts, []);
});

test('any order of events: never a throw, at most one end, no timer left behind', async () => {
  const reasons: LeaveReason[] = [
    'left',
    'connection lost',
    'duplicate identity',
    'room deleted',
    'room closed',
    'removed',
  ];
  const step = fc.oneof(
    fc
      .constantFrom(
        'join',
        'reconnecting',
        'reconnected',
        'republished',
        'subscribed',
        'frame',
        'talk',
        'clear',
        'text',
        'moved',
      )
      .map((what) => ({ what, reason: 'left' as LeaveReason, ms: 0 })),
    fc.record({
      what: fc.constantFrom('left', 'disconnected'),
      reason: fc.constantFrom(...reasons),
      ms: fc.constant(0),
    }),
    fc.record({
      what: fc.constant('pass'),
      reason: fc.constant<LeaveReason>('left'),
      ms: fc.integer({ min: 1, max: 30_000 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const scene = createScene();
      await scene.transport.open();
      const talker = new Talker(scene);
      let microphone = scene.connection.join('ada');
      for (const { what, reason, ms } of steps) {
        const { events } = scene.connection;
        if (what === 'join') microphone = scene.connection.join('ada');
        else if (what === 'left') events.peerLeft('ada', reason);
        else if (what === 'disconnected') events.disconnected(reason);
        else if (what === 'reconnecting') events.reconnecting();
        else if (what === 'reconnected') events.reconnected();
        else if (what === 'republished') events.voiceRepublished();
        else if (what === 'subscribed') events.voiceSubscribed();
        else if (what === 'frame') microphone.frame(1);
        else if (what === 'talk') await talker.talk(100);
        else if (what === 'clear') scene.transport.clear();
        else if (what === 'text') events.text('lk.chat', 'x', 'ada');
        else if (what === 'moved') events.moved('other');
        else await scene.clock.pass(ms);
        assert.ok(scene.heard.closed.length <= 1);
      }
      scene.transport.close('finished');
      await scene.clock.pass(5000);
      await scene.transport.done;
      assert.equal(scene.heard.closed.length, 1);
      assert.equal(scene.clock.pending, 0);
      const positions = scene.heard.audio.map((a) => a.position);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 150, seed: 20_262 },
  );
});
