// The history over minutes, hours and days on virtual time: what went in comes out, in every fineness, across restarts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BucketSum } from '../../../src/ops/history/buckets.ts';
import { createRig, Disk, START } from './history-rig.ts';

const HOUR_S = 3600;
const sumOf = (values: readonly number[] | undefined) => (values ?? []).reduce((a, b) => a + b, 0);

test('seconds and minutes of a counter, a gauge and a histogram, in memory alone', async () => {
  const rig = createRig();
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  const level = rig.registry.gauge({ name: 'level', help: 'h' }).labels();
  const time = rig.registry.histogram({ name: 'time', help: 'h', unit: 's' }).labels();
  await rig.history.start();
  let n = 0;
  await rig.seconds(150, () => {
    n++;
    calls.add(2);
    level.set(n);
    if (n % 2 === 0) time.record(n / 100);
  });
  const perSecond = (await rig.query({ name: 'calls', stepMs: 1000 })).series[0];
  assert.equal(perSecond?.atMs.length, 150);
  assert.equal(perSecond?.atMs[0], START);
  assert.ok(perSecond?.sum.every((increase) => increase === 2));
  const byMinute = (await rig.query({ name: 'level', stepMs: 60_000 })).series[0];
  // 9:59:30 to 10:02:00.
  assert.deepEqual(byMinute?.count, [30, 60, 60]);
  assert.deepEqual(byMinute?.min, [1, 31, 91]);
  assert.deepEqual(byMinute?.max, [30, 90, 150]);
  assert.equal(byMinute?.sum[0], (30 * 31) / 2);
  const { series } = await rig.query({ name: 'time', stepMs: 3_600_000, quantiles: [0.5, 0.95] });
  assert.deepEqual(series[0]?.count, [15, 60]);
  const [p50] = series[0]?.quantiles ?? [];
  assert.ok(Math.abs((p50?.[1] ?? 0) - 0.9) < 0.02, String(p50));
  assert.equal(rig.history.state.storage, 'memory');
  assert.equal(rig.history.state.problem, null);
});

test('percentiles of a range are those of all its values, not a mean of percentiles', async () => {
  const rig = createRig();
  const time = rig.registry.histogram({ name: 'time', help: 'h' }).labels();
  await rig.history.start();
  let n = 0;
  // One busy minute of quick values, then nine quiet ones of slow values.
  await rig.seconds(600, () => {
    for (let i = 0; i < (n < 60 ? 100 : 1); i++) time.record(n < 60 ? 0.1 : 5);
    n++;
  });
  const { series } = await rig.query({ name: 'time', stepMs: 86_400_000, quantiles: [0.5, 0.9, 0.95] });
  const values = series[0]?.quantiles.map(([value]) => value ?? Number.NaN) ?? [];
  assert.ok(Math.abs((values[0] ?? 0) / 0.1 - 1) < 0.006);
  assert.ok(Math.abs((values[1] ?? 0) / 0.1 - 1) < 0.006, 'a mean of ten percentiles would be 4.5');
  assert.ok(Math.abs((values[2] ?? 0) / 5 - 1) < 0.006);
});

test('an hour is sealed, and served as before; another process reads it', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const level = rig.registry.gauge({ name: 'level', help: 'h', labels: ['of'] });
  await rig.history.start();
  let n = 0;
  await rig.seconds(HOUR_S + 300, () => level.labels({ of: 'x' }).set(Math.sin(n++) * 10));
  assert.deepEqual(await disk.names('.block'), [
    'minutes-2026-11-28T09-1.block',
    'minutes-2026-11-28T10-2.block',
    'seconds-2026-11-28T09-1.block',
    'seconds-2026-11-28T10-2.block',
  ]);
  assert.equal((await disk.names('journal')).length, 1);
  const before = await rig.query({ name: 'level', stepMs: 1000 });
  assert.equal(before.series[0]?.atMs.length, HOUR_S + 300);
  await rig.history.stop();
  const next = createRig(disk.open, { startMs: rig.epochMs });
  await next.history.start();
  assert.equal(next.history.state.storage, 'disk');
  const after = await next.query({ name: 'level', fromMs: START - 60_000, stepMs: 1000 });
  assert.deepEqual(after, { ...before, toMs: after.toMs });
  const minutes = await next.query({ name: 'level', fromMs: START - 60_000, stepMs: 60_000, labels: { of: 'x' } });
  assert.equal(
    minutes.series[0]?.count.reduce((a, b) => a + b),
    HOUR_S + 300,
  );
});

