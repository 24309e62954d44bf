// What leaves the program: numbers come out as they went in, in each format, over ranges that are longer than a query.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXPORT_FORMATS, type ExportFormat, exportPieces } from '../../../src/ops/history/export/formats.ts';
import { chosenSeries, exportRange, wholeSeries } from '../../../src/ops/history/export/whole-series.ts';
import type { HistoryAnswer } from '../../../src/ops/history/query.ts';
import { selector, unknownMetric } from '../../../src/ops/history/selector.ts';
import { sourceOf } from '../../../src/ops/history/source.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { createRig, START } from './history-rig.ts';

const exportText = (format: ExportFormat, answer: HistoryAnswer) => [...exportPieces(format, answer)].join('');
const MINUTE = Date.UTC(2026, 10, 28, 10, 0, 0);

/** Two minutes from a full one on: 1 call a second, levels 0..59 twice, one value a second that doubles. */
async function twoMinutes() {
  const rig = createRig(undefined, { startMs: MINUTE, instruments: undefined });
  const calls = rig.registry.counter({ name: 'calls', help: 'h', labels: ['who'] });
  const level = rig.registry.gauge({ name: 'level', help: 'h', unit: '1' }).labels();
  const time = rig.registry.histogram({ name: 'turn.time', help: 'h', unit: 's' }).labels();
  const size = rig.registry.histogram({ name: 'size', help: 'h', unit: 'By' }).labels();
  await rig.history.start();
  let n = 0;
  await rig.seconds(120, () => {
    calls.labels({ who: 'a "quoted" \\ name' }).add();
    level.set(n % 60);
    time.record(n < 60 ? 0.09 : 3);
    size.record(2 ** (n % 4));
    n++;
  });
  const ask = { name: '*', fromMs: MINUTE, toMs: MINUTE + 120_000, stepMs: 60_000, buckets: true };
  return { rig, ask };
}

test('OpenMetrics: families stand together, totals rise from zero, each sample bears the end of its step', async () => {
  const { rig, ask } = await twoMinutes();
  const text = exportText(EXPORT_FORMATS.prometheus, await rig.query(ask));
  const lines = text.split('\n');
  const of = (start: string) => lines.filter((line) => line.startsWith(start));
  const at = MINUTE / 1000;
  assert.deepEqual(of('calls_total'), [
    `calls_total{who="a \\"quoted\\" \\\\ name"} 0 ${at}`,
    `calls_total{who="a \\"quoted\\" \\\\ name"} 60 ${at + 60}`,
    `calls_total{who="a \\"quoted\\" \\\\ name"} 120 ${at + 120}`,
  ]);
  assert.deepEqual(of('level_ratio '), [`level_ratio 29.5 ${at + 60}`, `level_ratio 29.5 ${at + 120}`]);
  assert.deepEqual(of('level_ratio_max '), [`level_ratio_max 59 ${at + 60}`, `level_ratio_max 59 ${at + 120}`]);
  assert.deepEqual(of('turn_time_seconds_bucket{le="0.1"}').slice(1), [
    `turn_time_seconds_bucket{le="0.1"} 60 ${at + 60}`,
    `turn_time_seconds_bucket{le="0.1"} 60 ${at + 120}`,
  ]);
  assert.deepEqual(
    of('turn_time_seconds_bucket{le="+Inf"}').at(-1),
    `turn_time_seconds_bucket{le="+Inf"} 120 ${at + 120}`,
  );
  assert.deepEqual(of('turn_time_seconds_count').at(-1), `turn_time_seconds_count 120 ${at + 120}`);
  // Powers of two lie on borders of the buckets: nothing is a little off.
  assert.deepEqual(
    of('size_bytes_bucket').filter((line) => line.endsWith(String(at + 120))),
    [1, 2, 4, 8, '+Inf'].map((le, i) => `size_bytes_bucket{le="${le}"} ${Math.min(120, 30 * (i + 1))} ${at + 120}`),
  );
  assert.equal(text.endsWith('\n# EOF\n'), true);
  const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.slice(7));
  assert.deepEqual(types, [
    'calls counter',
    'level_ratio gauge',
    'level_ratio_min gauge',
    'level_ratio_max gauge',
    'size_bytes histogram',
    'turn_time_seconds histogram',
  ]);
});

