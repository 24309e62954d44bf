// A call in a room on virtual time: who is heard, what is heard, what clients see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScene, FakeConnection, FakeMicrophone, peer, settle, talking } from './virtual-room.ts';

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
