// A query of many series reads the open hour once for all of them, and says of each what a query of it alone says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HistoryQuery, type HistorySeries, queryHistory } from '../../../src/ops/history/query.ts';
import { createRig, Disk, START } from './history-rig.ts';

/** More than are read together. */
const SERIES = 80;
const HOUR_S = 3600;

type Wide = ReturnType<typeof createWide>;

const secondsOf = (all: readonly HistorySeries[]) => all.map(({ count }) => count.reduce((a, b) => a + b, 0));

function createWide(more: { startMs?: number } = {}) {
  const disk = new Disk();
  const rig = createRig(disk.open, { instruments: undefined, ...more });
  const labels = ['place'];
  const counter = rig.registry.counter({ name: 'wide.calls', help: 'h', labels });
  const gauge = rig.registry.gauge({ name: 'wide.level', help: 'h', labels });
  const histogram = rig.registry.histogram({ name: 'wide.time', help: 'h', labels });
  const moves = Array.from({ length: SERIES }, (_, i) => {
    const place = { place: String(i) };
    if (i % 3 === 0) {
      const time = histogram.labels(place);
      return (n: number) => time.record(1 + ((n * i) % 50));
    }
    if (i % 3 === 1) {
      const calls = counter.labels(place);
      return () => calls.add(1 + (i % 2));
    }
    const level = gauge.labels(place);
    return (n: number) => level.set((n * i) % 7);
  });
  let n = 0;
  const seconds = (count: number) =>
    rig.seconds(count, () => {
      n++;
      for (const move of moves) move(n);
    });
  return { disk, rig, seconds };
}

test('many series together: the same as each by itself, with a fraction of the reads of journals', async () => {
  const { disk, rig, seconds } = createWide();
  let reads = 0;
  const { readAt } = disk.files;
  disk.files.readAt = (name, offset, length) => {
    if (name.startsWith('journal-')) reads++;
    return readAt.call(disk.files, name, offset, length);
  };
  await rig.history.start();
  // Half a minute of them is in blocks, and some of the last is in no journal yet.
  await seconds(1240);
  assert.equal((await disk.names('.block')).length, 2);
  const readsOf = async (query: Partial<HistoryQuery> & { name: string }) => {
    reads = 0;
    const { series } = await rig.query(query);
    return { series, reads };
  };
  const more = { quantiles: [0.5, 0.99], buckets: true };
  const openFromMs = START + 30_000;
  for (const query of [
    { stepMs: 1000, ...more },
    { stepMs: 60_000, ...more },
    { stepMs: 60_000, fromMs: openFromMs },
    { stepMs: 10_000, fromMs: openFromMs + 300_000, toMs: openFromMs + 500_000 },
  ]) {
    const wide = await readsOf({ name: 'wide.*', ...query });
    assert.equal(wide.series.length, SERIES);
    let readsAlone = 0;
    for (const series of wide.series) {
      const { name, labels } = series.info;
      const alone = await readsOf({ name, labels, ...query });
      assert.deepEqual(alone.series, [series]);
      readsAlone += alone.reads;
    }
    assert.ok(wide.reads > 0 && 30 * wide.reads <= readsAlone, `${wide.reads} reads together, ${readsAlone} alone`);
  }
});

test('a journal that cannot be read for a moment is read again; one that still cannot is no empty answer', async () => {
  const { disk, rig, seconds } = createWide();
  await rig.history.start();
  await seconds(100);
  let failures = 0;
  const { readAt } = disk.files;
  disk.files.readAt = (name, offset, length) =>
    name.startsWith('journal-') && failures-- > 0
      ? Promise.reject(Object.assign(new Error('EIO: the disk is away'), { code: 'EIO' }))
      : readAt.call(disk.files, name, offset, length);
  const query = { name: 'wide.*', fromMs: START, stepMs: 1000 };
  failures = 1;
  const { series } = await rig.query(query);
  assert.equal(failures, -2, 'both groups are read, one of them twice');
  assert.deepEqual(secondsOf(series), Array(SERIES).fill(100));
  failures = 2;
  await assert.rejects(rig.query(query), /EIO/);
});

/** Asks with as many rests as can be, and does this at some of them. Says how many seconds of each series were found. */
async function askWhile(
  { rig }: Wide,
  range: { fromMs: number; toMs: number; stepMs: number },
  at: { from: number; to: number; rest(): Promise<void> },
) {
  let looks = 0;
  let rests = 0;
  const answer = await queryHistory(
    rig.history,
    { name: 'wide.*', ...range },
    {
      now: () => looks++,
      pause: async () => {
        rests++;
        if (rests >= at.from && rests < at.to) await at.rest();
      },
    },
  );
  assert.ok(rests >= at.to, `${rests} rests`);
  return secondsOf(answer.series);
}

for (const [what, startMs, isSealed] of [
  ['a minute that is written', START - 210_000, false],
  ['an hour that is sealed', START - 90_000, true],
] as const) {
  test(`${what} while a wide query reads: each second counts once`, async () => {
    const wide = createWide({ startMs });
    await wide.rig.history.start();
    await wide.seconds(100);
    const range = { fromMs: startMs, toMs: wide.rig.epochMs, stepMs: 1000 };
    assert.deepEqual(await wide.disk.names('.block'), []);
    const passing = { from: 1, to: 100, rest: () => wide.seconds(1) };
    assert.deepEqual(await askWhile(wide, range, passing), Array(SERIES).fill(100));
    assert.equal((await wide.disk.names('.block')).length, isSealed ? 2 : 0);
  });
}

// Before anything is read, and when some of the blocks have been.
for (const from of [1, 400]) {
  test(`hours that go from memory to a disk while a wide query reads, at its rest ${from}: each second counts once`, async () => {
    const wide = createWide();
    const { disk, rig } = wide;
    disk.failing = 'ENOSPC';
    await rig.history.start();
    for (let hour = 0; hour < 4; hour++) {
      await wide.seconds(30);
      rig.sleep(HOUR_S * 1000 - 30_000);
    }
    assert.ok(rig.history.state.bytes > 0, 'sealed in memory');
    const range = { fromMs: START, toMs: rig.epochMs - 60_000, stepMs: 60_000 };
    const rest = async () => {
      disk.failing = null;
      await wide.seconds(1);
    };
    assert.deepEqual(await askWhile(wide, range, { from, to: from + 20, rest }), Array(SERIES).fill(4 * 30));
    assert.equal(rig.history.state.storage, 'disk');
  });
}
