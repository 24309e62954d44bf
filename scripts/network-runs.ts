// Recorded voice through simulated networks: into our jitter buffer, and into a fixed one with silence where nothing is (the control).
import { JitterBuffer } from '../src/session/listen/jitter-buffer.ts';
import { type NetworkOptions, QUIET_NETWORK, SimulatedNetwork } from '../src/transports/file/network.ts';

const PACKET_MS = 20;
const RATE_HZ = 16_000;
const PACKET = (RATE_HZ * PACKET_MS) / 1000;

export interface NetworkCase {
  readonly name: string;
  readonly network: NetworkOptions;
}

export const CASES: readonly NetworkCase[] = [
  ...[0, 1, 3, 5, 10].map((lossPercent) => ({ lossPercent, burst: 2 })),
  ...[20, 40, 80].map((jitterMs) => ({ jitterMs })),
  { lossPercent: 5, jitterMs: 40 },
  { lossPercent: 10, jitterMs: 80 },
  { lossPercent: 5, burst: 5 },
  { reorderPercent: 5 },
  { reorderPercent: 5, lossPercent: 3, jitterMs: 20, duplicatePercent: 2 },
  { driftPpm: 200, jitterMs: 20 },
  { driftPpm: -200, jitterMs: 20 },
  { driftPpm: 200, lossPercent: 5, jitterMs: 40, reorderPercent: 5 },
].map((some, i) => ({ name: nameOf(some), network: { ...QUIET_NETWORK, ...some, seed: 100 + i } }));

function nameOf(some: Partial<NetworkOptions>): string {
  const parts = Object.entries({
    loss: some.lossPercent,
    burst: some.burst,
    jitter: some.jitterMs,
    reorder: some.reorderPercent,
    duplicate: some.duplicatePercent,
    drift: some.driftPpm,
  }).filter(([, value]) => value !== undefined);
  return parts.map(([key, value]) => `${key}=${value}`).join(' ');
}

export interface NetworkRun {
  readonly samples: Int16Array;
  /** Mean and 95th percentile of the time from when the fastest packet would have come to when the sample was passed on, ms. */
  readonly delayMs: number;
  readonly delayP95Ms: number;
  /** Share of the samples that were made up or silent. */
  readonly missing: number;
  readonly counters?: JitterBuffer['counters'] | undefined;
  readonly depthMs?: number | undefined;
}

interface Arrival {
  readonly atMs: number;
  readonly position: number;
}

function arrivals(pcm: Int16Array, options: NetworkOptions): Arrival[] {
  const network = new SimulatedNetwork(options);
  const list: Arrival[] = [];
  for (let position = 0; position + PACKET <= pcm.length; position += PACKET) {
    const sentMs = network.hostMs(((position + PACKET) * 1000) / RATE_HZ);
    for (const delay of network.next(PACKET_MS)) list.push({ atMs: sentMs + delay, position });
  }
  return list.sort((a, b) => a.atMs - b.atMs);
}

export function throughJitterBuffer(pcm: Int16Array, options: NetworkOptions): NetworkRun {
  const network = new SimulatedNetwork(options);
  const out = new Int16Array(pcm.length);
  const delays: number[] = [];
  const buffer = new JitterBuffer(RATE_HZ, {
    packet(bytes, position, nowMs) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const samples = bytes.length >> 1;
      for (let i = 0; i < samples; i++) out[position + i] = view.getInt16(i * 2, true);
      // Against the end of its packet, as packets leave when they are full.
      const end = Math.ceil((position + samples) / PACKET) * PACKET;
      for (let i = 0; i < samples; i += 16) delays.push(nowMs - network.hostMs((end * 1000) / RATE_HZ));
    },
  });
  const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  for (const { atMs, position } of arrivals(pcm, options)) {
    while (buffer.wakeMs <= atMs) buffer.advance(buffer.wakeMs);
    buffer.packet(bytes.subarray(position * 2, (position + PACKET) * 2), position, atMs);
  }
  while (buffer.wakeMs < Infinity) buffer.advance(buffer.wakeMs);
  return {
    samples: out,
    ...summary(delays),
    missing: buffer.counters.lost / pcm.length,
    counters: buffer.counters,
    depthMs: buffer.depthMs,
  };
}

/** Plays each packet `depthMs` after the fastest would have come, and silence where it is not there; follows its own clock, not the sender's. */
export function throughFixedBuffer(pcm: Int16Array, options: NetworkOptions, depthMs: number): NetworkRun {
  const out = new Int16Array(pcm.length);
  let there = 0;
  for (const { atMs, position } of arrivals(pcm, options)) {
    const playMs = ((position + PACKET) * 1000) / RATE_HZ + depthMs;
    if (atMs > playMs || out.subarray(position, position + PACKET).some((s) => s !== 0)) continue;
    out.set(pcm.subarray(position, position + PACKET), position);
    there += PACKET;
  }
  return {
    samples: out,
    delayMs: depthMs,
    delayP95Ms: depthMs,
    missing: 1 - there / (pcm.length - (pcm.length % PACKET)),
  };
}

function summary(delays: number[]): { delayMs: number; delayP95Ms: number } {
  const sorted = Float64Array.from(delays).sort();
  const sum = sorted.reduce((a, b) => a + b, 0);
  return { delayMs: sum / sorted.length, delayP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN };
}
