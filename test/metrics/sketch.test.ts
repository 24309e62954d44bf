// The sketch against exact answers: error bounds, OpenTelemetry's bucket rule, merging, bad values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SCALE, Sketch } from '../../src/metrics/index.ts';

/** Any value within the range of the buckets. */
const value = fc.double({ min: 2 ** -29, max: 2 ** 40, noNaN: true });
const relative = (estimate: number, exact: number) => Math.abs(estimate - exact) / exact;

test('a quantile is within 0.55 % of the value at its rank', () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const sketch = new Sketch();
        for (const one of values) assert.equal(sketch.record(one), true);
        const exact = values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]!;
        assert.ok(relative(sketch.quantile(q)!, exact) <= 0.0055, `q ${q}: ${sketch.quantile(q)} against ${exact}`);
        assert.equal(sketch.count, values.length);
        assert.equal(sketch.min, Math.min(...values));
        assert.equal(sketch.max, Math.max(...values));
      },
    ),
  );
});

test('each value lies in its bucket: above the lower border, at most the upper one', () => {
  const borders = Array.from({ length: 641 }, (_, i) => 2 ** (i / 2 ** SCALE - 5));
  const near = borders.flatMap((b) => [b, b * (1 - 2 ** -52), b * (1 + 2 ** -52)]);
  const check = (one: number): void => {
    const sketch = new Sketch();
    sketch.record(one);
    const [bucket, ...more] = [...sketch.buckets()];
    assert.deepEqual(more, []);
    assert.ok(bucket !== undefined && bucket.count === 1);
    assert.ok(bucket.lower < one && one <= bucket.upper, `${one} in (${bucket.lower}, ${bucket.upper}]`);
    assert.equal(bucket.lower, 2 ** ((((bucket.index % 64) + 64) % 64) / 64) * 2 ** Math.floor(bucket.index / 64));
  };
  for (const one of near) check(one);
  fc.assert(fc.property(value, check));
});

test('powers of two have the index that OpenTelemetry gives them', () => {
  for (const exponent of [-10, -1, 0, 1, 3, 20]) {
    const sketch = new Sketch();
    sketch.record(2 ** exponent);
    assert.deepEqual(
      [...sketch.buckets()].map(({ index }) => index),
      [exponent * 64 - 1],
    );
  }
});

test('merging gives what recording everything into one would have given', () => {
  const values = fc.array(fc.oneof(value, fc.constant(0)), { maxLength: 100 });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [one, two, both] = [new Sketch(), new Sketch(), new Sketch()];
      for (const v of a) one.record(v);
      for (const v of b) two.record(v);
      for (const v of [...a, ...b]) both.record(v);
      one.merge(two);
      assert.deepEqual([...one.buckets()], [...both.buckets()]);
      assert.deepEqual([one.count, one.zeros, one.min, one.max], [both.count, both.zeros, both.min, both.max]);
      assert.ok(Math.abs(one.sum - both.sum) <= 1e-9 * Math.abs(both.sum));
      assert.deepEqual(one.quantiles([0.5, 0.9, 0.99]), both.quantiles([0.5, 0.9, 0.99]));
    }),
  );
});

test('what is no finite number or negative is refused and changes nothing', () => {
  const sketch = new Sketch();
  sketch.record(1);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -1e-300]) {
    assert.equal(sketch.record(bad), false, String(bad));
  }
  assert.deepEqual([sketch.count, sketch.sum, sketch.min, sketch.max], [1, 1, 1, 1]);
});

test('an empty sketch knows nothing, and clearing makes one', () => {
  const sketch = new Sketch();
  assert.deepEqual([sketch.quantile(0.5), sketch.min, sketch.max, sketch.count], [null, null, null, 0]);
  sketch.record(0.3);
  sketch.record(0);
  sketch.clear();
  assert.deepEqual(
    [sketch.quantile(0.5), sketch.min, sketch.max, sketch.count, sketch.zeros],
    [null, null, null, 0, 0],
  );
  assert.deepEqual([...sketch.buckets()], []);
});

test('values outside the range are kept in count, sum and extremes', () => {
  const sketch = new Sketch();
  for (const one of [0, 5e-324, 1e-12, 1e300]) assert.equal(sketch.record(one), true);
  assert.deepEqual([sketch.count, sketch.zeros, sketch.min, sketch.max], [4, 3, 0, 1e300]);
  assert.equal(sketch.quantile(0), 0);
  assert.equal(sketch.cumulative([1, 2])[1], 3);
});

test('cumulative counts are exact but for values within 1.1 % above a bound', () => {
  const bounds = [0.05, 0.1, 0.35, 1, 2.5];
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { maxLength: 200 }), (values) => {
      const sketch = new Sketch();
      for (const one of [...values, ...bounds]) sketch.record(one);
      const got = sketch.cumulative(bounds);
      bounds.forEach((bound, i) => {
        const atMost = (limit: number) => [...values, ...bounds].filter((one) => one <= limit).length;
        assert.ok(got[i]! >= atMost(bound) && got[i]! <= atMost(bound * 1.011), `at most ${bound}: ${got[i]}`);
      });
    }),
  );
});
