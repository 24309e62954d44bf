// Minutes from seconds in slices: a busy histogram's minute is some ten kilobytes, and no step may take all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BucketSum, keyOf } from '../../../src/ops/history/buckets.ts';
import { ByteWriter } from '../../../src/ops/history/bytes.ts';
import { type PointSink, readMinute } from '../../../src/ops/history/chunk-reader.ts';
import {
  placesOf,
  SECONDS,
  writeHistogramSecond,
  writeHistogramSeconds,
  writeSeconds,
} from '../../../src/ops/history/chunks.ts';
import { Fold } from '../../../src/ops/history/fold.ts';
import { Pacer } from '../../../src/ops/history/pacer.ts';
import { queryHistory } from '../../../src/ops/history/query.ts';
import { createRig, Disk } from './history-rig.ts';

const BUCKETS = 100;

/** Each second has all of them. */
function busyMinute(out: ByteWriter, minute: number, perBucket: number): void {
  const seconds = new ByteWriter();
  const indexes = Array.from({ length: BUCKETS }, (_, i) => 2 * i);
  const counts = indexes.map(() => perBucket);
  for (let second = 0; second < SECONDS; second++)
    writeHistogramSecond(seconds, second, { count: BUCKETS * perBucket, sum: 7, zeros: 0, indexes, counts });
  writeHistogramSeconds(out, minute, seconds);
}

test('the minute of a busy histogram is folded with a rest after each second; two folds at once do not mix', async () => {
  let [clock, pauses] = [0, 0];
  // Each look at the clock finds another slice over.
  const slow = new Pacer({ now: () => clock++, pause: async () => void pauses++ });
  const folded = await Promise.all(
    [1, 3].map(async (perBucket) => {
      const [seconds, minutes] = [new ByteWriter(), new ByteWriter()];
      busyMinute(seconds, 5, perBucket);
      busyMinute(seconds, 6, perBucket);
      assert.ok(seconds.length > 20_000, `${seconds.length} bytes`);
      await new Fold().minutes(minutes, seconds.view(), true, slow);
      return minutes.view();
    }),
  );
  assert.ok(pauses >= 4 * SECONDS, `${pauses} pauses`);
  for (const [i, perBucket] of [1, 3].entries()) {
    const points: number[][] = [];
    const buckets: number[] = [];
    const sink: PointSink = {
      point: (atMs, count, sum) => points.push([atMs, count, sum]) > 0,
      bucket: (_, count) => void buckets.push(count),
    };
    placesOf(folded[i] as Uint8Array, (place) => readMinute(place, sink));
    const count = SECONDS * BUCKETS * perBucket;
    assert.deepEqual(points, [
      [300_000, count, 7 * SECONDS],
      [360_000, count, 7 * SECONDS],
    ]);
    assert.deepEqual(buckets, Array<number>(2 * BUCKETS).fill(SECONDS * perBucket));
  }
});

test('minutes of gauges are folded one after the other, and hours of minutes', async () => {
  const pacer = new Pacer({ now: () => 0, pause: async () => {} });
  const [seconds, minutes, hours] = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
  writeSeconds(seconds, 59, new Float64Array(SECONDS).fill(2), 0);
  writeSeconds(seconds, 60, new Float64Array(SECONDS).fill(3.5), 0);
  writeSeconds(seconds, 61, new Float64Array(SECONDS).fill(-1), 0);
  const fold = new Fold();
  await fold.minutes(minutes, seconds.view(), false, pacer);
  await fold.hours(hours, minutes, false, pacer);
  const points: number[][] = [];
  const sums = new BucketSum();
  placesOf(hours.view(), (place) =>
    readMinute(place, {
      point: (...point) => points.push(point) > 0,
      bucket: (key, count) => sums.add(key, count),
    }),
  );
  assert.deepEqual(points, [
    [0, 60, 120, 2, 2],
    [3_600_000, 120, 150, -1, 3.5],
  ]);
  const told: [number, number][] = [];
  sums.each((key, count) => told.push([key, count]));
  assert.deepEqual(
    told,
    [-1, 2, 3.5].map((value) => [keyOf(value), 60]),
  );
});

test('a query for seconds of a busy histogram rests between them', async () => {
  const rig = createRig(new Disk().open);
  const times = rig.registry.histogram({ name: 'times', help: 'h', unit: 's' }).labels();
  await rig.history.start();
  await rig.seconds(130, () => {
    for (let i = 0; i < BUCKETS; i++) times.record(1.03 ** i);
  });
  let [clock, pauses] = [0, 0];
  const { series } = await queryHistory(
    rig.history,
    { name: 'times', fromMs: rig.epochMs - 130_000, toMs: rig.epochMs, stepMs: 1000, quantiles: [0.5] },
    { now: () => clock++, pause: async () => void pauses++ },
  );
  assert.deepEqual(series[0]?.count, Array<number>(130).fill(BUCKETS));
  assert.ok(pauses >= 130, `${pauses} pauses`);
});
