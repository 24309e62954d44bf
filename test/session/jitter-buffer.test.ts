// The jitter buffer: order, waiting, doubles, late and early packets, holes and their counters, depth, drift, no allocation.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { JitterBuffer } from '../../src/session/listen/jitter-buffer.ts';
import { seeded } from '../audio/signals.ts';

const HZ = 16_000;
const PACKET = 320;

/** A buffer, what came out of it, and packets of a known tone to put in. */
function line(rateHz = HZ) {
  const out = new Int16Array(rateHz * 20);
  const passed: { readonly position: number; readonly samples: number; readonly nowMs: number }[] = [];
  const buffer = new JitterBuffer(rateHz, {
    packet(bytes, position, nowMs) {
      const samples = new Int16Array(bytes.slice().buffer);
      if (position + samples.length <= out.length) out.set(samples, position);
      passed.push({ position, samples: samples.length, nowMs });
    },
  });
  return { buffer, out, passed };
}

const TONE = Int16Array.from({ length: HZ * 20 }, (_, i) => Math.round(8000 * Math.sin((2 * Math.PI * 200 * i) / HZ)));

/** Not by `deepEqual`: its explanation of ten thousand samples takes minutes. */
function same(a: Int16Array, b: Int16Array): void {
  const at = a.findIndex((s, i) => s !== b[i]);
  assert.equal(at, -1, `sample ${at} is ${a[at]} instead of ${b[at]}`);
}

function packetAt(index: number, samples = PACKET): Uint8Array {
  return new Uint8Array(TONE.buffer, index * samples * 2, samples * 2);
}

/** Packet `index` leaves when it is full: 20 ms after its beginning. */
const sentMs = (index: number) => (index + 1) * 20;

test('packets in order pass at once, sample by sample as they came', () => {
  const { buffer, out, passed } = line();
  for (let i = 0; i < 50; i++) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  assert.equal(passed.length, 50);
  assert.ok(passed.every(({ position, nowMs }, i) => position === i * PACKET && nowMs === sentMs(i)));
  same(out.subarray(0, 50 * PACKET), TONE.subarray(0, 50 * PACKET));
  assert.equal(buffer.wakeMs, Infinity);
  assert.deepEqual(
    { ...buffer.counters },
    {
      packets: 50,
      received: 50 * PACKET,
      lost: 0,
      concealed: 0,
      holes: 0,
      late: 0,
      duplicates: 0,
      reordered: 0,
      underruns: 0,
      overruns: 0,
    },
  );
});

test('what was overtaken is put in its place', () => {
  const { buffer, out } = line();
  for (const i of [0, 2, 1, 3, 5, 6, 4, 7]) buffer.packet(packetAt(i), i * PACKET, i < 4 ? 80 : 160);
  same(out.subarray(0, 8 * PACKET), TONE.subarray(0, 8 * PACKET));
  assert.equal(buffer.counters.reordered, 2);
  assert.equal(buffer.counters.lost, 0);
});

test('a packet that comes twice is heard once, at once or later', () => {
  const { buffer, out, passed } = line();
  for (const i of [0, 0, 1, 3, 3, 2, 1, 4]) buffer.packet(packetAt(i), i * PACKET, 100);
  same(out.subarray(0, 5 * PACKET), TONE.subarray(0, 5 * PACKET));
  assert.equal(
    passed.reduce((sum, { samples }) => sum + samples, 0),
    5 * PACKET,
  );
  assert.equal(buffer.counters.duplicates, 3);
  assert.equal(buffer.counters.late, 0);
});

test('a lost packet is waited for, then made up so that nothing jumps', () => {
  const { buffer, out, passed } = line();
  for (let i = 0; i < 10; i++) if (i !== 5) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  // Due 60 ms after it would have come.
  const hole = passed.find(({ position }) => position === 5 * PACKET);
  assert.equal(hole?.nowMs, sentMs(5) + 60);
  assert.equal(buffer.counters.holes, 1);
  assert.equal(buffer.counters.concealed, PACKET);
  let worst = 0;
  for (let i = 4 * PACKET; i < 7 * PACKET; i++) worst = Math.max(worst, Math.abs(out[i + 1]! - out[i]!));
  // The steepest the tone is itself: 8000 * 2 pi 200 / 16000.
  assert.ok(worst < 650, `${worst}`);
  let [error, power] = [0, 0];
  for (let i = 5 * PACKET; i < 6 * PACKET; i++) {
    error += (out[i]! - TONE[i]!) ** 2;
    power += TONE[i]! ** 2;
  }
  assert.ok(error < power / 10, `${error / power}`);
});

