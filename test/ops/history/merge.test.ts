// Several processes as one: what is added is added, percentiles are those of all values, what cannot be added keeps its process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergedSource, UnavailableError } from '../../../src/ops/history/merge.ts';
import type { HistorySource } from '../../../src/ops/history/source.ts';
import { sourceOf } from '../../../src/ops/history/source.ts';
import { createRig, type Rig, START } from './history-rig.ts';

const pacing = { now: () => 0, pause: async () => {} };
const sourceIn = (rig: Rig): HistorySource => sourceOf(rig.history, pacing);
const silent: HistorySource = {
  status: () => Promise.reject(new Error('gone')),
  series: () => Promise.reject(new Error('gone')),
  query: () => Promise.reject(new Error('gone')),
};

/** Two processes of which one is slow and rare, the other quick and busy, for two minutes. */
async function twoProcesses() {
  const rigs = [createRig(), createRig()] as const;
  const [busy, slow] = rigs;
  const instruments = rigs.map(({ registry }) => ({
    calls: registry.counter({ name: 'calls', help: 'h' }).labels(),
    active: registry.gauge({ name: 'active', help: 'h' }).labels(),
    time: registry.histogram({ name: 'time', help: 'h', unit: 's', labels: ['stage'] }).labels({ stage: 'stt' }),
  }));
  await Promise.all(rigs.map(({ history }) => history.start()));
  await busy.seconds(120, () => {
    instruments[0]?.calls.add(3);
    instruments[0]?.active.set(10);
    for (let i = 0; i < 9; i++) instruments[0]?.time.record(0.1);
  });
  await slow.seconds(120, () => {
    instruments[1]?.calls.add(1);
    instruments[1]?.active.set(2);
    instruments[1]?.time.record(2);
  });
  return mergedSource(
    new Map([
      ['1', sourceIn(busy)],
      ['2', sourceIn(slow)],
    ]),
  );
}
const range = { fromMs: START - 60_000, toMs: START + 180_000, stepMs: 60_000 };

test('counters are added; histograms give the percentiles of all values, not a mean of percentiles', async () => {
  const source = await twoProcesses();
  const calls = await source.query({ name: 'calls', ...range });
  assert.deepEqual(
    calls.series.map(({ sum, count }) => [sum, count]),
    [
      [
        [120, 240, 120],
        [60, 120, 60],
      ],
    ],
  );
  const time = (await source.query({ name: 'time', ...range, quantiles: [0.5, 0.89, 0.95] })).series[0];
  assert.deepEqual(time?.info.labels, { stage: 'stt' });
  assert.deepEqual(time?.count, [300, 600, 300]);
  const [p50, p89, p95] = time?.quantiles.map((column) => column[1] ?? Number.NaN) ?? [];
  // Nine of ten values are 0.1 s: a mean of both processes' p89 would be 1.05.
  for (const [value, wanted] of [
    [p50, 0.1],
    [p89, 0.1],
    [p95, 2],
  ] as const)
    assert.ok(Math.abs((value ?? 0) / wanted - 1) < 0.006, `${value} is not ${wanted}`);
  assert.equal(time?.buckets, undefined, 'not asked for');
});

test('a merged answer equals that of one process that saw everything', async () => {
  const value = fc.double({ min: 1e-4, max: 100, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, fc.nat(2)), { minLength: 1, maxLength: 60 }), async (values) => {
      const rigs = [createRig(), createRig(), createRig(), createRig()];
      const record = rigs.map(({ registry }) => {
        const time = registry.histogram({ name: 'time', help: 'h' }).labels();
        const count = registry.counter({ name: 'count', help: 'h' }).labels();
        return (seen: number) => {
          time.record(seen);
          count.add(2);
        };
      });
      await Promise.all(rigs.map(({ history }) => history.start()));
      for (const [seen, process] of values) {
        record[process]?.(seen);
        record[3]?.(seen);
        for (const rig of rigs) await rig.seconds(1);
      }
      const sources = rigs.map(sourceIn);
      const merged = mergedSource(new Map(sources.slice(0, 3).map((source, i) => [String(i), source])));
      for (const name of ['time', 'count']) {
        const query = { name, ...range, stepMs: 10_000, quantiles: [0, 0.5, 0.99, 1], buckets: true };
        const whole = (await (sources[3] as HistorySource).query(query)).series[0];
        const together = (await merged.query(query)).series[0];
        // Of a counter each process has seconds of its own; only their sum is that of all.
        if (name === 'time') {
          const columns = (one: typeof whole) => [one?.quantiles, one?.buckets, one?.count, one?.atMs];
          assert.deepEqual(columns(together), columns(whole));
        }
        together?.sum.forEach((sum, i) => assert.ok(Math.abs(sum - (whole?.sum[i] ?? 0)) <= 1e-4 * (1 + sum)));
      }
    }),
    { numRuns: 15 },
  );
});

test('gauges keep their process, since nobody knows whether they may be added; a label chooses one process of all', async () => {
  const source = await twoProcesses();
  const gauges = (await source.query({ name: 'active', ...range })).series;
  assert.deepEqual(
    gauges.map(({ info, max }) => [info.labels, max[0]]),
    [
      [{ process: '1' }, 10],
      [{ process: '2' }, 2],
    ],
  );
  const one = await source.query({ name: 'calls', ...range, labels: { process: '2' } });
  assert.deepEqual(
    one.series.map(({ info, sum }) => [info.labels, sum]),
    [[{ process: '2' }, [30, 60, 30]]],
  );
  await assert.rejects(source.query({ name: 'calls', ...range, labels: { process: '3' } }), /there are 1, 2/);
  const series = await source.series();
  assert.deepEqual(
    series.filter(({ name }) => ['calls', 'active'].includes(name)).map(({ name, labels }) => [name, labels]),
    [
      ['calls', {}],
      ['active', { process: '1' }],
      ['active', { process: '2' }],
    ],
  );
});

test('a process that does not answer is named; where none does there is no answer', async () => {
  const rig = createRig();
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(30, () => calls.add());
  const source = mergedSource(
    new Map([
      ['1', sourceIn(rig)],
      ['2', silent],
    ]),
  );
  const answer = await source.query({ name: 'calls', ...range });
  assert.deepEqual([answer.missing, answer.series[0]?.sum], [['2'], [30]]);
  assert.match((await source.status()).problem ?? '', /process 2 does not answer/);
  const nobody = mergedSource(new Map([['1', silent]]));
  await assert.rejects(nobody.query({ name: 'calls', ...range }), UnavailableError);
  await assert.rejects(source.query({ name: 'calls', ...range, stepMs: 1500 }), RangeError);
});
