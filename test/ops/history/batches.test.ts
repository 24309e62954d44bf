// Batches of series: bounded by bytes and by number, none of them empty.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchEnd } from '../../../src/ops/history/batches.ts';

function batches(sizes: readonly number[], limits: { maxBytes: number; maxCount: number }): number[] {
  const counts: number[] = [];
  for (let from = 0, to = 0; from < sizes.length; from = to) {
    to = batchEnd(from, sizes.length, (at) => sizes[at] as number, limits);
    counts.push(to - from);
  }
  return counts;
}

test('as many as there is room for; what is larger than that comes alone', () => {
  assert.deepEqual(batches([4, 4, 2, 1, 30, 5, 5, 5], { maxBytes: 10, maxCount: 9 }), [3, 1, 1, 2, 1]);
  assert.deepEqual(batches([], { maxBytes: 10, maxCount: 9 }), []);
});

test('those that have nothing are no batch without end', () => {
  assert.deepEqual(batches([0, 0, 0, 0, 0], { maxBytes: 10, maxCount: 2 }), [2, 2, 1]);
});
