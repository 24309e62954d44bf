// What several processes measure, as one: sums that never fall, gauges by process, the machine once, silence that ends gauges.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MergedReadings } from '../../../src/cli/processes/readings.ts';
import { RegistryFeed, type SeriesReading } from '../../../src/ops/alerts/index.ts';

const ended = (outcome: string, value: number): SeriesReading => ({
  ...{ name: 'syrinx.sessions.ended', labels: { outcome }, kind: 'counter', value },
});
const gauge = (name: string, value: number | null): SeriesReading => ({
  ...{ name, labels: {}, kind: 'gauge', value: value as number },
});
const histogram = (count: number, sum: number): SeriesReading => ({
  name: 'h',
  labels: {},
  kind: 'histogram',
  count,
  sum,
});
const said = (...readings: SeriesReading[]) => ({ facts: [], readings });
const of = (all: readonly SeriesReading[], name: string) => all.filter((one) => one.name === name);

test('counts of all processes are added up, and stay counted when one of them dies and begins anew', () => {
  const merged = new MergedReadings();
  merged.take(1, said(ended('failed', 3), histogram(4, 2)), 0);
  merged.take(2, said(ended('failed', 5), histogram(1, 0.5)), 0);
  const value = (nowMs: number) =>
    of(merged.readings(nowMs), 'syrinx.sessions.ended').map((one) => 'value' in one && one.value);
  assert.deepEqual(value(0), [8]);
  assert.deepEqual(value(60_000), [8], 'who says nothing has counted all the same');
  merged.take(2, said(ended('failed', 1), histogram(0, 0)), 61_000);
  assert.deepEqual(value(61_000), [9]);
  merged.take(2, said(ended('failed', 4), histogram(2, 1)), 62_000);
  merged.take(2, said(ended('failed', 0), histogram(1, 0.25)), 63_000);
  assert.deepEqual(value(63_000), [12]);
  assert.deepEqual(of(merged.readings(63_000), 'h'), [histogram(4 + 1 + 2 + 1, 2 + 0.5 + 1 + 0.25)]);
});

test("a gauge stays its own process's, what the machine says is said once, and a silent process says nothing for long", () => {
  const merged = new MergedReadings();
  for (const process of [1, 2]) {
    merged.take(process, said(gauge('syrinx.queue.size', process), gauge('syrinx.system.cpu', 0.5)), 1000 * process);
  }
  assert.deepEqual(
    of(merged.readings(2000), 'syrinx.queue.size').map(({ labels }) => labels),
    [{ process: '1' }, { process: '2' }],
  );
  assert.equal(of(merged.readings(2000), 'syrinx.system.cpu').length, 1);
  assert.deepEqual(
    of(merged.readings(6500), 'syrinx.queue.size').map(({ labels }) => labels),
    [{ process: '2' }],
  );
  merged.take(1, said(gauge('syrinx.queue.size', null)), 7000);
  const [unreadable] = of(merged.readings(7000), 'syrinx.queue.size');
  assert.ok(
    unreadable !== undefined && 'value' in unreadable && Number.isNaN(unreadable.value),
    'JSON says null for NaN',
  );
});

test('the error rate of all processes is judged as one, over the death of the one that failed', () => {
  const merged = new MergedReadings();
  const feed = new RegistryFeed();
  const rate = (nowMs: number) =>
    feed.points(merged.readings(nowMs), nowMs).find(({ metric }) => metric === 'session.error_rate')?.value;
  merged.take(1, said(ended('failed', 0), ended('completed', 10)), 0);
  merged.take(2, said(ended('failed', 0), ended('completed', 10)), 0);
  assert.equal(rate(0), undefined);
  merged.take(1, said(ended('failed', 6), ended('completed', 10)), 60_000);
  merged.take(2, said(ended('failed', 0), ended('completed', 24)), 60_000);
  assert.equal(rate(60_000), 0.3);
  merged.take(1, said(), 70_000);
  assert.equal(rate(70_000), 0.3, 'nothing is forgotten with the process');
});
