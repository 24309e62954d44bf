// The jitter buffer against a model that only keeps a set of what has come, on 100,000 packets of random networks. SYRINX_SEED=N tries others.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { JitterBuffer } from '../../src/session/listen/jitter-buffer.ts';
import { type NetworkOptions, SimulatedNetwork } from '../../src/transports/file/network.ts';
import { seeded } from '../audio/signals.ts';

const SEED = Number(process.env['SYRINX_SEED'] ?? 20_261_129);
const HZ = 16_000;
const PACKET = 320;
const PACKET_MS = 20;
const PACKETS = 1000;
const NETWORKS = 100;
/** The deepest wait and the grace of a hole, and the 5 ms after it in which the real thing comes in. */
const MOST_WAIT_MS = 200 + 10;
const REJOIN = HZ / 200;

/** Whole numbers whose like does not come again for 65,536 samples: a sample tells where it belongs. */
const SENT = Int16Array.from({ length: PACKET * PACKETS }, (_, i) => (Math.imul(i + 1, 40_503) << 16) >> 16);

function randomNetwork(random: () => number): NetworkOptions {
  const some = (share: number, most: number) => (random() < share ? random() * most : 0);
  return {
    lossPercent: some(0.7, 20),
    burst: 1 + some(0.5, 9),
    jitterMs: some(0.7, 150),
    reorderPercent: some(0.6, 20),
    duplicatePercent: some(0.5, 10),
    driftPpm: some(0.5, 300) * (random() < 0.5 ? 1 : -1),
    seed: Math.floor(random() * 2 ** 32),
  };
}

function run(options: NetworkOptions, what: string): number {
  const network = new SimulatedNetwork(options);
  const arrivals: { readonly atMs: number; readonly index: number }[] = [];
  const sentMs = (index: number) => network.hostMs((index + 1) * PACKET_MS);
  for (let index = 0; index < PACKETS; index++)
    for (const delayMs of network.next(PACKET_MS)) arrivals.push({ atMs: sentMs(index) + delayMs, index });
  arrivals.sort((a, b) => a.atMs - b.atMs);

  /** By the model: what has come, and in time. */
  const came = new Set<number>();
  const inTime = new Set<number>();
  const expected = { duplicates: 0, reordered: 0, late: 0 };
  let newest = -1;
  let end = 0;
  let made = 0;
  let rejoinUntil = 0;
  let pauses = 0;
  const buffer = new JitterBuffer(HZ, {
    packet(bytes, position, nowMs) {
      const samples = new Int16Array(bytes.slice().buffer);
      if (position < end) assert.fail(`${what}: ${position} after ${end} had gone out`);
      if (position > end) rejoinUntil = position + REJOIN;
      // So long a burst of losses is taken for a pause of the sender.
      if (position - end > HZ) pauses += position - end;
      end = position + samples.length;
      const index = Math.floor(position / PACKET);
      assert.equal(Math.floor((end - 1) / PACKET), index, `${what}: packets are passed on one by one`);
      if (!inTime.has(index)) {
        made += samples.length;
        rejoinUntil = end + REJOIN;
        return;
      }
      const at = samples.findIndex((s, i) => position + i >= rejoinUntil && s !== SENT[position + i]);
      if (at >= 0) assert.fail(`${what}: sample ${position + at} is ${samples[at]}, sent ${SENT[position + at]}`);
      // Whatever is missing before it: nothing waits longer than for the deepest depth.
      const waitedMs = nowMs - sentMs(index) - options.jitterMs;
      if (waitedMs > MOST_WAIT_MS + 2.2 * PACKET_MS) assert.fail(`${what}: packet ${index} waited ${waitedMs} ms`);
    },
  });
  const bytes = new Uint8Array(SENT.buffer);
  for (const { atMs, index } of arrivals) {
    while (buffer.wakeMs <= atMs) buffer.advance(buffer.wakeMs);
    // Given up is what lies before the end of what went out, and before a hole that was passed over.
    const gone = (buffer.counters.received + buffer.counters.lost - waiting(came, inTime, end)) / PACKET;
    if (came.has(index) && (inTime.has(index) || index >= gone)) expected.duplicates++;
    else if (index < gone) expected.late += PACKET;
    else {
      inTime.add(index);
      if (index < newest) expected.reordered++;
    }
    came.add(index);
    newest = Math.max(newest, index);
    buffer.packet(bytes.subarray(index * PACKET * 2, (index + 1) * PACKET * 2), index * PACKET, atMs);
  }
  while (buffer.wakeMs < Infinity) buffer.advance(buffer.wakeMs);
  const { counters } = buffer;
  const { duplicates, reordered, late } = counters;
  assert.deepEqual({ duplicates, reordered, late }, expected, what);
  assert.equal(counters.received, inTime.size * PACKET, what);
  assert.equal(counters.concealed, made, what);
  assert.equal(
    counters.received + counters.lost + pauses,
    (newest + 1) * PACKET,
    `${what}: every sample is one or the other`,
  );
  return PACKETS;
}

/** Samples that have come in time and not gone out yet. */
function waiting(came: ReadonlySet<number>, inTime: ReadonlySet<number>, end: number): number {
  let packets = 0;
  for (let index = Math.ceil(end / PACKET); packets < 100 && index < end / PACKET + 100; index++)
    if (came.has(index) && inTime.has(index)) packets++;
  return packets * PACKET;
}

test(`${NETWORKS * PACKETS} packets of ${NETWORKS} networks`, (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  let packets = 0;
  for (let i = 0; i < NETWORKS; i++) {
    const options = randomNetwork(random);
    packets += run(options, `seed ${SEED}, network ${i} ${JSON.stringify(options)}`);
  }
  assert.ok(packets >= 100_000);
});
