// Readings: a table that only grows, totals and values by number, and of histograms what came since the last reading.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReader, createRegistry, SCALE } from '../../src/metrics/index.ts';

const named = (name: string, labels: readonly string[] = []) => ({ name, help: 'h', labels });

test('series keep their numbers, unknown gauges are NaN', () => {
  const registry = createRegistry();
  const calls = registry.counter(named('calls', ['way'])).labels({ way: 'in' });
  const gauge = registry.gauge(named('level')).labels();
  const read = createReader(registry, 10);
  calls.add(3);
  const first = read();
  assert.deepEqual(
    first.added.map(({ name, kind, labels }) => [name, kind, labels.way]),
    [
      ['calls', 'counter', 'in'],
      ['level', 'gauge', undefined],
    ],
  );
  assert.deepEqual([...first.values], [3, Number.NaN]);
  registry
    .counter(named('calls', ['way']))
    .labels({ way: 'out' })
    .add(7);
  gauge.set(2);
  calls.add();
  const second = read();
  assert.equal(second.added[0]?.labels.way, 'out');
  assert.deepEqual([...second.values], [4, 2, 7]);
});

test('a histogram tells what it gained, exactly, and nothing when it rests', () => {
  const registry = createRegistry();
  const histogram = registry.histogram(named('time')).labels();
  const read = createReader(registry, 10);
  assert.deepEqual(read().gains, []);
  for (const value of [0, 0.25, 0.25, 3]) histogram.record(value);
  const [gain] = read().gains;
  assert.deepEqual(gain, {
    series: 0,
    count: 4,
    sum: 3.5,
    zeros: 1,
    indexes: [-2 * 2 ** SCALE - 1, Math.ceil(Math.log2(3) * 2 ** SCALE) - 1],
    counts: [2, 1],
  });
  assert.deepEqual(read().gains, []);
  histogram.record(3);
  assert.deepEqual(read().gains[0]?.counts, [1]);
});

test('a flood of labels stops at the limit, each series told once', () => {
  const registry = createRegistry();
  let dropped = 0;
  const read = createReader(registry, 3, () => dropped++);
  const counter = registry.counter(named('calls', ['who']));
  for (let i = 0; i < 8; i++) counter.labels({ who: String(i) }).add(i);
  assert.deepEqual([...read().values], [0, 1, 2]);
  read();
  assert.equal(dropped, 5);
});