test('JSON and CSV hold the columns of the answer', async () => {
  const { rig, ask } = await twoMinutes();
  const answer = await rig.query({ ...ask, name: 'calls', quantiles: [0.5], buckets: false });
  const json = JSON.parse(exportText(EXPORT_FORMATS.json, answer)) as typeof answer;
  assert.deepEqual(json.series, answer.series);
  assert.deepEqual([json.fromMs, json.stepMs, json.quantiles], [answer.fromMs, 60_000, [0.5]]);
  assert.deepEqual(exportText(EXPORT_FORMATS.csv, answer).split('\r\n'), [
    'time,name,labels,count,sum,min,max,q0.5',
    '2026-11-28T10:00:00.000Z,"calls","{""who"":""a \\""quoted\\"" \\\\ name""}",60,60,1,1,1',
    '2026-11-28T10:01:00.000Z,"calls","{""who"":""a \\""quoted\\"" \\\\ name""}",60,60,1,1,1',
    '',
  ]);
});

test('a range of more steps than a query may have comes in pieces, whole', async () => {
  const rig = createRig(undefined, { instruments: undefined });
  const calls = rig.registry.counter({ name: 'calls', help: 'h', labels: ['who'] });
  calls.labels({ who: 'b' }).add(0);
  await rig.history.start();
  await rig.seconds(12_000, () => calls.labels({ who: 'a' }).add(2));
  const source = sourceOf(rig.history, { now: () => 0, pause: async () => {} });
  const range = exportRange({ fromMs: START, toMs: rig.epochMs, stepMs: 1000 });
  const [info] = chosenSeries(await source.series(), ['calls'], { who: 'a' });
  assert.ok(info !== undefined);
  const whole = await wholeSeries(source, info, range, {});
  assert.deepEqual([whole?.atMs.length, whole?.atMs[0], whole?.atMs.at(-1)], [12_000, START, rig.epochMs - 1000]);
  assert.ok(whole?.sum.every((sum) => sum === 2));
  assert.throws(() => exportRange({ fromMs: 0, toMs: rig.epochMs, stepMs: 1000 }), /more than 1000000 steps/);
  assert.throws(() => exportRange({ fromMs: 0, toMs: 10_000, stepMs: 1500 }), /whole seconds/);
  assert.throws(() => exportRange({ fromMs: 10, toMs: 10 }), /before/);
});

test('names are those of the registry or of /metrics, with * for anything; unknown ones are told with the nearest', () => {
  const info = { name: 'turn.time', kind: 'histogram', unit: 's', labels: { stage: 'stt' } } as const;
  for (const name of ['turn.time', 'turn_time_seconds', '*', 'turn.*', '*time*', 't*.t*e', 'turn_*_seconds'])
    assert.equal(selector(name)(info), true, name);
  for (const name of ['turn', 'time', 'turn.time.*', 't*n*.x', '', 'Turn.time', 'turn.t*turn.time'])
    assert.equal(selector(name)(info), false, name);
  assert.equal(selector('*', { stage: 'llm' })(info), false);
  assert.match(
    unknownMetric(['turn.time', 'turn.tiem'], [info], nearest) ?? '',
    /"turn\.tiem"; did you mean "turn\.time"/,
  );
  assert.match(unknownMetric(['nothing.like.it'], [info], nearest) ?? '', /no history of "nothing\.like\.it"; .*list/);
  assert.match(unknownMetric(['x*'], [info], nearest) ?? '', /fits "x\*"/);
  assert.equal(unknownMetric(['turn*'], [info], nearest), undefined);
});
