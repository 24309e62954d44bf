// The page at `/metrics`: who is measured, many scrapers at once, and what others hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appendText,
  createPrometheusPage,
  createRegistry,
  describeTarget,
  OTLP_POINT,
  type OtlpMetric,
  renderForeign,
  renderPrometheus,
} from '../../src/metrics/index.ts';

test('a thousand scrapers at once cost a few renders, and nobody gets old numbers for long', () => {
  const registry = createRegistry();
  let renders = 0;
  registry
    .gauge({ name: 'looked', help: 'L.' })
    .labels()
    .observe(() => ++renders);
  let nowMs = 0;
  const page = createPrometheusPage(registry, () => nowMs);
  for (let i = 0; i < 1000; i++) assert.match(page(), /^looked \d$/m);
  assert.ok(renders <= 8, `${renders} renders`);
  nowMs += 125;
  const before = renders;
  page();
  assert.equal(renders, before + 1);
  nowMs += 10_000;
  for (let i = 0; i < 8; i++) page();
  assert.equal(renders, before + 9);
});

test('who is measured stands once, and names that become one are joined', () => {
  const registry = createRegistry();
  describeTarget(registry, { 'service.name': 'a "b"', 'a.b': '1', a_b: '2' });
  assert.equal(
    renderPrometheus(registry),
    '# HELP target_info Who is measured.\n# TYPE target_info gauge\ntarget_info{service_name="a \\"b\\"",a_b="1;2"} 1\n',
  );
});

const foreign = (name: string, more: Partial<OtlpMetric>, points: [Record<string, string>, unknown][]): OtlpMetric => ({
  descriptor: { name, description: 'D.', unit: '', valueType: 1 },
  aggregationTemporality: 1,
  dataPointType: OTLP_POINT.sum,
  dataPoints: points.map(([attributes, value]) => ({ attributes, startTime: [0, 0], endTime: [0, 0], value })),
  ...more,
});

test('metrics of others are served behind ours; a name that is taken is left out and told', () => {
  const registry = createRegistry();
  registry.counter({ name: 'ours', help: 'O.' }).labels().add(1);
  const told: string[] = [];
  const text = renderForeign(
    [
      foreign('sold', { isMonotonic: true }, [[{ 'a.b': 'x', a_b: 'y' }, 3]]),
      foreign('stock', { isMonotonic: false }, [[{}, 7]]),
      foreign('weight', { dataPointType: OTLP_POINT.histogram }, [
        [{}, { count: 3, sum: 6, buckets: { boundaries: [1, 2], counts: [1, 0, 2] } }],
      ]),
      foreign('ours', { isMonotonic: true }, [[{}, 99]]),
      foreign('sold', { isMonotonic: true }, [[{}, 4]]),
      foreign('bent', { dataPointType: OTLP_POINT.exponential }, [[{}, {}]]),
    ],
    new Set(['ours_total']),
    (name) => told.push(name),
  );
  assert.deepEqual(told, ['ours', 'sold']);
  appendText(registry, () => text);
  const page = renderPrometheus(registry);
  assert.match(page, /^ours_total 1\n# HELP sold_total D\.\n# TYPE sold_total counter\nsold_total\{a_b="x;y"\} 3$/m);
  assert.match(page, /^stock 7$/m);
  assert.match(
    page,
    /^weight_bucket\{le="1"\} 1\nweight_bucket\{le="2"\} 1\nweight_bucket\{le="\+Inf"\} 3\nweight_sum 6\nweight_count 3$/m,
  );
  assert.doesNotMatch(page, /99|bent/);
});

test('counters follow what is counted elsewhere and never fall', () => {
  const registry = createRegistry();
  const counts = { calls: 5 };
  registry
    .counter({ name: 'calls', help: 'C.' })
    .labels()
    .observe(() => counts.calls);
  assert.match(renderPrometheus(registry), /^calls_total 0$/m);
  counts.calls = 8;
  assert.match(renderPrometheus(registry), /^calls_total 3$/m);
  counts.calls = 1;
  assert.match(renderPrometheus(registry), /^calls_total 3$/m);
  counts.calls = 2;
  assert.match(renderPrometheus(registry), /^calls_total 4$/m);
});