test('without anything behind it a hole fades, and after 60 ms it is silence that is not passed on', () => {
  const { buffer, out, passed } = line();
  for (let i = 0; i < 10; i++) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  // 200 ms are missing; the packet after them comes when they are long overdue.
  buffer.packet(packetAt(20), 20 * PACKET, sentMs(20));
  while (buffer.wakeMs < Infinity) buffer.advance(buffer.wakeMs);
  assert.equal(buffer.counters.lost, 10 * PACKET);
  assert.ok(buffer.counters.concealed <= 4 * PACKET && buffer.counters.concealed >= 3 * PACKET);
  assert.equal(buffer.counters.underruns, 1);
  const loud = (from: number) => out.subarray(from, from + PACKET).reduce((max, s) => Math.max(max, Math.abs(s)), 0);
  assert.ok(loud(10 * PACKET) > 6000 && loud(12 * PACKET) < 3600 && loud(14 * PACKET) === 0);
  assert.ok(passed.every(({ position }) => position < 14 * PACKET || position >= 20 * PACKET));
});

test('a packet that comes after it was made up is late, and dropped', () => {
  const { buffer, out } = line();
  for (let i = 0; i < 12; i++) if (i !== 5) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  const before = out.slice();
  buffer.packet(packetAt(5), 5 * PACKET, sentMs(12));
  assert.equal(buffer.counters.late, PACKET);
  same(out, before);
});

test('the wake-up gives a hole up when no packet comes any more', () => {
  const { buffer, passed } = line();
  for (const i of [0, 1, 2, 4]) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  assert.equal(buffer.wakeMs, sentMs(3) + 60);
  buffer.advance(buffer.wakeMs - 0.001);
  assert.equal(passed.length, 3);
  buffer.advance(buffer.wakeMs);
  assert.equal(passed.length, 5);
  assert.equal(buffer.wakeMs, Infinity);
});

test('when this process was held up, what waits outside is let in before a hole is given up', () => {
  const { buffer, out } = line();
  for (const i of [0, 1, 2, 4]) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  // The timer comes half a second late, and then all the packets at once, not quite in order.
  buffer.advance(700);
  assert.equal(buffer.counters.lost, 0);
  assert.equal(buffer.wakeMs, 710);
  for (const i of [5, 3, 7, 6, 9, 8]) buffer.packet(packetAt(i), i * PACKET, 701);
  same(out.subarray(0, 10 * PACKET), TONE.subarray(0, 10 * PACKET));
  assert.equal(buffer.counters.lost, 0);
});

test('the first packet may be late or lost: the line begins at 0', () => {
  const { buffer, out } = line();
  buffer.packet(packetAt(1), PACKET, sentMs(1));
  buffer.packet(packetAt(0), 0, sentMs(1) + 5);
  buffer.packet(packetAt(2), 2 * PACKET, sentMs(2));
  same(out.subarray(0, 3 * PACKET), TONE.subarray(0, 3 * PACKET));
});

test('positions may begin anywhere', () => {
  const { buffer, passed } = line();
  buffer.packet(packetAt(0), 100_000, 20);
  assert.deepEqual(passed, [{ position: 100_000, samples: PACKET, nowMs: 20 }]);
  assert.equal(buffer.counters.lost, 0);
});

test('a packet too far ahead makes the rest go out, and a pause of the sender is no loss', () => {
  const { buffer, passed } = line();
  for (const i of [0, 2]) buffer.packet(packetAt(i), i * PACKET, sentMs(i));
  buffer.packet(packetAt(40), 40 * PACKET, sentMs(3));
  assert.equal(buffer.counters.overruns, 1);
  assert.deepEqual(
    passed.map(({ position }) => position / PACKET),
    [0, 1, 2, 40],
  );
  const lost = buffer.counters.lost;
  buffer.packet(packetAt(400), 400 * PACKET, sentMs(400));
  assert.equal(buffer.counters.lost, lost);
  assert.equal(passed.at(-1)?.position, 400 * PACKET);
});

