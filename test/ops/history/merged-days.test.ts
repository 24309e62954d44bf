// Hours that become a day: nothing of them is changed, and what is damaged is set aside alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistorySeries } from '../../../src/ops/history/query.ts';
import { createRig, Disk, START } from './history-rig.ts';

const MIDNIGHT = Date.UTC(2026, 10, 29);
const NOON = Date.UTC(2026, 10, 28, 12);
const MINUTE_MS = 60_000;
const DAMAGED = 'damaged-minutes-2026-11-28T12-4.block';

/** From ten in the morning to midnight and beyond, two readings a minute. `before` is done when the day is over and not merged yet. */
async function liveThroughDay(before: (disk: Disk) => Promise<void>) {
  const disk = new Disk();
  const rig = createRig(disk.open, { instruments: undefined });
  const time = rig.registry.histogram({ name: 'time', help: 'h' }).labels();
  const wide = rig.registry.histogram({ name: 'wide', help: 'h' }).labels();
  const level = rig.registry.gauge({ name: 'level', help: 'h' }).labels();
  const late: { add(): void }[] = [];
  await rig.history.start();
  let n = 0;
  const until = async (endMs: number) => {
    while (rig.epochMs < endMs) {
      await rig.seconds(2, () => {
        n++;
        time.record(1 + (n % 50));
        // So many buckets that its hours are packed, too.
        for (let i = 0; i < 30; i++) wide.record(1.3 ** ((n * 7 + i * 11) % 90));
        level.set(n % 7);
        for (const counter of late) counter.add();
      });
      rig.sleep(58_000);
    }
  };
  await until(MIDNIGHT - 4 * 60 * MINUTE_MS);
  late.push(rig.registry.counter({ name: 'late', help: 'h' }).labels());
  await until(MIDNIGHT + MINUTE_MS);
  const answers = async () => {
    const all: (HistorySeries | undefined)[] = [];
    for (const name of ['time', 'wide', 'level', 'late']) {
      for (const stepMs of [MINUTE_MS, 60 * MINUTE_MS]) {
        const range = { fromMs: START - 60 * MINUTE_MS, toMs: MIDNIGHT, stepMs };
        all.push((await rig.query({ name, ...range, quantiles: [0.5, 0.99], buckets: true })).series[0]);
      }
    }
    return all;
  };
  const hours = await answers();
  assert.deepEqual(await disk.names('minutes-2026-11-28-'), []);
  await before(disk);
  await until(MIDNIGHT + 70 * MINUTE_MS);
  assert.equal((await disk.names('minutes-2026-11-28-')).length, 1);
  return { disk, rig, hours, merged: await answers() };
}

test('a merged day says what its hours said', async () => {
  const { disk, hours, merged } = await liveThroughDay(async () => {});
  assert.ok(hours.every((series) => series !== undefined));
  assert.deepEqual(merged, hours);
  assert.deepEqual(await disk.names('minutes-2026-11-28T'), []);
  assert.deepEqual(await disk.names('damaged'), []);
});

test('a damaged hour is set aside when its day is merged; all others are there', async () => {
  const { disk, rig, hours, merged } = await liveThroughDay(async (files) => {
    const [name = ''] = await files.names('minutes-2026-11-28T12');
    await files.edit(name, (bytes) => {
      for (let i = 40; i < 80; i++) bytes[i]! ^= 255;
      return bytes;
    });
  });
  assert.deepEqual(await disk.names('damaged'), [DAMAGED]);
  assert.ok(rig.told.some((line) => line.startsWith('warn: history file set aside')));
  assert.ok(merged.every((series) => series !== undefined));
  assert.deepEqual(merged.map(rowsOf), hours.map(rowsOf).map(withoutHour));
});

const rowsOf = (series: HistorySeries | undefined) =>
  series?.atMs.map((atMs, i) => ({
    atMs,
    count: series.count[i],
    sum: series.sum[i],
    quantiles: series.quantiles.map((column) => column[i]),
    buckets: series.buckets?.[i],
  })) ?? [];
const withoutHour = (rows: ReturnType<typeof rowsOf>) =>
  rows.filter(({ atMs }) => atMs < NOON || atMs >= NOON + 60 * MINUTE_MS);

test('who stops in the first minute of a day leaves its hours to the next process, and nothing is touched behind', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { startMs: MIDNIGHT - 150 * MINUTE_MS });
  await rig.history.start();
  while (rig.epochMs <= MIDNIGHT) {
    await rig.seconds(1);
    rig.sleep(59_000);
  }
  await rig.history.stop();
  const left = await disk.names();
  assert.equal(disk.isTaken, false);
  await rig.history.settled();
  assert.deepEqual(await disk.names(), left);
  assert.equal((await disk.names('minutes-2026-11-28T')).length, 2);
});
