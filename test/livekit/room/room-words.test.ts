// What clients are shown of what is said: the caller's words, and the agent's while they are spoken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoomWords, TRANSCRIPTION_TOPIC } from '../../../src/livekit/room/room-words.ts';
import { createScene, FakeConnection, settle, VirtualClock } from './virtual-room.ts';

function connection(): FakeConnection {
  const request = { url: '', token: '', voiceRateHz: 24_000, textTopics: [], events: null as never };
  return new FakeConnection(request, new VirtualClock());
}
const SPEAKERS = { callerIdentity: 'ada', callerTrackId: 'TR_ada' };
const final = ({ texts }: FakeConnection) =>
  texts.map(({ text, attributes = {} }) => [text, attributes['lk.transcription_final'], attributes['lk.segment_id']]);

test('a reply grows as one stream and ends as a whole, under one segment', () => {
  const words = new RoomWords({});
  const room = connection();
  words.use(room);
  words.heard(1, '');
  assert.equal(room.streams.length, 0, 'nothing was heard yet');
  words.heard(1, 'It is');
  words.heard(1, 'It is');
  words.heard(1, 'It is noon');
  const [stream] = room.streams;
  assert.ok(stream);
  assert.deepEqual(stream.written, ['It is', ' noon']);
  assert.equal(stream.message.topic, TRANSCRIPTION_TOPIC);
  assert.equal(stream.message.attributes?.['lk.transcription_final'], 'false');
  assert.equal(stream.message.attributes?.['lk.transcribed_track_id'], 'TR_voice');
  assert.equal(stream.isClosed, false);
  words.show({ type: 'reply', turn: 1, text: 'It is noon.' }, SPEAKERS);
  assert.equal(stream.isClosed, true);
  assert.deepEqual(final(room), [['It is noon.', 'true', stream.message.attributes?.['lk.segment_id']]]);
  words.show({ type: 'reply', turn: 2, text: 'Next.' }, SPEAKERS);
  assert.notEqual(final(room)[1]?.[2], final(room)[0]?.[2], 'the next reply is another segment');
});

test('an interrupted reply ends with what was heard; a word that a pause takes back is not shown twice', () => {
  const words = new RoomWords({});
  const room = connection();
  words.use(room);
  words.heard(1, 'one two three');
  words.heard(1, 'one two');
  words.heard(1, 'one two three four');
  assert.deepEqual(room.streams[0]?.written, ['one two three', ' four']);
  words.show({ type: 'interrupted', turn: 1, heard: 'one two three four' }, SPEAKERS);
  assert.deepEqual(
    final(room).map(([text]) => text),
    ['one two three four'],
  );
  assert.equal(room.streams.length, 1);
});

test('another connection gets the reply from its beginning, and one who never got words a whole one', () => {
  const words = new RoomWords({});
  const [before, after] = [connection(), connection()];
  words.use(before);
  words.heard(1, 'one two');
  words.use(null);
  words.heard(1, 'one two three');
  words.use(after);
  words.heard(1, 'one two three four');
  assert.deepEqual(before.streams[0]?.written, ['one two']);
  assert.deepEqual(after.streams[0]?.written, ['one two three four']);
  assert.equal(
    after.streams[0]?.message.attributes?.['lk.segment_id'],
    before.streams[0]?.message.attributes?.['lk.segment_id'],
  );
});

test("the caller's words bear the caller's name and track", () => {
  const words = new RoomWords({});
  const room = connection();
  words.use(room);
  words.show({ type: 'transcript', turn: 1, text: 'what time is it' }, SPEAKERS);
  words.show({ type: 'transcript', turn: 2, text: 'lost' }, { ...SPEAKERS, callerIdentity: null });
  assert.equal(room.texts.length, 1);
  assert.equal(room.texts[0]?.senderIdentity, 'ada');
  assert.equal(room.texts[0]?.attributes?.['lk.transcribed_track_id'], 'TR_ada');
});

test('while the agent speaks the session is asked for what was heard, four times a second, and not afterwards', async () => {
  const scene = createScene();
  await scene.transport.open();
  scene.connection.join('ada');
  let asked = 0;
  let heard: { turn: number; text: string } | null = { turn: 1, text: 'one' };
  const silent = { audio() {}, played() {}, text() {}, dtmf() {}, close() {} };
  scene.transport.bind({
    ...silent,
    heardSoFar() {
      asked++;
      return heard;
    },
  });
  await scene.clock.pass(1000);
  assert.equal(asked, 0);
  scene.transport.notify({ type: 'state', state: 'agent-speaking' });
  scene.transport.notify({ type: 'state', state: 'agent-speaking' });
  await scene.clock.pass(500);
  heard = { turn: 1, text: 'one two' };
  await scene.clock.pass(250);
  assert.deepEqual(scene.connection.streams[0]?.written, ['one', ' two']);
  assert.equal(asked, 3);
  heard = null;
  await scene.clock.pass(2000);
  assert.equal(asked, 4);
  scene.transport.close('done');
  await settle();
  assert.equal(scene.clock.pending, 0);
});
