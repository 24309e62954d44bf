// The demultiplexed client with rtc-node's real objects on a native library that a test plays: a room gets what is for it, and what
// we rely on of rtc-node's inside is still there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { FfiEvent, FfiRequest } from '@livekit/rtc-ffi-bindings';
import { RTC_VERSIONS } from '../../../src/livekit/room/native.ts';
import { NativeClient } from '../../../src/livekit/room/native-client.ts';
import { type Answer, fakeNative, modules, participant, roomInfo } from './fake-native.ts';
import { settle } from './virtual-room.ts';

const { skip } = modules;
const real = Reflect.get(globalThis, '_ffiClientInstance');
afterEach(() => void Reflect.set(globalThis, '_ffiClientInstance', real));

/** rtc-node's objects hold handles that the real library does not know: collected as garbage, each would be an uncaught error. */
const kept: unknown[] = [];
Reflect.set(globalThis, '_keptForTest', kept);

/** A connected rtc-node room with handles of its own. */
async function joinRoom(native: ReturnType<typeof fakeNative>, name: string, base: bigint) {
  if (modules.skip !== false) throw new Error(modules.skip);
  const room = new modules.sdk.Room();
  const joining = room.connect('ws://server', 'token');
  await settle();
  const asyncId = lastAsyncId;
  native.send({
    message: {
      case: 'connect',
      value: {
        asyncId,
        message: {
          case: 'result',
          value: {
            room: {
              handle: { id: base },
              info: roomInfo(name),
            },
            localParticipant: participant(`agent-${name}`, base + 1n),
            participants: [],
          },
        },
      },
    },
  });
  await joining;
  kept.push(room);
  return room;
}

let lastAsyncId = 0n;
function ordinary(request: NonNullable<FfiRequest['message']>, count: bigint): Answer {
  lastAsyncId = count;
  switch (request.case) {
    case 'connect':
    case 'disconnect':
      return { message: { case: request.case, value: { asyncId: count } } } as Answer;
    case 'getSessionStats':
      return { message: { case: 'getSessionStats', value: { asyncId: request.value.requestAsyncId as bigint } } };
    case 'publishData':
      return { message: { case: 'publishData', value: { asyncId: count } } };
    default:
      return { message: { case: 'readyForRoomEvent', value: {} } } as Answer;
  }
}

test('the installed pair is the one that the client is written for', () => {
  const require = createRequire(import.meta.url);
  for (const [name, version] of [
    ['@livekit/rtc-node', RTC_VERSIONS.node],
    ['@livekit/rtc-ffi-bindings', RTC_VERSIONS.bindings],
  ] as const) {
    let folder = dirname(require.resolve(name));
    while (!folder.endsWith(name)) folder = dirname(folder);
    assert.equal(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version, version, name);
  }
});

test('rtc-node calls nothing of its client that ours has not', () => {
  const require = createRequire(import.meta.url);
  const index = require.resolve('@livekit/rtc-node');
  const files = [
    'ffi_client',
    'room',
    'participant',
    'track',
    'track_publication',
    'audio_source',
    'audio_stream',
    'audio_frame',
    'e2ee',
  ];
  const text = files.map((file) => readFileSync(join(dirname(index), `${file}.cjs`), 'utf8')).join('\n');
  const called = new Set([...text.matchAll(/FfiClient\.instance\.(\w+)/g)].map((m) => m[1] as string));
  assert.ok(called.size >= 8, [...called].join(' '));
  for (const name of called) assert.equal(typeof Reflect.get(NativeClient.prototype, name), 'function', name);
  assert.match(text, /globalThis\._ffiClientInstance/);
  assert.match(text, /\bffiHandle\b.*new\b.*FfiHandle/);
  assert.match(text, /\bffi_handle\b/);
});

test('no log records are asked for', { skip }, () => {
  assert.deepEqual(fakeNative(ordinary).started, [false, 'test']);
});

