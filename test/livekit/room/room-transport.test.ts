// A call in a room on virtual time: who is heard, what is heard, and what every outage does to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LeaveReason } from '../../../src/livekit/room/connection.ts';
import { createScene, FakeConnection, FakeMicrophone, peer, type Scene, settle, Talker } from './virtual-room.ts';

async function talking(options: Parameters<typeof createScene>[0] = {}) {
  const scene = createScene(options);
  await scene.transport.open();
  const microphone = scene.connection.join('ada');
  scene.connection.events.voiceSubscribed();
  const talker = new Talker(scene);
  await talker.talk(2000);
  return { scene, microphone, talker };
}

const types = (scene: Scene) => scene.events.map((e) => e.type);

/** Milliseconds of the agent's voice that never sounded on any connection. */
function missing(scene: Scene, saidMs: number): number {
  const heard = new Set(scene.connections.flatMap((c) => c.speaker.heard()));
  let count = 0;
  for (let ms = 1; ms <= saidMs; ms++) if (!heard.has(ms)) count++;
  return count;
}

test('the session hears the caller from the first frame on, on the caller’s own clock', async () => {
  const scene = createScene();
  await scene.transport.open();
  const microphone = scene.connection.join('ada');
  scene.connection.join('bob').frame(9);
  for (let i = 0; i < 5; i++) {
    await scene.clock.pass(10);
    microphone.frame(i + 1);
  }
  assert.deepEqual(
    scene.heard.audio,
    [0, 160, 320, 480, 640].map((position, i) => ({ position, value: i + 1 })),
  );
});

test('the caller was there before: peers and tracks of before the join count', async () => {
  const microphone = new FakeMicrophone('ada');
  const scene = createScene({
    connect: async (request) => {
      const connection = new FakeConnection(request, scene.clock);
      scene.connections.push(connection);
      connection.present = [peer('ada')];
      request.events.voiceSubscribed();
      request.events.microphoneHere(microphone);
      return connection;
    },
  });
  await scene.transport.open();
  microphone.frame(3);
  assert.equal(scene.heard.audio.length, 1);
  assert.equal(scene.transport.leadMs, 80, 'and is spoken to at once');
});

test('the agent does not talk to an empty room, nor before it is received', async () => {
  const scene = createScene();
  assert.equal(scene.transport.leadMs, Number.NEGATIVE_INFINITY);
  await scene.transport.open();
  assert.equal(scene.transport.leadMs, Number.NEGATIVE_INFINITY);
  scene.connection.join('ada');
  assert.equal(scene.transport.leadMs, Number.NEGATIVE_INFINITY);
  await scene.clock.pass(1000);
  assert.equal(scene.transport.leadMs, 80, 'nobody says that it is received: after a second it is tried');
});

test('a barge-in: silent at once', async () => {
  const { scene } = await talking();
  assert.ok(scene.connection.speaker.queuedMs > 60);
  scene.transport.clear();
  assert.equal(scene.connection.speaker.queuedMs, 0);
});

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
    ];
  };
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

