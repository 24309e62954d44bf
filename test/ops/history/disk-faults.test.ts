// Disks that are full, taken, read-only, gone or from a later version, and clocks that jump: calls never notice, and little is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRig, Disk, START } from './history-rig.ts';

const HOUR_S = 3600;
const sumOf = (values: readonly number[] | undefined) => values?.reduce((a, b) => a + b, 0);

test('a full disk stops the writing alone; when there is room again everything is written', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(100, () => calls.add());
  disk.failing = 'ENOSPC';
  await rig.seconds(HOUR_S, () => calls.add());
  assert.match(rig.history.state.problem ?? '', /ENOSPC/);
  assert.equal(rig.told.filter((line) => line.startsWith('error')).length, 1, 'said once');
  assert.equal(sumOf((await rig.query({ name: 'calls', stepMs: 60_000 })).series[0]?.sum), HOUR_S + 100);
  disk.failing = null;
  await rig.seconds(11, () => calls.add());
  assert.equal(rig.history.state.problem, null);
  disk.kill();
  const next = createRig(disk.open, { startMs: rig.epochMs });
  await next.history.start();
  const { series } = await next.query({ name: 'calls', fromMs: START, stepMs: 60_000 });
  // All but the open minute, each second once.
  assert.equal(sumOf(series[0]?.sum), HOUR_S + 60 + 30);
});

test('a disk that stays full fills no memory', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { limits: { maxMemoryBytes: 20_000 } });
  const gauge = rig.registry.gauge({ name: 'noise', help: 'h' }).labels();
  await rig.history.start();
  disk.failing = 'ENOSPC';
  let n = 1;
  await rig.seconds(8 * HOUR_S, () => {
    n = (n * 16807) % 2147483647;
    gauge.set(n / 1000);
  });
  assert.ok(rig.history.state.bytes <= 20_000, String(rig.history.state.bytes));
  const { series } = await rig.query({ name: 'noise', fromMs: rig.epochMs - 2 * HOUR_S * 1000, stepMs: 60_000 });
  assert.equal(series[0]?.atMs.length, 121);
});

for (const [name, code] of [
  ['read-only', 'EROFS'],
  ['not allowed', 'EACCES'],
] as const) {
  test(`a folder that is ${name}: in memory, with the reason; asked again every 10 s`, async () => {
    const disk = new Disk();
    disk.failing = code;
    const rig = createRig(disk.open);
    await rig.history.start();
    await rig.seconds(5);
    assert.match(rig.history.state.problem ?? '', new RegExp(code));
    assert.equal(rig.history.state.storage, 'memory');
    disk.failing = null;
    await rig.seconds(12);
    assert.equal(rig.history.state.storage, 'disk');
    assert.match(rig.told.at(-1) ?? '', /written to disk again/);
  });
}

test('two processes: the second waits in memory, and brings what it has when the first is gone', async () => {
  const disk = new Disk();
  const first = createRig(disk.open);
  const firstCalls = first.registry.counter({ name: 'calls', help: 'h' }).labels();
  await first.history.start();
  const second = createRig(disk.open);
  const calls = second.registry.counter({ name: 'calls', help: 'h' }).labels();
  await second.history.start();
  assert.match(second.history.state.problem ?? '', /belongs to process 7/);
  await first.seconds(60, () => firstCalls.add(10));
  await second.seconds(60, () => calls.add());
  await first.history.stop();
  await second.seconds(12, () => calls.add());
  assert.equal(second.history.state.problem, null);
  const { series } = await second.query({ name: 'calls', stepMs: 86_400_000 });
  assert.equal(sumOf(series[0]?.sum), 600 + 72);
});

test('a folder of a later version is left as it is', async () => {
  const disk = new Disk();
  await disk.files.replace('format.json', new TextEncoder().encode('{"format": 2}'));
  await disk.files.replace('minutes-2026-11-28T09-1.block', new Uint8Array(10));
  const rig = createRig(disk.open);
  await rig.history.start();
  await rig.seconds(130);
  assert.match(rig.history.state.problem ?? '', /is of version 2, this program reads up to 1/);
  assert.deepEqual(await disk.names(), ['format.json', 'minutes-2026-11-28T09-1.block']);
  assert.equal(disk.isTaken, false);
});