test('a kill loses at most the open minute', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(200, () => calls.add());
  disk.kill();
  const next = createRig(disk.open, { startMs: rig.epochMs + 30_000 });
  const again = next.registry.counter({ name: 'calls', help: 'h' }).labels();
  await next.history.start();
  await next.seconds(100, () => again.add());
  const { series } = await next.query({ name: 'calls', fromMs: START, stepMs: 60_000 });
  // 9:59:30 to 10:02:00 are whole minutes; the 50 s after them died with the process; the next began at 10:03:20.
  assert.deepEqual(series[0]?.sum, [30, 60, 60, 40, 60]);
  await next.seconds(HOUR_S, () => again.add());
  const total = (await next.query({ name: 'calls', fromMs: START, stepMs: 60_000 })).series[0]?.sum;
  assert.equal(
    total?.reduce((a, b) => a + b),
    150 + 100 + HOUR_S,
  );
});

test('a torn journal and a damaged block are set aside and said; the rest is served', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { instruments: undefined });
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(2 * HOUR_S + 300, () => calls.add());
  disk.kill();
  const [journal = ''] = await disk.names('journal');
  await disk.edit(journal, (bytes) => bytes.subarray(0, bytes.length - 3));
  await disk.edit('seconds-2026-11-28T10-2.block', (bytes) => {
    bytes[5] = (bytes[5] ?? 0) ^ 255;
    return bytes;
  });
  await disk.edit('minutes-2026-11-28T09-1.block', (bytes) => bytes.subarray(0, 30));
  const next = createRig(disk.open, { startMs: rig.epochMs });
  await next.history.start();
  assert.deepEqual(
    next.told.map((line) => line.split(' {')[0]),
    ['warn: history file set aside', 'warn: history journal is torn, its end set aside'],
  );
  const seconds = await next.query({ name: 'calls', fromMs: START, stepMs: 1000 });
  // The hour that was damaged inside is missing, and of the last one the minute that was torn and the open one.
  assert.equal(seconds.series[0]?.atMs.length, 30 + HOUR_S + 180);
  const minutes = await next.query({ name: 'calls', fromMs: START, stepMs: 60_000 });
  assert.ok((minutes.series[0]?.sum.reduce((a, b) => a + b) ?? 0) >= 2 * HOUR_S);
  assert.equal((await disk.names('damaged-')).length, 3);
  assert.equal(next.history.state.problem, null);
});

test('days are merged, old blocks are purged, and 30 days stay whole', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { retentionHours: 2, aggregatedRetentionDays: 3 });
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  const days = 5;
  // One reading each 20 s keeps the test quick.
  for (let i = 0; i < days * 24 * 180; i++) {
    await rig.seconds(1, () => calls.add());
    rig.sleep(19_000);
  }
  assert.deepEqual(await disk.names('.part'), []);
  const seconds = await disk.names('seconds-');
  assert.ok(seconds.length <= 4, seconds.join());
  const merged = (await disk.names('minutes-')).filter((name) => !name.includes('T'));
  assert.ok(merged.length >= 3 && merged.length <= 4, merged.join());
  const { series } = await rig.query({ name: 'calls', fromMs: rig.epochMs - 3 * 86_400_000, stepMs: 3_600_000 });
  const whole = series[0]?.sum.slice(1, -1) ?? [];
  assert.ok(whole.length >= 70 && whole.every((sum) => sum === 180), whole.join());
});

test('old blocks go, too, where no process lives for an hour', async () => {
  const disk = new Disk();
  let epochMs = START;
  for (let process = 0; process < 10; process++) {
    const rig = createRig(disk.open, { startMs: epochMs, retentionHours: 2 });
    rig.registry.counter({ name: 'calls', help: 'h' }).labels().add();
    await rig.history.start();
    for (let i = 0; i < 50; i++) {
      await rig.seconds(1);
      rig.sleep(59_000);
    }
    await rig.history.stop();
    epochMs = rig.epochMs;
  }
  const seconds = await disk.names('seconds-');
  assert.ok(seconds.length >= 2 && seconds.length <= 4, seconds.join());
});

test('an hour is sealed whole where a series of it is more than is gathered at once', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { instruments: undefined });
  const wide = [0, 1].map((i) => rig.registry.histogram({ name: `wide_${i}`, help: 'h' }).labels());
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(30 + HOUR_S + 63, () => {
    // Two hundred buckets in each second.
    for (let value = 1; value <= 200; value++) for (const one of wide) one.record(1.02 ** value);
    calls.add();
  });
  const [seconds] = (await disk.names('seconds-')).filter((name) => name.includes('T10'));
  assert.ok(seconds !== undefined, (await disk.names()).join());
  const range = { fromMs: START + 30_000, toMs: START + 30_000 + HOUR_S * 1000, stepMs: 60_000 };
  for (const name of ['wide_0', 'wide_1']) {
    const { series } = await rig.query({ name, ...range });
    assert.deepEqual(
      series[0]?.count,
      Array.from({ length: 60 }, () => 200 * 60),
    );
  }
  const { series } = await rig.query({ name: 'calls', ...range });
  assert.deepEqual(
    series[0]?.sum,
    Array.from({ length: 60 }, () => 60),
  );
});