test('rtc-node’s rooms get their own events and no others; what they leave behind is forgotten', { skip }, async () => {
  const native = fakeNative(ordinary);
  const one = await joinRoom(native, 'one', 1000n);
  const two = await joinRoom(native, 'two', 2000n);
  assert.deepEqual([one.name, two.name], ['one', 'two']);
  assert.deepEqual(native.client.registered, { rooms: 4, readers: 0, waiters: 0, streams: 0, others: 0 });
  const joined: string[] = [];
  one.on('participantConnected', (p) => joined.push(`one ${p.identity}`));
  two.on('participantConnected', (p) => joined.push(`two ${p.identity}`));
  const event = (roomHandle: bigint, message: object) =>
    native.send({ message: { case: 'roomEvent', value: { roomHandle, message } as never } });
  event(2000n, { case: 'participantConnected', value: { info: participant('ada', 2100n) } });
  event(3000n, { case: 'participantConnected', value: { info: participant('stray', 3100n) } });
  await settle();
  assert.deepEqual(joined, ['two ada']);
  assert.equal(native.client.counts.strayEvents, 1);
  // The same participant twice: rtc-node's listener rejects, and nobody is hurt.
  event(2000n, { case: 'participantConnected', value: { info: participant('ada', 2101n) } });
  await settle();
  assert.equal(native.client.counts.listenerErrors, 1);
  event(1000n, { case: 'disconnected', value: { reason: 3 } });
  event(1000n, { case: 'eos', value: {} });
  await settle();
  assert.equal(one.isConnected, false);
  assert.equal(native.client.registered.rooms, 2);
  const leaving = two.disconnect();
  native.send({ message: { case: 'disconnect', value: { asyncId: lastAsyncId } } });
  await leaving;
  assert.deepEqual(native.client.registered, { rooms: 0, readers: 0, waiters: 0, streams: 0, others: 0 });
});

test('answers find who waits for them, in any order, and also where the id was asked for before', {
  skip,
}, async () => {
  const native = fakeNative(ordinary);
  const room = await joinRoom(native, 'one', 1000n);
  const local = room.localParticipant;
  const first = local?.publishData(new Uint8Array(1), { reliable: true });
  const firstId = lastAsyncId;
  const second = local?.publishData(new Uint8Array(1), { reliable: true });
  const secondId = lastAsyncId;
  const stats = room.getRtcStats();
  assert.equal(native.client.registered.waiters, 3);
  assert.equal(native.client.registered.others, 0);
  const asked = native.requests.at(-1);
  assert.equal(asked?.case, 'getSessionStats');
  native.send({ message: { case: 'publishData', value: { asyncId: secondId, error: 'no' } } });
  await assert.rejects(second ?? Promise.resolve(), /no/);
  native.send({
    message: {
      case: 'getSessionStats',
      value: {
        asyncId: asked?.case === 'getSessionStats' ? (asked.value.requestAsyncId as bigint) : 0n,
        message: { case: 'result', value: { publisherStats: [], subscriberStats: [] } },
      },
    },
  });
  assert.deepEqual((await stats).publisherStats, []);
  native.send({ message: { case: 'publishData', value: { asyncId: firstId } } });
  await first;
  assert.equal(native.client.registered.waiters, 0);
});

test('a room that goes away takes its waiters along', { skip }, async () => {
  const native = fakeNative(ordinary);
  const room = await joinRoom(native, 'one', 1000n);
  const never = room.localParticipant?.publishData(new Uint8Array(1), { reliable: true });
  native.send({
    message: {
      case: 'roomEvent',
      value: { roomHandle: 1000n, message: { case: 'disconnected', value: { reason: 0 } } },
    } as never,
  });
  await assert.rejects(never ?? Promise.resolve());
  assert.equal(native.client.registered.waiters, 0);
});

test('a join that fails leaves no listener behind', { skip }, async () => {
  if (modules.skip !== false) return;
  const native = fakeNative(ordinary);
  const joining = new modules.sdk.Room().connect('ws://server', 'token');
  await settle();
  native.send({
    message: { case: 'connect', value: { asyncId: lastAsyncId, message: { case: 'error', value: 'refused' } } },
  });
  await assert.rejects(joining, /refused/);
  assert.deepEqual(native.client.registered, { rooms: 0, readers: 0, waiters: 0, streams: 0, others: 0 });
});

test('frames go to their stream, their native buffers are given back, and the cost does not grow with other streams', {
  skip,
}, () => {
  const native = fakeNative(ordinary);
  const heard: [number, number][] = [];
  let ended = 0;
  for (let stream = 1; stream <= 50; stream++)
    native.client.listen(
      BigInt(stream),
      (pcm) => heard.push([stream, pcm.length]),
      () => ended++,
    );
  const info = { dataPtr: 1n, numChannels: 1, sampleRate: 16_000, samplesPerChannel: 160 };
  const frame = (streamHandle: bigint, id: bigint) =>
    native.send({
      message: {
        case: 'audioStreamEvent',
        value: { streamHandle, message: { case: 'frameReceived', value: { frame: { handle: { id }, info } } } },
      },
    });
  frame(7n, 500n);
  frame(8n, 501n);
  frame(99n, 502n);
  assert.deepEqual(heard, [
    [7, 320],
    [8, 320],
  ]);
  assert.deepEqual(native.disposed, [500n, 501n]);
  native.send({
    message: { case: 'audioStreamEvent', value: { streamHandle: 7n, message: { case: 'eos', value: {} } } },
  });
  frame(7n, 503n);
  assert.equal(ended, 1);
  assert.equal(heard.length, 2);
  assert.equal(native.client.registered.streams, 49);
});

