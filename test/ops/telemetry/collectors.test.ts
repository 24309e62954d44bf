// Collectors: both forms of the answer, hanging, throwing and rubbish ones, floods, collisions; each harms only itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';
import { type Collector, CollectorSet, startCollecting } from '../../../src/ops/telemetry/index.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';

function rig() {
  const time = new VirtualTime();
  const registry = createRegistry({ maxSeriesPerInstrument: 20 });
  const set = new CollectorSet();
  const said: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const warn = (message: string, fields: Readonly<Record<string, unknown>>) => void said.push({ message, fields });
  const collecting = startCollecting({ set, registry, clock: time, intervalMs: 1000, warn });
  const value = (name: string, labels: Record<string, string> = {}) => {
    const found = takeSnapshot(registry).find(
      (one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels),
    );
    return found === undefined || found.kind === 'histogram' ? null : found.value;
  };
  return { time, registry, set, said, collecting, value };
}

test('R-13: pairs and objects, at once and later, are gauges under their own names', async () => {
  const { time, set, value, said } = rig();
  set.register('database.connections', () => [{ name: 'database.connections.active', value: 7 }]);
  set.register('business.conversion_rate', async () => [['business.conversion_rate', 0.25]]);
  set.register('regions', () => [
    { name: 'pool.size', value: 1, labels: { region: 'eu' } },
    { name: 'pool.size', value: 2, labels: { region: 'us' } },
  ]);
  await time.runTo(1000);
  assert.equal(value('database.connections.active'), 7);
  assert.equal(value('business.conversion_rate'), 0.25);
  assert.equal(value('pool.size', { region: 'us' }), 2);
  assert.deepEqual(said, []);
});

test('R-13: one that throws, one that hangs and one that talks rubbish stop no other; each is said once and counted', async () => {
  const { time, set, value, said } = rig();
  let rounds = 0;
  let hung = 0;
  let aborted = false;
  set.register('throws', () => {
    throw new Error('no database');
  });
  set.register('hangs', (signal) => {
    hung++;
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return new Promise<never>(() => {});
  });
  set.register('rubbish', (() => 'seven') as unknown as Collector);
  set.register('works', () => [{ name: 'works.rounds', value: ++rounds }]);
  await time.runTo(5500);
  assert.equal(value('works.rounds'), 5);
  assert.equal(hung, 1, 'a hanging collector is asked once');
  assert.ok(aborted);
  const kinds = said.map(({ fields }) => `${fields.collector} ${fields.kind}`).sort();
  assert.deepEqual(kinds, ['hangs timeout', 'rubbish rubbish', 'throws threw']);
  assert.equal(value('syrinx.collectors.failures', { kind: 'threw' }), 5);
  assert.equal(value('syrinx.collectors.failures', { kind: 'rubbish' }), 5);
  assert.equal(value('syrinx.collectors.failures', { kind: 'timeout' }), 1);
});

test('points that are no numbers under names are refused one by one; the good ones are taken', async () => {
  const { time, set, value, said } = rig();
  const points = [
    { name: 'good.one', value: 1 },
    { name: 'bad.nan', value: Number.NaN },
    { name: 'bad.infinite', value: Number.POSITIVE_INFINITY },
    { name: 'bad.text', value: '5' },
    { name: 'bad name', value: 5 },
    { name: 'bad.labels', value: 5, labels: { 'a-b': 'x' } },
    { name: 'bad.label.value', value: 5, labels: { a: 5 } },
    null,
    'x',
    ['only.name'],
    ['good.two', 2],
  ];
  set.register('mixed', (() => points) as unknown as Collector);
  await time.runTo(1000);
  assert.equal(value('good.one'), 1);
  assert.equal(value('good.two'), 2);
  assert.equal(value('bad.nan'), null);
  assert.equal(value('syrinx.collectors.refused'), 9);
  assert.equal(said.length, 1);
});

test('names that are other metrics, or would be after their signs are replaced, are refused', async () => {
  const { time, set, registry, value, said } = rig();
  registry.counter({ name: 'syrinx.sessions.started', help: 'x' });
  set.register('thief', () => [
    { name: 'syrinx.sessions.started', value: 5 },
    { name: 'a.b', value: 1 },
    { name: 'a_b', value: 2 },
  ]);
  await time.runTo(1000);
  assert.equal(value('syrinx.sessions.started'), 0);
  assert.equal(value('a.b'), 1);
  assert.equal(value('a_b'), null);
  assert.equal(value('syrinx.collectors.refused'), 2);
  assert.equal(said.length, 1);
});

test('a flood of labels or of names ends at a bound', async () => {
  const { time, set, registry, value } = rig();
  let n = 0;
  set.register('labels', () => [{ name: 'flood.labels', value: 1, labels: { id: String(n++) } }]);
  set.register('names', () => Array.from({ length: 500 }, (_, i) => ({ name: `flood.names.${i}`, value: 1 })));
  await time.runTo(60_000);
  const series = registry.families().find(({ name }) => name === 'flood.labels')?.series.length ?? 0;
  assert.ok(series <= 21, `${series} series`);
  assert.equal(value('flood.names.199'), 1);
  assert.equal(value('flood.names.200'), null);
});

test('what is not told any more is not known any more', async () => {
  const { time, set, value } = rig();
  let answer: readonly { name: string; value: number }[] = [{ name: 'seen', value: 1 }];
  let fails = false;
  const stop = set.register('source', () => {
    if (fails) throw new Error('gone');
    return answer;
  });
  await time.runTo(1000);
  assert.equal(value('seen'), 1);
  answer = [];
  await time.runTo(2000);
  assert.equal(value('seen'), null);
  answer = [{ name: 'seen', value: 2 }];
  await time.runTo(3000);
  assert.equal(value('seen'), 2);
  fails = true;
  await time.runTo(4000);
  assert.equal(value('seen'), null);
  stop();
  assert.deepEqual(set.list(), []);
});

test("the specification's names set the instrument in base units; what is worked out cannot be set", async () => {
  const { time, set, registry, value, said } = rig();
  registry.gauge({ name: 'syrinx.network.utilization', help: 'x', unit: '1' });
  set.register('router', () => [
    { name: 'network.utilization_percent', value: 45 },
    { name: 'conversation.response_ms', value: 1 },
  ]);
  await time.runTo(1000);
  assert.equal(value('syrinx.network.utilization'), 0.45);
  assert.equal(value('conversation.response_ms'), null);
  assert.match(String(said[0]?.fields.error), /worked out by this program/);
});

test('the same name again replaces; registrations are checked and bounded', async () => {
  const { time, set, value, collecting } = rig();
  set.register('one', () => [{ name: 'old', value: 1 }]);
  set.register('one', () => [{ name: 'new', value: 1 }]);
  await time.runTo(1000);
  assert.equal(value('old'), null);
  assert.equal(value('new'), 1);
  assert.throws(() => set.register('', () => []), RangeError);
  assert.throws(() => set.register('x', 5 as never), TypeError);
  assert.throws(() => set.register('x', () => [], { timeoutMs: 0 }), RangeError);
  for (let i = 0; i < 99; i++) set.register(`more ${i}`, () => []);
  assert.throws(() => set.register('too many', () => []), /At most 100/);
  collecting.stop();
  assert.equal(time.pending, 0);
});
