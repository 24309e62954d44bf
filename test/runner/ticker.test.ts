// The one clock of all calls: its rhythm, its spread, and what late or broken ticks do to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTicker } from '../../src/runner/ticker.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

test('every 20 ms, spread over the period, and no timer while nobody listens', async () => {
  const time = new VirtualTime();
  const ticker = createTicker(time);
  const ticks: number[][] = [[], [], [], []];
  const stops = ticks.map((list) => ticker.add((nowMs) => list.push(nowMs)));
  assert.equal(ticker.size, 4);
  await time.runTo(1000);
  const phases = ticks.map((list) => (list[0] ?? -1) % 20);
  assert.deepEqual(
    [...phases].sort((a, b) => a - b),
    [0, 5, 10, 15],
  );
  for (const list of ticks) {
    assert.ok(list.length >= 49);
    assert.ok(list.every((t, i) => i === 0 || t - (list[i - 1] ?? 0) === 20));
  }
  for (const stop of stops) stop();
  assert.deepEqual([ticker.size, time.pending], [0, 0]);
  stops[0]?.();
  const late = ticker.add(() => {});
  assert.equal(time.pending, 1);
  late();
  assert.equal(time.pending, 0);
});

test('a hundred listeners are spread evenly', async () => {
  const time = new VirtualTime();
  const ticker = createTicker(time);
  const perTick = new Map<number, number>();
  for (let i = 0; i < 100; i++) ticker.add((nowMs) => perTick.set(nowMs, (perTick.get(nowMs) ?? 0) + 1));
  await time.runTo(100);
  assert.deepEqual([...new Set(perTick.values())], [25]);
});

/** A clock whose timers come late by what the test says. */
class LateTime extends VirtualTime {
  lateMs = 0;
  override setTimer(run: () => void, delayMs: number): () => void {
    return super.setTimer(run, delayMs + this.lateMs);
  }
}

test('late timers do not let it drift, and after a hold-up there is no burst', async () => {
  const time = new LateTime();
  const ticker = createTicker(time);
  const ticks: number[] = [];
  ticker.add((nowMs) => ticks.push(nowMs));
  time.lateMs = 1;
  await time.runTo(2000);
  assert.ok(Math.abs(ticks.length - 100) <= 1, `${ticks.length} ticks in 2 s`);
  time.lateMs = 700;
  await time.runTo(2701);
  time.lateMs = 0;
  const before = ticks.length;
  await time.runTo(3701);
  const after = ticks.slice(before);
  assert.ok(after.length <= 51, `${after.length} ticks in the second after the hold-up`);
  assert.ok(after.every((t, i) => i === 0 || t - (after[i - 1] ?? 0) >= 10));
});

test('a listener that throws does not stop the others, one that goes while it is called is not called again', async () => {
  const time = new VirtualTime();
  const ticker = createTicker(time);
  let good = 0;
  let gone = 0;
  const bad = ticker.add(() => {
    bad();
    throw new Error('bad');
  });
  ticker.add(() => good++);
  const stop = ticker.add(() => {
    gone++;
    stop();
  });
  await assert.rejects(time.runTo(100), /bad/);
  await time.runTo(100);
  assert.ok(good >= 4, `${good}`);
  assert.equal(gone, 1);
  assert.equal(ticker.size, 1);
});