test('frames under way when their stream is closed reach nobody, and their native memory is given back', {
  skip,
}, () => {
  const native = fakeNative(ordinary);
  let heard = 0;
  let ended = 0;
  const forget = native.client.listen(
    7n,
    () => heard++,
    () => ended++,
  );
  const info = { dataPtr: 1n, numChannels: 1, sampleRate: 16_000, samplesPerChannel: 160 };
  const event = (message: object) =>
    native.send({ message: { case: 'audioStreamEvent', value: { streamHandle: 7n, message } } } as never);
  forget();
  event({ case: 'frameReceived', value: { frame: { handle: { id: 500n }, info } } });
  event({ case: 'frameReceived', value: { frame: { handle: { id: 501n }, info } } });
  assert.deepEqual(native.disposed, [500n, 501n]);
  event({ case: 'eos', value: {} });
  assert.equal(native.client.registered.streams, 0);
  forget();
  assert.deepEqual([heard, ended, native.client.registered.streams], [0, 0, 0]);
});

test('memory of what comes often is given back at once, and not after a collection of garbage', { skip }, () => {
  if (modules.skip !== false) return;
  const { bindings } = modules;
  const native = fakeNative(ordinary);
  const info = { dataPtr: 1n, numChannels: 1, sampleRate: 16_000, samplesPerChannel: 160 };
  let heard: Uint8Array | undefined;
  let samplesHeard = 0;
  native.client.listen(
    7n,
    (pcm) => {
      heard = pcm;
      samplesHeard = pcm.length / 2;
    },
    () => {},
  );
  const event = (message: ConstructorParameters<typeof FfiEvent>[0]) => {
    const bytes = new bindings.FfiEvent(message).toBinary();
    native.emit(bytes);
    return bytes;
  };
  const value = {
    streamHandle: 7n,
    message: { case: 'frameReceived', value: { frame: { handle: { id: 1n }, info } } },
  };
  const frame = event({ message: { case: 'audioStreamEvent', value } } as never);
  const { id } = native.client.captureId(() => {});
  const captured = event({ message: { case: 'captureAudioFrame', value: { asyncId: id } } });
  assert.equal(samplesHeard, 160);
  for (const memory of [frame, heard, captured]) {
    assert.equal((memory?.buffer as ArrayBuffer | undefined)?.detached, true);
  }
  // What rtc-node reads may be kept: texts and data lie in the event's own memory.
  assert.equal(
    (event({ message: { case: 'roomEvent', value: { roomHandle: 1n } } } as never).buffer as ArrayBuffer).detached,
    false,
  );
});

test('frames that the native queue refused are counted where they came from', { skip }, () => {
  const native = fakeNative(ordinary);
  let rejected = 0;
  const capture = native.client.captureId(() => rejected++);
  native.send({ message: { case: 'captureAudioFrame', value: { asyncId: capture.id } } });
  native.send({ message: { case: 'captureAudioFrame', value: { asyncId: capture.id, error: 'InvalidState' } } });
  capture.release();
  native.send({ message: { case: 'captureAudioFrame', value: { asyncId: capture.id, error: 'InvalidState' } } });
  assert.equal(rejected, 1);
  assert.equal(native.client.counts.rejectedFrames, 2);
});

test('garbage from the library and a sink that throws do not get out', { skip }, () => {
  const native = fakeNative(ordinary);
  native.client.listen(
    5n,
    () => {
      throw new Error('sink');
    },
    () => {},
  );
  native.emit(Uint8Array.of(0x22, 0xff, 0xff, 0xff));
  native.emit(Uint8Array.of(0xff, 0xff, 0xff));
  native.emit(new Uint8Array(0));
  native.send({
    message: {
      case: 'audioStreamEvent',
      value: {
        streamHandle: 5n,
        message: {
          case: 'frameReceived',
          value: {
            frame: {
              handle: { id: 1n },
              info: { dataPtr: 1n, numChannels: 1, sampleRate: 16_000, samplesPerChannel: 160 },
            },
          },
        },
      },
    },
  });
  assert.ok(native.client.counts.listenerErrors >= 1);
  assert.deepEqual(native.disposed, [1n]);
});