test('packets of any size, empty and odd ones too, and longer ones than the buffer', () => {
  const { buffer, out, passed } = line();
  const random = seeded(3);
  let at = 0;
  while (at < HZ) {
    const samples = 1 + Math.floor(random() * 1500);
    buffer.packet(new Uint8Array(TONE.buffer, at * 2, samples * 2), at, ((at + samples) * 1000) / HZ);
    at += samples;
  }
  buffer.packet(new Uint8Array(0), at, 1100);
  buffer.packet(new Uint8Array(1), at, 1100);
  same(out.subarray(0, at), TONE.subarray(0, at));
  buffer.packet(new Uint8Array(TONE.buffer, at * 2, HZ * 4), at, 3200);
  same(out.subarray(at, at + HZ * 2), TONE.subarray(at, at + HZ * 2));
  assert.equal(
    passed.reduce((sum, { samples }) => sum + samples, 0),
    at + HZ * 2,
  );
});

test('the depth follows the jitter, up and down, within its bounds', () => {
  const { buffer } = line();
  const random = seeded(8);
  const run = (from: number, jitterMs: number) => {
    for (let i = from; i < from + 600; i++)
      buffer.packet(packetAt(i % 400), i * PACKET, sentMs(i) + random() * jitterMs);
  };
  run(0, 5);
  assert.equal(buffer.depthMs, 60);
  run(600, 120);
  assert.ok(buffer.depthMs > 110 && buffer.depthMs <= 128, `${buffer.depthMs}`);
  run(1200, 1000);
  assert.equal(buffer.depthMs, 200);
  for (let k = 0; k < 12; k++) run(1800 + k * 600, 5);
  assert.ok(buffer.depthMs <= 64, `${buffer.depthMs}`);
});

for (const ppm of [200, -200]) {
  test(`ten minutes of a clock ${ppm} ppm off: not a sample is made up, and nothing gets late`, () => {
    let next = 0;
    let latest = 0;
    const dueMs = (index: number) => sentMs(index) * (1 + ppm / 1e6);
    const buffer = new JitterBuffer(HZ, {
      packet(bytes, position, nowMs) {
        assert.equal(position, next);
        next += bytes.length >> 1;
        latest = Math.max(latest, nowMs - dueMs(position / PACKET));
      },
    });
    const random = seeded(1);
    for (let i = 0; i < 30_000; i++) buffer.packet(packetAt(i % 900), i * PACKET, dueMs(i) + random() * 10);
    assert.equal(buffer.counters.received, 30_000 * PACKET);
    assert.equal(next, 30_000 * PACKET);
    assert.equal(buffer.counters.lost, 0);
    assert.ok(latest <= 10, `${latest}`);
  });
}

test('a packet allocates nothing', () => {
  const buffer = new JitterBuffer(HZ, { packet: () => {} });
  const packets = Array.from({ length: 50 }, (_, i) => packetAt(i).slice());
  let index = 0;
  const run = (count: number) => {
    for (let k = 0; k < count; k++, index++) {
      // One in ten is lost, and each seventh overtaken.
      if (index % 10 === 3) continue;
      const i = index % 7 === 0 ? index + 1 : index % 7 === 1 ? index - 1 : index;
      buffer.packet(packets[i % 50]!, i * PACKET, sentMs(index));
    }
  };
  run(40_000);
  const changes = Array.from({ length: 11 }, () => {
    const before = process.memoryUsage().heapUsed;
    run(1000);
    return Math.abs(process.memoryUsage().heapUsed - before);
  });
  const median = changes.sort((a, b) => a - b)[5]!;
  // 1,000 boxed numbers would be 16 kB.
  assert.ok(median < 12_000, `${changes} bytes in 1,000 packets`);
  assert.ok(buffer.counters.holes > 1000);
});
