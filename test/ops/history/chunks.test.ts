// Minutes as bytes: what is written is read again, whole numbers exactly, others within float32, percentiles within the bucket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as crc32OfZlib } from 'node:zlib';
import fc from 'fast-check';
import { BucketSum, keyOf, keyOfIndex, valueOf } from '../../../src/ops/history/buckets.ts';
import { ByteReader, ByteWriter, crc32 } from '../../../src/ops/history/bytes.ts';
import {
  type ChunkPlace,
  placesOf,
  SECONDS,
  writeHistogramSecond,
  writeHistogramSeconds,
  writeSeconds,
} from '../../../src/ops/history/chunks.ts';
import { type PointSink, readMinute, SecondsReader } from '../../../src/ops/history/chunk-reader.ts';
import { Fold } from '../../../src/ops/history/fold.ts';
import { Pacer } from '../../../src/ops/history/pacer.ts';

interface Point {
  readonly atMs: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly buckets: [number, number][];
}
function collector(): PointSink & { points: Point[] } {
  const points: Point[] = [];
  return {
    points,
    point(atMs, count, sum, min, max) {
      points.push({ atMs, count, sum, min, max, buckets: [] });
      return true;
    },
    bucket: (key, count) => void points.at(-1)?.buckets.push([key, count]),
  };
}
function placesIn(bytes: Uint8Array): ChunkPlace[] {
  const places: ChunkPlace[] = [];
  placesOf(bytes, (place) => places.push(place));
  return places;
}

const pacer = new Pacer({ now: () => 0, pause: async () => {} });

/** All of a chunk. */
function readSeconds(place: ChunkPlace, sink: PointSink): void {
  const seconds = new SecondsReader();
  seconds.reset(place);
  while (seconds.next(sink));
}

test('whole and broken numbers come back', () => {
  const numbers = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
    fc.constantFrom(0, 2 ** 51 - 1, -(2 ** 51) + 1, 2 ** 52),
  );
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 20 }), fc.array(fc.nat(2 ** 31)), (values, whole) => {
      const out = new ByteWriter(1);
      for (const value of values) out.number(value);
      for (const value of whole) out.varint(value * 2 ** 20);
      const reader = new ByteReader(out.view());
      for (const value of values) {
        const back = reader.number();
        if (Number.isInteger(value) && Math.abs(value) < 2 ** 51) assert.equal(back, value === 0 ? 0 : value);
        else assert.ok(Math.abs(back - value) <= Math.abs(value) * 6e-8 + 1e-44);
      }
      for (const value of whole) assert.equal(reader.varint(), value * 2 ** 20);
      assert.ok(reader.atEnd);
    }),
  );
});

test('the seconds of a minute come back, gaps included', () => {
  const value = fc.oneof(fc.constant(Number.NaN), fc.integer(), fc.float({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(value, { minLength: SECONDS, maxLength: SECONDS }), fc.nat(1e8), (values, minute) => {
      const out = new ByteWriter();
      const present = values.flatMap((v, second) => (Number.isNaN(v) ? [] : [[second, v] as const]));
      assert.equal(writeSeconds(out, minute, Float64Array.from(values), 0), present.length > 0);
      const sink = collector();
      for (const place of placesIn(out.view())) readSeconds(place, sink);
      assert.deepEqual(
        sink.points.map(({ atMs }) => atMs),
        present.map(([second]) => minute * 60_000 + second * 1000),
      );
      const allWhole = present.every(([, v]) => Number.isInteger(v) && Math.abs(v) < 2 ** 51);
      sink.points.forEach(({ sum, min, max, count }, i) => {
        const given = present[i]?.[1] ?? Number.NaN;
        assert.equal(sum + 0, (allWhole ? given : Math.fround(given)) + 0);
        assert.deepEqual([min, max, count], [sum, sum, 1]);
      });
    }),
  );
});

test('a minute is the fold of its seconds', async () => {
  const out = new ByteWriter();
  const values = new Float64Array(SECONDS).fill(Number.NaN);
  values.set([5, 7, -3, 0, 100.5], 10);
  writeSeconds(out, 77, values, 0);
  const minutes = new ByteWriter();
  await new Fold().minutes(minutes, out.view(), false, pacer);
  const sink = collector();
  for (const place of placesIn(minutes.view())) readMinute(place, sink);
  const [point] = sink.points;
  assert.deepEqual([point?.atMs, point?.count, point?.sum, point?.min, point?.max], [77 * 60_000, 5, 109.5, -3, 100.5]);
  assert.deepEqual(
    point?.buckets,
    [-3, 0, 5, 7, 100.5].map((v) => [keyOf(v), 1]),
  );
});

test('seconds of a histogram become a minute whose percentiles are those of all', async () => {
  const entries = new ByteWriter();
  const indexOf = (value: number) => keyOf(value) - keyOfIndex(0);
  writeHistogramSecond(entries, 3, { count: 3, sum: 0.6, zeros: 1, indexes: [indexOf(0.3)], counts: [2] });
  writeHistogramSecond(entries, 59, { count: 1, sum: 4, zeros: 0, indexes: [indexOf(4)], counts: [1] });
  const out = new ByteWriter();
  writeHistogramSeconds(out, 1, entries);
  const seconds = collector();
  for (const place of placesIn(out.view())) readSeconds(place, seconds);
  assert.deepEqual(
    seconds.points.map(({ atMs, count, min }) => [atMs, count, min]),
    [
      [63_000, 3, 0],
      [119_000, 1, valueOf(keyOf(4))],
    ],
  );
  const minutes = new ByteWriter();
  await new Fold().minutes(minutes, out.view(), true, pacer);
  const sum = new BucketSum();
  for (const place of placesIn(minutes.view())) {
    readMinute(place, { point: () => true, bucket: (key, count) => sum.add(key, count) });
  }
  assert.equal(sum.total, 4);
  const [p0, p50, p100] = sum.quantiles([0, 0.5, 1], 0, 100);
  assert.equal(p0, 0);
  assert.ok(Math.abs((p50 ?? 0) / 0.3 - 1) < 0.0055 && Math.abs((p100 ?? 0) / 4 - 1) < 0.0055);
});

test('a key stands for every value of its bucket within 0.55 %, in order', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-8, max: 2e12, noNaN: true }), fc.boolean(), (size, negative) => {
      const value = negative ? -size : size;
      assert.ok(Math.abs(valueOf(keyOf(value)) / value - 1) < 0.0055, String(value));
    }),
  );
  const rising = [-5, -1e-3, 0, 1e-5, 2, 3];
  assert.deepEqual(
    rising.map(keyOf),
    rising.map(keyOf).toSorted((a, b) => a - b),
  );
});

test('cut and changed bytes are noticed', () => {
  const out = new ByteWriter();
  writeSeconds(out, 5, new Float64Array(SECONDS).fill(1.5), 0);
  assert.throws(() => placesIn(out.view().subarray(0, out.length - 1)), RangeError);
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
});

test('the checksum of any part is that of zlib, in one piece and in two', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), fc.nat(200), (bytes, ...places) => {
      const rising = places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b);
      const [from, middle, to] = rising as [number, number, number];
      const expected = crc32OfZlib(bytes.subarray(from, to));
      assert.equal(crc32(bytes, from, to), expected);
      assert.equal(crc32(bytes, middle, to, crc32(bytes, from, middle)), expected);
    }),
  );
});
