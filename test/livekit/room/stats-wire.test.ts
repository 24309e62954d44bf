// Statistics that we read by hand, against LiveKit's own protobuf code; the figures of a line from either are the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConnectionQuality } from '../../../src/livekit/room/connection-quality.ts';
import { readStats, STATS_EVENT_TAGS, statsAsyncId, statsRequest } from '../../../src/livekit/room/stats-wire.ts';
import { nativeModules } from './native-modules.ts';

const modules = await nativeModules();
const { skip } = modules;
function proto() {
  if (modules.skip !== false) throw new Error(modules.skip);
  return modules.bindings;
}

const big = (n: number) => BigInt(Math.round(n));
const rtc = (id: string) => ({ id, timestamp: 1_795_898_615_243n });
/** As the library tells them: every field of every case. */
function entries(scale: number, lost: number, relay: boolean) {
  const stream = { ssrc: 7, kind: 'audio', transportId: 'T01', codecId: 'COT01_111' };
  const received = { packetsReceived: big(50 * scale), packetsLost: big(lost), jitter: 0.004 * scale };
  const inbound = {
    ...{ trackIdentifier: 'TR_x', mid: '0', remoteId: '', bytesReceived: big(4000 * scale), packetsDiscarded: 391n },
    ...{ jitterBufferDelay: 2.25 * scale, jitterBufferEmittedCount: big(480 * scale), decoderImplementation: '' },
    ...{
      totalSamplesReceived: big(48_000 * scale),
      concealedSamples: big(480 * scale),
      playoutId: '',
      audioLevel: 0.5,
    },
  };
  const candidate = (id: string, type: number) => ({
    rtc: rtc(id),
    candidate: { transportId: 'T01', address: '127.0.0.1', port: 50_000, protocol: 'udp', candidateType: type },
  });
  const sent = { packetsSent: big(50 * scale), bytesSent: big(3000 * scale) };
  return [
    ['codec', { rtc: rtc('C'), codec: { payloadType: 111, mimeType: 'audio/opus', sdpFmtpLine: 'usedtx=1' } }],
    ['inboundRtp', { rtc: rtc('IT01'), stream, received, inbound }],
    [
      'outboundRtp',
      { rtc: rtc('OT01'), stream, sent, outbound: { mid: '1', qualityLimitationDurations: { none: 12.5 } } },
    ],
    ['remoteInboundRtp', { rtc: rtc('R'), stream, received, remoteInbound: { localId: 'OT01', roundTripTime: 0.02 } }],
    ['transport', { rtc: rtc('T01'), transport: { packetsSent: 3n, selectedCandidatePairId: 'CP' } }],
    [
      'candidatePair',
      {
        rtc: rtc('CP'),
        candidatePair: {
          ...{ transportId: 'T01', localCandidateId: 'IA', remoteCandidateId: 'IB', nominated: true, state: 3 },
          ...{ packetsReceived: big(60 * scale), totalRoundTripTime: 0.5, responsesReceived: 10n },
        },
      },
    ],
    ['localCandidate', candidate('IA', relay ? 3 : 0)],
    ['remoteCandidate', candidate('IB', 0)],
    ['localCandidate', candidate('IC', 3)],
  ] as const;
}

interface Field {
  readonly localName: string;
  readonly kind: 'scalar' | 'message' | 'enum' | 'map';
  readonly T: unknown;
  readonly req: boolean;
}
interface MessageType {
  new (value: object): { toBinary(): Uint8Array };
  readonly fields: { list(): readonly Field[] };
}
const [INT64, UINT64, BOOL, STRING] = [3, 4, 8, 9];

/** A message of which every field is there, as the library writes it. */
function whole(type: MessageType, given: Readonly<Record<string, unknown>>): object {
  const value: Record<string, unknown> = { ...given };
  for (const { localName, kind, T, req } of type.fields.list()) {
    const own = value[localName];
    if (kind === 'message' && (own !== undefined || req))
      value[localName] = whole(T as MessageType, (own ?? {}) as never);
    else if (own !== undefined || !req) continue;
    else if (T === STRING) value[localName] = '';
    else if (T === BOOL) value[localName] = false;
    else value[localName] = T === INT64 || T === UINT64 ? 0n : 0;
  }
  return new type(value);
}

function event(asyncId: bigint, list: ReturnType<typeof entries>): Uint8Array {
  const { FfiEvent, RtcStats } = proto() as unknown as Record<'FfiEvent' | 'RtcStats', MessageType>;
  const types = new Map(RtcStats.fields.list().map((f) => [f.localName, f.T as MessageType]));
  const all = list.map(
    ([name, value]) => new RtcStats({ stats: { case: name, value: whole(types.get(name) as MessageType, value) } }),
  );
  const value = {
    asyncId,
    message: { case: 'result', value: { publisherStats: all.slice(0, 5), subscriberStats: all.slice(5) } },
  };
  return new FfiEvent({ message: { case: 'getSessionStats', value } }).toBinary();
}

/** What rtc-node would have made of it. */
function decoded(message: Uint8Array) {
  const { value } = proto().FfiEvent.fromBinary(message).message as unknown as {
    value: { message: { value: { publisherStats: { stats: never }[]; subscriberStats: { stats: never }[] } } };
  };
  const { publisherStats, subscriberStats } = value.message.value;
  return [...publisherStats, ...subscriberStats].map((s) => s.stats);
}

test('figures from what we read are those from what protobuf reads', { skip }, () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: -500, max: 500 }),
      fc.boolean(),
      (id, scale, lost, relay) => {
        const [mine, theirs] = [new ConnectionQuality(), new ConnectionQuality()];
        for (const [n, add] of [0, 1].entries()) {
          const message = event(id, entries(scale + add, lost + add, relay));
          assert.deepEqual([message[0], message[1]], STATS_EVENT_TAGS);
          assert.equal(statsAsyncId(message), Number(id));
          const read = readStats(message);
          assert.ok(read);
          const sample = mine.sample(read, n * 1000);
          assert.deepEqual(sample, theirs.sample(decoded(message), n * 1000));
          assert.equal(sample.route, relay ? 'relay' : 'direct');
        }
      },
    ),
    { numRuns: 40, seed: 20_263 },
  );
});

test('an answer that is an error, and garbage, are read to an end', { skip }, () => {
  const { FfiEvent } = proto();
  const value = { asyncId: 9n, message: { case: 'error', value: 'not connected' } };
  const error = new FfiEvent({ message: { case: 'getSessionStats', value } } as never).toBinary();
  assert.equal(statsAsyncId(error), 9);
  assert.equal(readStats(error), null);
  const all = event(9n, entries(3, 1, false));
  for (let length = 2; length < all.length; length += 7) readStats(all.subarray(0, length));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
      const message = Uint8Array.of(...STATS_EVENT_TAGS, ...tail);
      const read = readStats(message);
      return read === null || read.length <= tail.length;
    }),
    { seed: 20_263 },
  );
});

test('the request is what protobuf would write', { skip }, () => {
  const { FfiRequest } = proto();
  const value = { roomHandle: 123_456n, requestAsyncId: 2n ** 40n + 5n };
  const expected = new FfiRequest({ message: { case: 'getSessionStats', value } } as never).toBinary();
  assert.deepEqual([...statsRequest(123_456n, 2n ** 40n + 5n)], [...expected]);
});
