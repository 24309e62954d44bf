// The verdict of the metrics proof about late frames: chance is allowed, a cost is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANCE, chanceOf } from '../../scripts/metrics/late-frames.ts';

test('so many pauses of all, as coins would have it', () => {
  const near = (value: number, wanted: number) => assert.ok(Math.abs(value - wanted) < 1e-9, `${value}, ${wanted}`);
  near(chanceOf(0, 0), 1);
  near(chanceOf(0, 10), 1);
  near(chanceOf(1, 1), 0.5);
  near(chanceOf(3, 3), 0.125);
  near(chanceOf(2, 3), 0.5);
  near(chanceOf(8, 10), 56 / 1024);
  near(chanceOf(1, 1, 0.1), 0.1);
  near(chanceOf(1, 2, 0.1), 0.19);
  near(chanceOf(0, 2, 0.1), 1);
  // Ten alone are no chance any more, nine may be.
  assert.ok(chanceOf(10, 10) < CHANCE && chanceOf(9, 9) > CHANCE);
  assert.ok(chanceOf(1100, 2000) < CHANCE && chanceOf(1010, 2000) > 0.3);
});
