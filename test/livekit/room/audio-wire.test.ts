// The messages that we read and write by hand, against LiveKit's own protobuf code; and messages that are none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AUDIO_EVENT_TAG,
  CAPTURED_EVENT_TAG,
  captureRequest,
  emptyAudioEvent,
  LOGS_EVENT_TAGS,
  readAudioEvent,
  readCaptured,
} from '../../../src/livekit/room/audio-wire.ts';
import { nativeModules } from './native-modules.ts';

const modules = await nativeModules();
const { skip } = modules;
const id = fc.bigInt({ min: 1n, max: 2n ** 53n - 1n });

function proto() {
  if (modules.skip !== false) throw new Error(modules.skip);
  return modules.bindings;
}

test('audio events are read as protobuf reads them', { skip }, () => {
  const { FfiEvent } = proto();
  fc.assert(
    fc.property(
      id,
      id,
      id,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 96_000 }),
      (stream, handle, address, channels, samples) => {
        const info = { dataPtr: address, numChannels: channels, sampleRate: 16_000, samplesPerChannel: samples };
        const bytes = new FfiEvent({
          message: {
            case: 'audioStreamEvent',
            value: {
              streamHandle: stream,
              message: { case: 'frameReceived', value: { frame: { handle: { id: handle }, info } } },
            },
          },
        }).toBinary();
        assert.equal(bytes[0], AUDIO_EVENT_TAG);
        assert.deepEqual(readAudioEvent(bytes, emptyAudioEvent()), {
          stream: Number(stream),
          kind: 'frame',
          frameHandle: Number(handle),
          address: Number(address),
          channels,
          samples,
        });
      },
    ),
    { seed: 20_263 },
  );
  const end = new FfiEvent({
    message: { case: 'audioStreamEvent', value: { streamHandle: 7n, message: { case: 'eos', value: {} } } },
  }).toBinary();
  const event = readAudioEvent(end, emptyAudioEvent());
  assert.deepEqual([event.stream, event.kind], [7, 'end']);
});

test('answers to captures are read, failed or not; log records are recognized', { skip }, () => {
  const { FfiEvent } = proto();
  const into = { id: 0, failed: false };
  for (const error of [undefined, 'InvalidState', '']) {
    const bytes = new FfiEvent({
      message: {
        case: 'captureAudioFrame',
        value: { asyncId: 2n ** 40n + 5n, ...(error === undefined ? {} : { error }) },
      },
    }).toBinary();
    assert.equal(bytes[0], CAPTURED_EVENT_TAG);
    readCaptured(bytes, into);
    assert.deepEqual(into, { id: 2 ** 40 + 5, failed: error !== undefined });
  }
  const logs = new FfiEvent({ message: { case: 'logs', value: { records: [] } } }).toBinary();
  assert.deepEqual([logs[0], logs[1]], [...LOGS_EVENT_TAGS]);
});

test('capture requests are what protobuf would write', { skip }, () => {
  const { FfiRequest } = proto();
  fc.assert(
    fc.property(id, id, id, fc.integer({ min: 1, max: 4800 }), (source, address, asyncId, samples) => {
      const bytes = captureRequest({ source, address, sampleRateHz: 24_000, samples, id: asyncId });
      const { message } = FfiRequest.fromBinary(bytes);
      assert.equal(message.case, 'captureAudioFrame');
      if (message.case !== 'captureAudioFrame') return;
      assert.equal(message.value.sourceHandle, source);
      assert.equal(message.value.requestAsyncId, asyncId);
      assert.deepEqual(
        { ...message.value.buffer },
        {
          dataPtr: address,
          numChannels: 1,
          sampleRate: 24_000,
          samplesPerChannel: samples,
        },
      );
    }),
    { seed: 20_264 },
  );
});

test('garbage and cut messages are read to an end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
      const bytes = Uint8Array.from([AUDIO_EVENT_TAG, ...garbage]);
      const event = readAudioEvent(bytes, emptyAudioEvent());
      assert.ok(event.samples >= 0);
      readCaptured(bytes, { id: 0, failed: false });
    }),
    { numRuns: 2000, seed: 20_265 },
  );
});
