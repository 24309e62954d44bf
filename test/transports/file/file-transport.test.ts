// The file transport behind a bad network, on a clock of its own: what is sent when, in which order, and that a hold-up changes neither.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTransport } from '../../../src/transports/file/file-transport.ts';
import { parseNetwork } from '../../../src/transports/file/network.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Runs a call over a second of sound; from `stallMs` on the clock jumps by 300 ms, and timers that are due come in any order. */
function run(network: string | undefined, stallMs = Infinity) {
  const caller = Int16Array.from({ length: 16_000 }, (_, i) => i);
  const arrived: { readonly atMs: number; readonly position: number; readonly first: number }[] = [];
  let nowMs = 0;
  let closed = false;
  const timers: Timer[] = [];
  const line = new FileTransport({
    caller,
    inputRateHz: 16_000,
    outputRateHz: 16_000,
    clock: {
      now: () => nowMs,
      setTimer(runIt, delayMs) {
        const timer = { atMs: nowMs + delayMs, run: runIt };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    },
    input: {
      audio: (packet, position) =>
        arrived.push({ atMs: nowMs, position, first: (packet[0] as number) | ((packet[1] as number) << 8) }),
      played() {},
      text() {},
      dtmf() {},
      close() {
        closed = true;
        line.close();
      },
    },
    network: network === undefined ? undefined : parseNetwork(network),
    quietMs: 100,
  });
  while (!closed && timers.length > 0) {
    const nextMs = Math.min(...timers.map(({ atMs }) => atMs));
    nowMs = Math.max(nowMs, nextMs >= stallMs && nowMs < stallMs ? nextMs + 300 : nextMs);
    // The newest timer of those that are due: some hosts do so after a hold-up.
    const due = timers.findLastIndex(({ atMs }) => atMs <= nowMs);
    const [timer] = timers.splice(due, 1);
    timer?.run();
  }
  return arrived;
}

test('without a network packets come full and in order, every 20 ms', () => {
  const packets = run(undefined);
  assert.ok(packets.length >= 50);
  packets.slice(0, 50).forEach(({ atMs, position, first }, i) => {
    assert.deepEqual([atMs, position, first], [(i + 1) * 20, i * 320, i * 320]);
  });
});

test('a network delays, drops and doubles; each packet keeps its position and its samples', () => {
  const packets = run('loss=20,jitter=50,duplicate=10,seed=2').filter(({ position }) => position < 16_000);
  const positions = new Set(packets.map(({ position }) => position));
  assert.ok(positions.size < 50 && positions.size > 30, `${positions.size}`);
  assert.ok(packets.length > positions.size);
  assert.ok(packets.every(({ position, first }) => first === position));
  assert.ok(packets.every(({ atMs, position }) => atMs >= position / 16 + 20 - 1));
  assert.ok(packets.some(({ position }, i) => i > 0 && position < (packets[i - 1]?.position ?? 0)));
  assert.deepEqual(run('loss=20,jitter=50,duplicate=10,seed=2'), run('loss=20,jitter=50,duplicate=10,seed=2'));
});

test('after a hold-up packets arrive in the order of the network, and none is forgotten', () => {
  const network = 'jitter=15,seed=5';
  const order = (packets: readonly { readonly position: number }[]) =>
    packets.map(({ position }) => position).filter((position) => position < 16_000);
  const calm = order(run(network));
  assert.equal(calm.length, 50);
  // 15 ms of jitter never overtake: before and after the hold-up the order is that of the positions.
  assert.deepEqual(order(run(network, 400)), calm);
});

test("the sender's clock may run slow", () => {
  const packets = run('drift=5000').filter(({ position }) => position < 16_000);
  assert.equal(Math.round(packets.at(-1)?.atMs ?? 0), 1005);
});