test('the SDK gives up: the agent joins again by itself with a new token, as often as it takes', async () => {
  const { scene, talker } = await talking();
  scene.next.push('refused', 'refused', 'silent', 'ok');
  scene.connection.events.disconnected('connection lost');
  assert.equal(scene.transport.leadMs, Number.NEGATIVE_INFINITY);
  await talker.talk(60_000);
  assert.equal(scene.connections.length, 2);
  assert.deepEqual(scene.tokens.slice(1), Array(4).fill('minted for agent in room'));
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

test('the caller hangs up: the session is closed, then the room is left, and that order is kept', async () => {
  const order: string[] = [];
  const { scene } = await talking({ onEnding: (reason) => order.push(`ending: ${reason}`) });
  const { connection } = scene;
  const leave = connection.leave.bind(connection);
  connection.leave = () => {
    order.push('leave');
    return leave();
  };
  connection.events.peerLeft('ada', 'left');
  await scene.clock.pass(5000);
  assert.deepEqual(scene.heard.closed, ['caller hung up']);
  assert.deepEqual(order, ['ending: caller hung up', 'leave']);
  scene.transport.close('again');
  assert.equal(await scene.transport.done, 'caller hung up');
  await settle();
  assert.equal(scene.clock.pending, 0);
});

test('a server that does not answer is left all the same', async () => {
  const { scene } = await talking();
  scene.connection.leave = () => new Promise(() => {});
  scene.transport.close('finished');
  let over = '';
  void scene.transport.done.then((reason) => {
    over = reason;
  });
  await scene.clock.pass(3000);
  assert.equal(over, 'finished');
});

test('the first join fails, or is never answered: open rejects', async () => {
  const refused = createScene();
  refused.next.push('refused');
  await assert.rejects(refused.transport.open(), /Connection refused/);
  const silent = createScene();
  silent.next.push('silent');
  const opening = assert.rejects(silent.transport.open(), /No answer within 10000 ms/);
  await silent.clock.pass(10_000);
  await opening;
  silent.late[0]?.();
  await settle();
  assert.equal(silent.connections[0]?.hasLeft, true);
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

test('a track goes and another comes: the session hears on', async () => {
  const { scene, microphone } = await talking();
  microphone.frame(1);
  scene.connection.events.microphoneGone('ada', microphone.trackId);
  assert.equal(microphone.sink, null);
  await scene.clock.pass(3000);
  const other = new FakeMicrophone('ada');
  scene.connection.events.microphoneHere(other);
  other.frame(2);
  assert.equal(scene.heard.audio.at(-1)?.value, 2);
  assert.ok((scene.heard.audio.at(-1)?.position ?? 0) >= 3000 * 16);
});

test('chat, digits and data: from the caller only, and only what they can be', async () => {
  const { scene } = await talking();
  const got: string[] = [];
  scene.transport.room.onData((bytes, topic, identity) => {
    got.push(`${topic} ${identity} ${bytes.length}`);
    throw new Error('handler');
  });
  const { events } = scene.connection;
  events.text('lk.chat', 'hello', 'ada');
  events.text('lk.chat', 'not the caller', 'bob');
  events.text('other', 'topic', 'ada');
  events.text('lk.chat', 'x'.repeat(100_000), 'ada');
  for (const digit of ['5', '#', 'A', '', '55', 'x', '\u0000']) events.dtmf(digit, 'ada');
  events.dtmf('1', 'bob');
  events.dtmf('2', undefined);
  events.data(new Uint8Array(3), 'topic', 'bob');
  assert.deepEqual(
    scene.heard.texts.map((t) => t.length),
    [5, 8000],
  );
  assert.deepEqual(scene.heard.digits, ['5', '#', 'A', '2']);
  assert.deepEqual(got, ['topic bob 3']);
});

test('clients see the state as an attribute and the words as text streams, of a new connection too', async () => {
  const { scene } = await talking({ attributes: { role: 'support' } });
  const { transport, connection } = scene;
  transport.notify({ type: 'state', state: 'thinking' });
  transport.notify({ type: 'transcript', turn: 1, text: 'what time is it' });
  transport.notify({ type: 'state', state: 'agent-speaking' });
  transport.notify({ type: 'reply', turn: 1, text: 'It is noon.' });
  transport.notify({ type: 'interrupted', turn: 2, heard: 'It is' });
  await settle();
  assert.deepEqual(connection.attributes.at(-1), { role: 'support', 'lk.agent.state': 'speaking' });
  assert.deepEqual(
    connection.texts.map(({ text, senderIdentity, topic }) => [topic, text, senderIdentity]),
    [
      ['lk.transcription', 'what time is it', 'ada'],
      ['lk.transcription', 'It is noon.', undefined],
      ['lk.transcription', 'It is', undefined],
    ],
  );
  const [user, agent] = connection.texts;
  assert.equal(user?.attributes?.['lk.transcription_final'], 'true');
  assert.match(user?.attributes?.['lk.transcribed_track_id'] ?? '', /^TR_\d+$/);
  assert.equal(agent?.attributes?.['lk.transcribed_track_id'], 'TR_voice');
  assert.equal(new Set(connection.texts.map((t) => t.attributes?.['lk.segment_id'])).size, 3);
  transport.room.onRpc('ping', () => 'pong');
  connection.events.disconnected('connection lost');
  await scene.clock.pass(1000);
  assert.notEqual(scene.connection, connection);
  assert.deepEqual(scene.connection.attributes.at(-1), { role: 'support', 'lk.agent.state': 'speaking' });
  assert.equal(await scene.connection.rpc.get('ping')?.({ from: 'ada', payload: '' }), 'pong');
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
