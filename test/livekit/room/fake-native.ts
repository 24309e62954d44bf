// A native library that a test plays, under the demultiplexed client and rtc-node's real objects.
import type { FfiEvent, FfiRequest } from '@livekit/rtc-ffi-bindings';
import { NativeClient } from '../../../src/livekit/room/native-client.ts';
import { nativeModules } from './native-modules.ts';

export const modules = await nativeModules();

export type Answer = ConstructorParameters<typeof import('@livekit/rtc-ffi-bindings').FfiResponse>[0];

/** A native library that answers requests by `answer` and sends events when told. Takes the place of the process's client. */
export function fakeNative(answer: (request: NonNullable<FfiRequest['message']>, count: bigint) => Answer) {
  if (modules.skip !== false) throw new Error(modules.skip);
  const { bindings } = modules;
  let emit: (bytes: Uint8Array) => void = () => {};
  let count = 100n;
  const requests: FfiRequest['message'][] = [];
  const disposed: bigint[] = [];
  const started: unknown[] = [];
  class Handle {
    readonly handle: bigint;
    constructor(id: bigint) {
      this.handle = id;
    }
    dispose() {
      disposed.push(this.handle);
    }
  }
  const client = new NativeClient(
    {
      livekitInitialize: (callback, captureLogs, version) => {
        emit = callback;
        started.push(captureLogs, version);
      },
      livekitFfiRequest: (bytes) => {
        const { message } = bindings.FfiRequest.fromBinary(bytes);
        requests.push(message);
        return new bindings.FfiResponse(answer(message, ++count)).toBinary();
      },
      livekitCopyBuffer: (address, length) => new Uint8Array(length).fill(Number(address)),
      livekitRetrievePtr: () => 4096n,
      FfiHandle: Handle,
      FfiEvent: bindings.FfiEvent,
      FfiRequest: bindings.FfiRequest as never,
      FfiResponse: bindings.FfiResponse,
    },
    'test',
  );
  Reflect.set(globalThis, '_ffiClientInstance', client);
  const send = (message: ConstructorParameters<typeof FfiEvent>[0]) => emit(new bindings.FfiEvent(message).toBinary());
  return { client, send, emit: (bytes: Uint8Array) => emit(bytes), requests, disposed, started };
}

export const participant = (identity: string, id: bigint) => ({
  handle: { id },
  info: {
    sid: `PA_${identity}`,
    name: '',
    identity,
    metadata: '',
    attributes: {},
    state: 0,
    kind: 0,
    disconnectReason: 0,
    kindDetails: [],
    joinedAt: 0n,
    clientProtocol: 0,
  },
});

export const roomInfo = (name: string) => ({
  name,
  metadata: '',
  lossyDcBufferedAmountLowThreshold: 0n,
  reliableDcBufferedAmountLowThreshold: 0n,
  emptyTimeout: 0,
  departureTimeout: 0,
  maxParticipants: 0,
  creationTime: 0n,
  numParticipants: 0,
  numPublishers: 0,
  activeRecording: false,
});