test('a day is merged whole where its series are more than is read at once', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { instruments: undefined, startMs: START - (START % 86_400_000) });
  const levels = Array.from({ length: 80 }, (_, i) => rig.registry.gauge({ name: `level_${i}`, help: 'h' }).labels());
  const valueOf = (level: number, minute: number) => Math.fround(((level * 37 + minute * 1013) % 9973) / 7);
  await rig.history.start();
  const fromMs = rig.epochMs;
  for (let minute = 0; minute < 24 * 60 + 5; minute++) {
    await rig.seconds(1, () => {
      for (const [i, level] of levels.entries()) level.set(valueOf(i, minute));
    });
    rig.sleep(59_000);
  }
  await rig.history.settled();
  const minutes = await disk.names('minutes-');
  assert.deepEqual(
    minutes,
    minutes.filter((name) => !name.includes('T')),
  );
  for (const i of [0, 31, 32, 47, 48, 79]) {
    const query = { name: `level_${i}`, fromMs, toMs: fromMs + 86_400_000, stepMs: 60_000 };
    const { series } = await rig.query(query);
    assert.deepEqual(
      series[0]?.max,
      Array.from({ length: 1440 }, (_, minute) => valueOf(i, minute)),
    );
  }
});

test('steps of whole hours are made of hours, and say what minutes and seconds say', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { instruments: undefined });
  const time = rig.registry.histogram({ name: 'time', help: 'h' }).labels();
  const level = rig.registry.gauge({ name: 'level', help: 'h' }).labels();
  await rig.history.start();
  let n = 0;
  const each = () => {
    n++;
    time.record(1 + (n % 50));
    level.set(n % 7);
  };
  // Two days of some seconds each, so that there are merged days, full hours and an open one; 09:59:30 is no full hour.
  for (let i = 0; i < 49 * 60; i++) {
    await rig.seconds(2, each);
    rig.sleep(58_000);
  }
  assert.ok(
    (await disk.names('minutes-')).some((name) => !name.includes('T')),
    'a day is merged',
  );
  // Hours are read instead of minutes: a small part of the bytes.
  let read = 0;
  const { readAt } = disk.files;
  disk.files.readAt = (name, offset, length) => {
    read += length;
    return readAt.call(disk.files, name, offset, length);
  };
  const bytesFor = async (stepMs: number) => {
    read = 0;
    await rig.query({ name: 'time', fromMs: START - 86_400_000, stepMs, quantiles: [0.5] });
    return read;
  };
  const [byHour, byMinute] = [await bytesFor(3_600_000), await bytesFor(60_000)];
  assert.ok(byHour > 0 && byHour < byMinute / 3, `${byHour} of ${byMinute} bytes`);
  const fold = (series: { count: number[]; sum: number[]; min: number[]; max: number[] } | undefined) => [
    sumOf(series?.count),
    Math.round(1000 * sumOf(series?.sum)),
    Math.min(...(series?.min ?? [])),
    Math.max(...(series?.max ?? [])),
  ];
  for (const name of ['time', 'level']) {
    // Whole hours, and ranges that begin or end within one.
    for (const [fromMs, toMs] of [
      [START - 86_400_000, rig.epochMs],
      [START + 3_600_000, START + 20 * 3_600_000 + 1_234_000],
      [START + 30_000, START + 47 * 3_600_000 + 30_000],
    ] as const) {
      const ask = async (stepMs: number, from = fromMs) =>
        (await rig.query({ name, fromMs: from, toMs, stepMs, quantiles: [0.5, 0.99], buckets: true })).series[0];
      const hours = await ask(HOUR_S * 1000);
      const startMs = Math.floor(fromMs / 3_600_000) * 3_600_000;
      const minutes = await ask(60_000, startMs);
      assert.deepEqual(fold(hours), fold(minutes), `${name} ${fromMs} ${toMs}`);
      const twoHours = await ask(2 * HOUR_S * 1000);
      assert.ok((twoHours?.atMs.length ?? 0) > 5);
      // An hour by itself, by the minute.
      const noonMs = Math.floor(START / 3_600_000) * 3_600_000 + 4 * 3_600_000;
      const own = await rig.query({ name, fromMs: noonMs, toMs: noonMs + 3_600_000, stepMs: 60_000, buckets: true });
      const i = hours?.atMs.indexOf(noonMs) ?? -1;
      const merged = new BucketSum();
      for (const pairs of own.series[0]?.buckets ?? [])
        for (let b = 0; b < pairs.length; b += 2) merged.add(pairs[b] ?? 0, pairs[b + 1] ?? 0);
      const pairs: number[] = [];
      merged.each((key, count) => pairs.push(key, count));
      assert.deepEqual(hours?.buckets?.[i], pairs);
    }
  }
});
