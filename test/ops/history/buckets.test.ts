// Counts by key: what is read back is what was added, in the order of the keys, however far apart they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BucketSum, keyOf, MAX_KEY, valueOf } from '../../../src/ops/history/buckets.ts';
import { ByteReader, ByteWriter } from '../../../src/ops/history/bytes.ts';

type Pair = readonly [key: number, count: number];

const told = (sum: BucketSum): Pair[] => {
  const all: Pair[] = [];
  sum.each((key, count) => all.push([key, count]));
  return all;
};

function written(sum: BucketSum): Pair[] {
  const out = new ByteWriter(64);
  sum.write(out);
  const reader = new ByteReader(out.memory.slice(0, out.length));
  const all: Pair[] = [];
  let key = 0;
  for (let i = reader.varint(); i > 0; i--) {
    key = all.length === 0 ? reader.signed() : key + reader.varint();
    all.push([key, reader.varint()]);
  }
  assert.ok(reader.atEnd);
  return all;
}

test('what was added is told and written by rising keys, and nothing is left after clear', () => {
  const sum = new BucketSum();
  const pairs = fc.array(fc.tuple(fc.integer({ min: -MAX_KEY, max: MAX_KEY }), fc.integer({ min: 1, max: 1000 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(pairs, (added) => {
      const want = new Map<number, number>();
      for (const [key, count] of added) {
        sum.add(key, count);
        want.set(key, (want.get(key) ?? 0) + count);
      }
      const rising = [...want].sort(([a], [b]) => a - b);
      assert.deepEqual(told(sum), rising);
      assert.deepEqual(written(sum), rising);
      assert.equal(
        sum.total,
        added.reduce((total, [, count]) => total + count, 0),
      );
      sum.clear();
      assert.deepEqual([told(sum), written(sum), sum.total], [[], [], 0]);
    }),
    { seed: 7, numRuns: 500 },
  );
});

test('keys at both ends, and beside each other', () => {
  const sum = new BucketSum();
  const keys = [-MAX_KEY, -MAX_KEY + 31, -MAX_KEY + 32, -1, 0, 1, MAX_KEY - 1, MAX_KEY];
  for (const key of keys.toReversed()) sum.add(key, 1);
  assert.deepEqual(
    told(sum).map(([key]) => key),
    keys,
  );
});

test('percentiles are those of the values, within what a bucket is wide', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
  const qs = [0, 0.25, 0.5, 0.9, 0.99, 1];
  fc.assert(
    fc.property(values, (given) => {
      const sum = new BucketSum();
      for (const value of given) sum.add(keyOf(value), 1);
      const sorted = given.toSorted((a, b) => a - b);
      const got = sum.quantiles(qs, sorted[0]!, sorted.at(-1)!);
      qs.forEach((q, i) => {
        const exact = sorted[Math.floor(q * (sorted.length - 1))]!;
        assert.ok(Math.abs(got[i]! - exact) <= 0.0056 * Math.abs(exact) + 1e-9, `${q}: ${got[i]} for ${exact}`);
      });
    }),
    { seed: 11, numRuns: 300 },
  );
  assert.deepEqual(new BucketSum().quantiles([0.5], 0, 0), [null]);
  assert.equal(valueOf(0), 0);
});
