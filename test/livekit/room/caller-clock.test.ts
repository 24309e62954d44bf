// Positions on the caller's clock: steady, with the holes that outages and lost frames leave.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallerClock } from '../../../src/livekit/room/caller-clock.ts';

test('frames in a row get positions in a row, however they bunch', () => {
  const clock = new CallerClock(16_000);
  clock.resume(1000);
  const positions = [1010, 1020, 1070, 1070, 1070, 1071, 1072, 1080].map((atMs) => clock.take(160, atMs));
  assert.deepEqual(positions, [0, 160, 320, 480, 640, 800, 960, 1120]);
});

test('a stream that begins anew: time went on', () => {
  const clock = new CallerClock(16_000);
  clock.resume(1000);
  clock.take(160, 1010);
  clock.resume(3010);
  assert.equal(clock.take(160, 3020), 2010 * 16);
  assert.equal(clock.gapSamples, 2000 * 16);
});

test('frames that were dropped become a gap, a hold-up does not', () => {
  const clock = new CallerClock(16_000);
  clock.resume(0);
  let atMs = 0;
  const run = (frames: number) => {
    let position = 0;
    for (let i = 0; i < frames; i++) {
      atMs += 10;
      position = clock.take(160, atMs);
    }
    return position;
  };
  run(100);
  // Held up for 400 ms, and all of it came in the end.
  atMs += 400;
  for (let i = 0; i < 40; i++) clock.take(160, atMs);
  run(200);
  assert.equal(clock.gapSamples, 0);
  // 300 ms never came.
  atMs += 300;
  const before = run(300);
  assert.equal(clock.gapSamples, 300 * 16);
  assert.equal(before, (atMs - 10) * 16);
});
