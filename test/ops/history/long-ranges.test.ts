// VIS-06 and VIS-07: a whole day by the second and a whole month by the minute, with what is older purged hour by hour.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeSeries } from '../../../src/ops/history/export/whole-series.ts';
import { quantilesOfRange } from '../../../src/ops/history/merge.ts';
import { sourceOf } from '../../../src/ops/history/source.ts';
import { createRig, Disk, type Rig } from './history-rig.ts';

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 9, 1);
const total = (values: readonly number[] | undefined) => (values ?? []).reduce((a, b) => a + b, 0);

function seriesOf(rig: Rig, name: string, fromMs: number, toMs: number, stepMs: number, buckets = false) {
  const source = sourceOf(rig.history, { now: () => 0, pause: async () => {} });
  const info = rig.history.catalogue.all().find(({ info: one }) => one.name === name)?.info;
  assert.ok(info !== undefined);
  return wholeSeries(source, info, { fromMs, toMs, stepMs }, { buckets });
}

test('VIS-06: each second of 24 h is there, and what is older has gone within the hour', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { startMs: MIDNIGHT, instruments: undefined });
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  const level = rig.registry.gauge({ name: 'level', help: 'h' }).labels();
  await rig.history.start();
  let second = 0;
  const hours = 26;
  await rig.seconds(hours * 3600, () => {
    calls.add(second % 3);
    level.set(second % 1000);
    second++;
  });
  const toMs = MIDNIGHT + hours * 3_600_000;
  const day = await seriesOf(rig, 'calls', toMs - DAY_MS, toMs, 1000);
  assert.equal(day?.atMs.length, 86_400);
  assert.ok(day?.sum.every((sum, i) => sum === (((day.atMs[i] ?? 0) - MIDNIGHT) / 1000) % 3));
  const levels = await seriesOf(rig, 'level', toMs - DAY_MS, toMs, 1000);
  assert.ok(levels?.max.every((max, i) => max === (((levels.atMs[i] ?? 0) - MIDNIGHT) / 1000) % 1000));
  // Purged each hour: the seconds of the first hours have gone, their minutes are there.
  const seconds = await disk.names('seconds-');
  assert.ok(seconds.length <= 25 && !seconds.some((name) => name.includes('2026-10-01T00')), seconds.join(' '));
  const all = await rig.query({ name: 'calls', fromMs: MIDNIGHT, toMs, stepMs: 3_600_000 });
  assert.deepEqual(
    all.series[0]?.sum,
    Array.from({ length: hours }, () => 3600),
  );
});

test('VIS-07: each minute of 30 days is there with its percentiles, and what is older has gone', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { startMs: MIDNIGHT, instruments: undefined });
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  const time = rig.registry.histogram({ name: 'time', help: 'h', unit: 's' }).labels();
  await rig.history.start();
  const days = 32;
  let minute = 0;
  for (let i = 0; i < days * 1440; i++) {
    await rig.seconds(1, () => {
      calls.add(2);
      // One value of ten is slow.
      time.record(minute++ % 10 === 9 ? 2 : 0.2);
    });
    rig.sleep(59_000);
  }
  const toMs = MIDNIGHT + days * DAY_MS;
  const month = await seriesOf(rig, 'time', toMs - 30 * DAY_MS, toMs, 60_000, true);
  assert.equal(month?.atMs.length, 43_200);
  assert.equal(total(month?.count), 43_200);
  const [p50, p89, p91] = month === undefined ? [] : quantilesOfRange(month, [0.5, 0.89, 0.91]);
  for (const [value, wanted] of [
    [p50, 0.2],
    [p89, 0.2],
    [p91, 2],
  ] as const)
    assert.ok(Math.abs((value ?? 0) / wanted - 1) < 0.006, `${value} is not ${wanted}`);
  const byDay = await rig.query({ name: 'calls', fromMs: MIDNIGHT, toMs, stepMs: DAY_MS });
  const [{ sum, atMs } = { sum: [], atMs: [] }] = byDay.series;
  assert.equal(total(sum.slice(-30)), 30 * 2880);
  assert.ok((atMs[0] ?? 0) >= MIDNIGHT + DAY_MS, 'the first day is older than 30 days');
});
