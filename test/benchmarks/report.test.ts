// The performance report: verdicts, the gate, and that every figure in it comes from a measurement of this run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '../../benchmarks/machine.ts';
import { BASELINES } from '../../benchmarks/performance/baselines.ts';
import { describeCapacity } from '../../benchmarks/performance/capacity.ts';
import type { LoadFigure } from '../../benchmarks/performance/calls.ts';
import { rate } from '../../benchmarks/performance/rates.ts';
import {
  complaints,
  type Findings,
  judge,
  markdown,
  type Measurement,
  show,
  stored,
} from '../../benchmarks/performance/report.ts';
import { percentile, spread } from '../../benchmarks/statistics.ts';

const MACHINE: Machine = {
  date: '2031-05-06T07:08:09.000Z',
  cpu: 'A processor',
  cores: 2,
  memoryGb: 4,
  system: 'an os',
  loadAverage: 0,
  runtime: 'a runtime 1',
  version: '9.9.9',
  commit: 'c0ffee',
};
const findings = (...measurements: Measurement[]): Findings => ({ measurements, remarks: [] });
const verdict = (measurement: Measurement) =>
  judge(findings(measurement)).find(({ baseline }) => baseline.id === measurement.id)?.verdict;
const measured = (id: string, value: number, more: Partial<Measurement> = {}): Measurement => ({
  id,
  value,
  method: 'by hand',
  ...more,
});

test('BEN-01: every line of the baselines is there once', () => {
  const expected = (
    [
      ['LAT', 28],
      ['THR', 10],
      ['RES', 13],
      ['QUA', 6],
      ['AVL', 3],
    ] as const
  ).flatMap(([area, last]) => Array.from({ length: last }, (_, i) => `${area}-${String(i + 1).padStart(2, '0')}`));
  assert.deepEqual(
    BASELINES.map(({ id }) => id),
    expected,
  );
  const text = markdown({ machine: MACHINE, seconds: 1, quick: false }, judge(findings()), [], []);
  for (const id of expected) assert.equal(text.split(`\n| ${id} |`).length, 2, id);
});

test('a value at its bound passes, one beyond it misses, whichever way the bound looks', () => {
  assert.equal(verdict(measured('LAT-01', 50)), 'pass');
  assert.equal(verdict(measured('LAT-01', 50.1)), 'miss');
  assert.equal(verdict(measured('THR-07', 100)), 'pass');
  assert.equal(verdict(measured('THR-07', 99)), 'miss');
});

test('without a measurement a line says why, and never a number', () => {
  for (const { baseline, verdict: given, measurement, text } of judge(findings())) {
    assert.equal(measurement, null);
    assert.equal(given, baseline.external === undefined ? 'not measured' : 'external', baseline.id);
    assert.ok(text.length > 10, baseline.id);
  }
});

test('simulated models decide nothing about providers, and gate nothing', () => {
  const slow = measured('LAT-16', 5000, { simulated: true });
  assert.equal(verdict(slow), 'external');
  assert.deepEqual(complaints(judge(findings(slow))), []);
  const real = measured('LAT-16', 5000);
  assert.equal(verdict(real), 'miss');
  assert.equal(complaints(judge(findings(real))).length, 1);
});

test('wrong findings are refused', () => {
  assert.throws(() => judge(findings(measured('LAT-99', 1))), RangeError);
  assert.throws(() => judge(findings(measured('LAT-01', 1), measured('LAT-01', 2))), RangeError);
  assert.throws(() => judge(findings(measured('LAT-01', Number.NaN))), RangeError);
});

test('the gate: a ratio that is more than 25 % worse is a complaint, a slower machine is not', () => {
  const run = (id: string, value: number, control: number) =>
    judge(findings(measured(id, value, { control: { what: 'control', value: control } })));
  const before = stored(run('LAT-05', 1, 1));
  assert.deepEqual(before, [{ id: 'LAT-05', ratio: 1 }]);
  assert.deepEqual(complaints(run('LAT-05', 1.25, 1), before), []);
  assert.match(complaints(run('LAT-05', 1.3, 1), before)[0] ?? '', /LAT-05 is 30 % worse/);
  assert.deepEqual(complaints(run('LAT-05', 4, 4), before), []);
  assert.deepEqual(complaints(run('LAT-05', 0.1, 1), before), []);
  const rates = stored(run('THR-07', 1000, 1000));
  assert.deepEqual(complaints(run('THR-07', 850, 1000), rates), []);
  assert.match(complaints(run('THR-07', 700, 1000), rates)[0] ?? '', /THR-07 is 43 % worse/);
  assert.deepEqual(complaints(run('THR-07', 5000, 1000), rates), []);
});

test('R-30: the report holds the date of the run, the machine and what was measured', () => {
  const lines = judge({ measurements: [measured('THR-08', 12_345)], remarks: [{ id: 'THR-06', text: 'raw: 7 | 8' }] });
  const text = markdown(
    { machine: MACHINE, seconds: 61, quick: true },
    lines,
    [{ name: 'a part', coldMs: 4.5, medianMs: 0.25, p95Ms: 1 }],
    ['it broke'],
  );
  for (const part of [
    MACHINE.date,
    'c0ffee',
    'a runtime 1',
    '12345 /s',
    'raw: 7 \\| 8',
    'it broke',
    '| a part | 4.50 |',
  ])
    assert.ok(text.includes(part), part);
  assert.ok(!text.includes('No complaint'));
});

test('R-30: the figures change when what is measured changes', () => {
  const wait = (n: number) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.sqrt(i);
    if (sum < 0) throw new Error('unreachable');
  };
  const quick = rate(() => wait(200), 200);
  const slow = rate(() => wait(20_000), 200);
  assert.ok(quick > slow * 5, `${quick} against ${slow}`);

  const figure = (sessions: number, change: Partial<LoadFigure> = {}): LoadFigure => ({
    sessions,
    frameP95Ms: sessions === 1 ? 2 : 6,
    frameMaxMs: 9,
    frames: 1000,
    framesLate: 0,
    overheadMs: [10, 20],
    cpuPercent: 40,
    controlCpuPercent: 10,
    controlP95Ms: 1,
    rssBytes: 200e6,
    ...change,
  });
  const value = (found: Findings, id: string) => found.measurements.find((m) => m.id === id)?.value;
  const good = describeCapacity([figure(1), figure(75), figure(100)], 100e6);
  assert.equal(value(good, 'THR-01'), 100);
  assert.equal(value(good, 'THR-02'), 20);
  assert.equal(value(good, 'THR-04'), 1);
  assert.ok(Math.abs((value(good, 'THR-05') ?? 0) - 0.3) < 1e-9);
  assert.match(good.remarks[0]?.text ?? '', /x 3\)/);
  const bad = describeCapacity([figure(1), figure(75), figure(100, { framesLate: 11, rssBytes: 300e6 })], 100e6);
  assert.equal(value(bad, 'THR-01'), 75);
  assert.equal(value(bad, 'THR-04'), 2);
});

test('percentiles are of the values that there are', () => {
  assert.equal(percentile([5, 1, 3], 0.5), 3);
  assert.equal(percentile([1, 2, 3, 4], 0.95), 4);
  assert.throws(() => percentile([], 0.5), RangeError);
  assert.deepEqual(spread([4, 2, 9]), { median: 4, min: 2, max: 9 });
});

test('numbers are shown with three digits that say something', () => {
  assert.deepEqual([0, 1234.5, 12.345, 0.0012345, 99.96].map(show), ['0', '1235', '12.3', '0.00123', '100.0']);
});
