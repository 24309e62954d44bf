// A line's figures from statistics: differences, rates, and "not measured" where there is nothing to measure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatsEntry } from '../../../src/livekit/room/connection.ts';
import { ConnectionQuality } from '../../../src/livekit/room/connection-quality.ts';

interface Counters {
  packetsIn?: number;
  lostIn?: number;
  bytesIn?: number;
  concealed?: number;
  samples?: number;
  bufferDelay?: number;
  buffered?: number;
  packetsOut?: number;
  bytesOut?: number;
  lostOut?: number;
  rtt?: number;
  traffic?: number;
}

function entries(c: Counters): StatsEntry[] {
  return [
    {
      case: 'inboundRtp',
      value: {
        received: { packetsReceived: BigInt(c.packetsIn ?? 0), packetsLost: BigInt(c.lostIn ?? 0), jitter: 0.004 },
        inbound: {
          bytesReceived: BigInt(c.bytesIn ?? 0),
          concealedSamples: BigInt(c.concealed ?? 0),
          totalSamplesReceived: BigInt(c.samples ?? 0),
          jitterBufferDelay: c.bufferDelay ?? 0,
          jitterBufferEmittedCount: BigInt(c.buffered ?? 0),
        },
      },
    },
    {
      case: 'outboundRtp',
      value: { sent: { packetsSent: BigInt(c.packetsOut ?? 0), bytesSent: BigInt(c.bytesOut ?? 0) } },
    },
    {
      case: 'remoteInboundRtp',
      value: {
        received: { packetsLost: BigInt(c.lostOut ?? 0), jitter: 0.002 },
        remoteInbound: { roundTripTime: c.rtt ?? 0 },
      },
    },
    {
      case: 'candidatePair',
      value: {
        candidatePair: {
          nominated: true,
          localCandidateId: 'L',
          remoteCandidateId: 'R',
          packetsReceived: BigInt(c.traffic ?? 0),
          currentRoundTripTime: 0,
          totalRoundTripTime: 0.006,
          responsesReceived: 3n,
        },
      },
    },
    { case: 'localCandidate', value: { rtc: { id: 'L' }, candidate: { candidateType: 3 } } },
    { case: 'localCandidate', value: { rtc: { id: 'unused' }, candidate: { candidateType: 3 } } },
    { case: 'remoteCandidate', value: { rtc: { id: 'R' }, candidate: { candidateType: 0 } } },
  ];
}

test('the first poll knows what needs no comparison, the second the rest', () => {
  const quality = new ConnectionQuality();
  const first = quality.sample(entries({ packetsIn: 100, rtt: 0.03 }), 1000);
  assert.equal(first.rttMs, 30);
  assert.equal(first.jitterInMs, 4);
  assert.equal(first.jitterOutMs, 2);
  assert.equal(first.route, 'relay');
  for (const name of ['lossIn', 'lossOut', 'concealed', 'jitterBufferMs', 'bitrateInBps', 'bitrateOutBps'] as const)
    assert.equal(first[name], null, name);
  const second = quality.sample(
    entries({
      packetsIn: 145,
      lostIn: 5,
      bytesIn: 4000,
      concealed: 480,
      samples: 48_000,
      bufferDelay: 1920,
      buffered: 48_000,
      packetsOut: 50,
      bytesOut: 6000,
      lostOut: 1,
    }),
    2000,
  );
  assert.equal(second.lossIn, 0.1);
  assert.equal(second.lossOut, 0.02);
  assert.equal(second.concealed, 0.01);
  assert.equal(second.jitterBufferMs, 40);
  assert.equal(second.bitrateInBps, 32_000);
  assert.equal(second.bitrateOutBps, 48_000);
  assert.equal(second.rttMs, 2, 'the mean of the connectivity checks, where media reports round to 0');
});

test('counters that fall begin a new series', () => {
  const quality = new ConnectionQuality();
  quality.sample(entries({ packetsIn: 1000, bytesIn: 9000 }), 1000);
  const after = quality.sample(entries({ packetsIn: 10, bytesIn: 900 }), 2000);
  assert.equal(after.bitrateInBps, null);
  assert.equal(after.lossIn, null);
  assert.equal(quality.sample(entries({ packetsIn: 20, bytesIn: 1900 }), 3000).bitrateInBps, 8000);
});

test('nothing at all: everything is unknown, and nothing is called silent', () => {
  const quality = new ConnectionQuality();
  quality.sample([], 1000);
  const sample = quality.sample(
    [{ case: undefined }, { case: 'inboundRtp' }, { case: 'candidatePair', value: {} }],
    9000,
  );
  for (const [name, value] of Object.entries(sample))
    if (!['atMs', 'silentMs', 'callerSilentMs'].includes(name)) assert.equal(value, null, name);
  assert.equal(sample.silentMs, 0);
});

test('silence of the line and of the caller are two things', () => {
  const quality = new ConnectionQuality();
  quality.sample(entries({ packetsIn: 1, traffic: 1 }), 1000);
  const quiet = quality.sample(entries({ packetsIn: 1, traffic: 5 }), 4000);
  assert.deepEqual([quiet.silentMs, quiet.callerSilentMs], [0, 3000]);
  const frozen = quality.sample(entries({ packetsIn: 1, traffic: 5 }), 7000);
  assert.deepEqual([frozen.silentMs, frozen.callerSilentMs], [3000, 6000]);
  quality.reset();
  assert.equal(quality.sample(entries({ packetsIn: 1, traffic: 5 }), 8000).silentMs, 0);
});
