// Clocks that jump, processes that stand still, timers that are late: durations are those in which somebody looked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../notify/virtual-clock.ts';
import { memoryFolder } from './memory-folder.ts';
import { begin, rig, RULE, states } from './watch-rig.ts';

test('wall clocks that jump by a day in either direction neither fire nor resolve anything', async () => {
  for (const day of [86_400_000, -86_400_000]) {
    const one = await rig(memoryFolder());
    one.heat(80);
    begin(one);
    await one.clock.advance(30_000);
    one.jump(day);
    await one.clock.advance(25_000);
    assert.deepEqual(states(one), ['pending']);
    await one.clock.advance(10_000);
    assert.deepEqual(states(one), ['firing']);
    one.jump(-2 * day);
    await one.clock.advance(60_000);
    assert.equal(one.sent.length, 1);
    one.heat(10);
    await one.clock.advance(10_000);
    assert.deepEqual(
      one.sent.map(({ status }) => status),
      ['firing', 'resolved'],
    );
    const [alert] = one.sent[1]?.alerts ?? [];
    assert.ok((alert?.endsAtMs ?? 0) >= (alert?.startsAtMs ?? 0), 'an alert does not end before it began');
  }
});

test('ten minutes in which the process did not run count for no duration', async () => {
  let stoppedMs = 0;
  const clock = new VirtualClock();
  // The timers of a stopped process come late, all of them.
  const stoppable = {
    now: () => clock.now() + stoppedMs,
    setTimer: (run: () => void, delayMs: number) => clock.setTimer(run, delayMs),
  };
  const one = await rig(memoryFolder(), RULE, { clock: stoppable });
  one.heat(80);
  begin(one);
  await clock.advance(20_000);
  stoppedMs += 600_000;
  await clock.advance(5000);
  assert.deepEqual(states(one), ['pending'], 'it was seen for 20 s, not for 10 minutes');
  await clock.advance(15_000);
  assert.deepEqual(states(one), ['pending']);
  await clock.advance(10_000);
  assert.deepEqual(states(one), ['firing']);
  // A stop while it fires ends nothing either.
  stoppedMs += 600_000;
  await clock.advance(5000);
  assert.deepEqual(states(one), ['firing']);
});

test('evaluations keep to their grid, and those that were missed stay missed', async () => {
  const looked: number[] = [];
  let stoppedMs = 0;
  const clock = new VirtualClock();
  const one = await rig(undefined, RULE, {
    clock: { now: () => clock.now() + stoppedMs, setTimer: (run, delayMs) => clock.setTimer(run, delayMs) },
    *readings() {
      looked.push(clock.now() + stoppedMs);
      yield;
      return [];
    },
  });
  begin(one);
  await clock.advance(10_000);
  stoppedMs += 12_000;
  await clock.advance(20_000);
  assert.deepEqual(looked, [0, 5000, 10_000, 27_000, 30_000, 35_000, 40_000]);
});
