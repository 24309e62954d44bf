// What the native library holds for a visit to a room is given back when the room is left, and not when garbage is collected.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { FfiHandle, FfiRequest } from '@livekit/rtc-ffi-bindings';
import type { ConnectionEvents, Microphone } from '../../../src/livekit/room/connection.ts';
import { nativeConnect } from '../../../src/livekit/room/native-connection.ts';
import { type Answer, fakeNative, modules, participant, roomInfo } from './fake-native.ts';
import { settle } from './virtual-room.ts';

const { skip } = modules;
const client = Reflect.get(globalThis, '_ffiClientInstance');
const handles = modules.skip === false ? modules.bindings.FfiHandle.prototype : undefined;
const dispose = handles?.dispose;
afterEach(() => {
  Reflect.set(globalThis, '_ffiClientInstance', client);
  if (handles !== undefined && dispose !== undefined) handles.dispose = dispose;
});

let lastAsyncId = 0n;
/** Ids: 1 room, 2 us, 3 caller, 4 to 6 our source, track and publication, 7 to 9 the caller's publication, track and stream. */
function answer(request: NonNullable<FfiRequest['message']>, count: bigint): Answer {
  lastAsyncId = count;
  const owned = (id: bigint, info: object) => ({ handle: { id }, info });
  const answers: Record<string, object> = {
    connect: { asyncId: count },
    disconnect: { asyncId: count },
    publishTrack: { asyncId: count },
    textStreamOpen: { asyncId: count },
    newAudioSource: { source: owned(4n, { type: 0 }) },
    createAudioTrack: { track: owned(5n, trackInfo('TR_agent')) },
    newAudioStream: { stream: owned(9n, { type: 0 }) },
    getSessionStats: { asyncId: count },
    readyForRoomEvent: {},
  };
  const value = answers[request.case ?? ''];
  assert.ok(value, `no answer to ${request.case}`);
  return { message: { case: request.case, value } } as Answer;
}

const trackInfo = (sid: string) => ({ sid, name: '', kind: 1, streamState: 1, muted: false, remote: false });
const publicationInfo = (sid: string) => ({
  ...trackInfo(sid),
  source: 2,
  simulcasted: false,
  width: 0,
  height: 0,
  mimeType: '',
  encryptionType: 0,
});

/** A handle that is collected as garbage before it is given back would be an uncaught error. */
const kept: unknown[] = [];
Reflect.set(globalThis, '_keptForTest', kept);

/** A room that is joined, in which our voice is about to be published. */
async function joining() {
  if (modules.skip !== false || handles === undefined) throw new Error(modules.skip || '');
  const native = fakeNative(answer);
  const dropped: bigint[] = native.disposed;
  // rtc-node's own: the real library knows nothing of them, and says so.
  handles.dispose = function (this: FfiHandle) {
    dropped.push(this.handle);
    assert.throws(() => dispose?.call(this));
  };
  const told: { name: string; what: unknown }[] = [];
  const events = new Proxy({} as ConnectionEvents, {
    get: (_, name) => (what: unknown) => told.push({ name: String(name), what }),
  });
  const { bindings, sdk } = modules;
  const connecting = nativeConnect({ bindings, sdk, client: native.client })({
    ...{ url: 'ws://server', token: 'token', voiceRateHz: 24_000, textTopics: [], events },
  });
  await settle();
  const result = {
    room: { handle: { id: 1n }, info: roomInfo('room') },
    localParticipant: participant('agent', 2n),
    participants: [],
  };
  native.send({
    message: { case: 'connect', value: { asyncId: lastAsyncId, message: { case: 'result', value: result } } },
  });
  await settle();
  const publishedId = lastAsyncId;
  const answerVoice = (message: object) =>
    native.send({ message: { case: 'publishTrack', value: { asyncId: publishedId, message } } } as never);
  return { native, connecting, answerVoice, told, dropped };
}

/** A visit with a caller whose microphone is listened to. */
async function visit() {
  const { native, connecting, answerVoice, told, dropped } = await joining();
  const room = (message: object) =>
    native.send({ message: { case: 'roomEvent', value: { roomHandle: 1n, message } } } as never);
  const publication = { handle: { id: 6n }, info: publicationInfo('TR_agent') };
  answerVoice({ case: 'publication', value: publication });
  const connection = await connecting;
  const participantIdentity = 'ada';
  room({ case: 'participantConnected', value: { info: participant('ada', 3n) } });
  room({
    case: 'trackPublished',
    value: { participantIdentity, publication: { handle: { id: 7n }, info: publicationInfo('TR_ada') } },
  });
  room({
    case: 'trackSubscribed',
    value: { participantIdentity, track: { handle: { id: 8n }, info: trackInfo('TR_ada') } },
  });
  await settle();
  const microphone = told.find(({ name }) => name === 'microphoneHere')?.what as Microphone | undefined;
  const stop = microphone?.listen(16_000, () => {});
  kept.push(connection);
  return { native, connection, room, stop, dropped };
}

const EVERY = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n];
const sorted = (ids: readonly bigint[]) => [...new Set(ids)].sort((a, b) => Number(a - b));

test('a room that is left: every handle of the visit is given back', { skip }, async () => {
  const { native, connection, room, stop, dropped } = await visit();
  assert.deepEqual(dropped, []);
  stop?.();
  const leaving = connection.leave();
  room({ case: 'localTrackUnpublished', value: { publicationSid: 'TR_agent' } });
  await settle();
  native.send({ message: { case: 'disconnect', value: { asyncId: lastAsyncId } } });
  await leaving;
  assert.deepEqual(sorted(dropped), EVERY);
});

test('a room that the server has ended: the same', { skip }, async () => {
  const { native, connection, room, dropped } = await visit();
  room({ case: 'disconnected', value: { reason: 4 } });
  await settle();
  native.send({
    message: { case: 'audioStreamEvent', value: { streamHandle: 9n, message: { case: 'eos', value: {} } } },
  });
  await connection.leave();
  assert.deepEqual(sorted(dropped), EVERY);
});

test('a voice that is not published: the join fails, the room is left, and nobody is told that the call is over', {
  skip,
}, async () => {
  const { native, connecting, answerVoice, told, dropped } = await joining();
  const failed = assert.rejects(connecting, /no answer from the server/);
  answerVoice({ case: 'error', value: 'no answer from the server' });
  await settle();
  native.send({ message: { case: 'disconnect', value: { asyncId: lastAsyncId } } });
  await failed;
  assert.deepEqual(
    native.requests.slice(-1).map((request) => request?.case),
    ['disconnect'],
  );
  assert.deepEqual(told, []);
  assert.deepEqual(sorted(dropped), [1n, 2n, 4n, 5n]);
});

test('a stream of text that was opened too late: nobody writes to it, and it is given back', { skip }, async () => {
  const { native, connection, room, dropped } = await visit();
  const text = connection.sendText({ topic: 'lk.transcription', text: 'too late' });
  await settle();
  const openedId = lastAsyncId;
  room({ case: 'disconnected', value: { reason: 4 } });
  await assert.rejects(text);
  const info = {
    ...{ streamId: 'S', timestamp: 0n, mimeType: 'text/plain', topic: 'lk.transcription', attributes: {} },
    ...{ operationType: 0, attachedStreamIds: [], encryptionType: 0 },
  };
  native.send({
    message: {
      case: 'textStreamOpen',
      value: { asyncId: openedId, result: { case: 'writer', value: { handle: { id: 50n }, info } } },
    },
  });
  assert.deepEqual(dropped, [50n]);
  await connection.leave();
});