test('a kill between the blocks of an hour, or before its journal is removed, counts nothing twice', async () => {
  for (const lost of ['minutes-2026-11-28T09-1.block', null]) {
    const disk = new Disk();
    const rig = createRig(disk.open);
    const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
    await rig.history.start();
    await rig.seconds(30, () => calls.add());
    await rig.seconds(1, () => calls.add());
    // As it was just before the hour was sealed.
    const [journal = ''] = await disk.names('journal');
    const bytes = (await disk.files.read(journal)) ?? new Uint8Array();
    await rig.seconds(70, () => calls.add());
    disk.kill();
    const targets = ['seconds-2026-11-28T09-1.block', 'minutes-2026-11-28T09-1.block'];
    assert.deepEqual((await disk.names('.block')).sort(), [...targets].sort());
    await disk.files.replace(journal, bytes);
    await disk.files.replace('intent.json', new TextEncoder().encode(JSON.stringify({ targets, sources: [journal] })));
    if (lost !== null) await disk.files.remove(lost);
    const next = createRig(disk.open, { startMs: rig.epochMs });
    await next.history.start();
    for (const stepMs of [1000, 60_000]) {
      const { series } = await next.query({ name: 'calls', fromMs: START, toMs: START + 30_000, stepMs });
      assert.equal(sumOf(series[0]?.sum), lost === null ? 30 : sumOf(series[0]?.count));
    }
  }
});

test('a clock that is put back and forth loses and deletes nothing', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open, { retentionHours: 1 });
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(1800, () => calls.add());
  // An hour back, then a year on, then as it should be.
  rig.epochMs -= HOUR_S * 1000;
  await rig.seconds(600, () => calls.add());
  rig.epochMs += 365 * 86_400_000;
  await rig.seconds(600, () => calls.add());
  rig.epochMs = START + 3000 * 1000;
  await rig.seconds(600, () => calls.add());
  assert.equal(rig.told.filter((line) => line.includes('clock jumped')).length, 3);
  const all = { fromMs: START - 2 * HOUR_S * 1000, toMs: START + 400 * 86_400_000, stepMs: 86_400_000 };
  assert.equal(sumOf((await rig.query({ name: 'calls', ...all })).series[0]?.sum), 3600);
  await rig.history.stop();
  const next = createRig(disk.open, { startMs: rig.epochMs });
  await next.history.start();
  assert.equal(sumOf((await next.query({ name: 'calls', ...all })).series[0]?.sum), 3600);
});

test('ten minutes in which nobody looked are a gap, and the sum is right', async () => {
  const rig = createRig();
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(60, () => calls.add());
  rig.sleep(600_000);
  calls.add(100);
  await rig.seconds(60, () => calls.add());
  const { series } = await rig.query({ name: 'calls', stepMs: 60_000 });
  assert.equal(sumOf(series[0]?.sum), 220);
  assert.equal(series[0]?.atMs.length, 4);
});

test('times that no calendar has are left out', async () => {
  const rig = createRig();
  await rig.history.start();
  for (const epochMs of [Number.NaN, -1, 1e18, START]) {
    rig.epochMs = epochMs;
    await rig.seconds(1);
  }
  assert.equal(rig.history.state.problem, null);
});

test('a flood of series stops at the limit', async () => {
  const rig = createRig(undefined, { limits: { maxSeries: 20 } });
  const flood = rig.registry.counter({ name: 'flood', help: 'h', labels: ['who'] });
  await rig.history.start();
  let n = 0;
  await rig.seconds(200, () => flood.labels({ who: String(n++) }).add());
  assert.ok(rig.history.state.series <= 20);
});

test('queries that ask for too much are refused with what to do', async () => {
  const rig = createRig();
  const flood = rig.registry.gauge({ name: 'wide', help: 'h', labels: ['who'] });
  for (let i = 0; i < 150; i++) flood.labels({ who: String(i) }).set(i);
  await rig.history.start();
  await rig.seconds(3);
  const refused = async (query: object, message: RegExp) =>
    await assert.rejects(rig.query({ name: 'wide', ...query }), (error: unknown) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  await refused({}, /150 series/);
  await refused({ labels: { who: '3' }, fromMs: START - 86_400_000, stepMs: 1000 }, /more than 11000 steps/);
  await refused({ fromMs: START, toMs: START }, /before/);
  await refused({ stepMs: 1500 }, /whole seconds/);
  await refused({ quantiles: [2] }, /quantiles/);
  const one = await rig.query({ name: 'wide', labels: { who: '3' } });
  assert.equal(one.series.length, 1);
});
