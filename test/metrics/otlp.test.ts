// The registry as OpenTelemetry's metric data: totals and deltas, both forms of histograms, and clocks that jump.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import {
  createOtlpProducer,
  createRegistry,
  OTLP_POINT,
  OTLP_TEMPORALITY,
  type OtlpBatch,
  type OtlpProducerOptions,
} from '../../src/metrics/index.ts';

function setUp(options: Partial<OtlpProducerOptions> = {}) {
  const registry = createRegistry();
  const time = { ms: 1_000_000 };
  const producer = createOtlpProducer(registry, {
    temporality: 'cumulative',
    histograms: 'explicit',
    now: () => time.ms,
    ...options,
  });
  const calls = registry.counter({ name: 'calls', help: 'Calls.', labels: ['agent'] });
  const latency = registry.histogram({ name: 'latency', help: 'L.', unit: 's', bounds: [0.1, 1] }).labels();
  const load = registry.gauge({ name: 'load', help: 'Load.', unit: '1' }).labels();
  return { registry, time, producer, calls, latency, load };
}
function pointsOf(batch: OtlpBatch, name: string) {
  return batch.metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
}

/** The one point of the histogram. */
function latencyOf(batch: OtlpBatch) {
  const [point] = pointsOf(batch, 'latency');
  assert.ok(point);
  return point.value as {
    readonly count: number;
    readonly buckets: object;
    readonly scale: number;
    readonly zeroCount: number;
    readonly positive: { readonly offset: number; readonly bucketCounts: number[] };
  };
}

test('the numbers of kinds are those of the SDK', () => {
  assert.deepEqual(OTLP_POINT, {
    histogram: DataPointType.HISTOGRAM,
    exponential: DataPointType.EXPONENTIAL_HISTOGRAM,
    gauge: DataPointType.GAUGE,
    sum: DataPointType.SUM,
  });
  assert.deepEqual(OTLP_TEMPORALITY, {
    delta: AggregationTemporality.DELTA,
    cumulative: AggregationTemporality.CUMULATIVE,
  });
});

test('totals: explicit buckets are no longer cumulative, unset gauges and empty labels are absent', () => {
  const { producer, calls, latency, load, time } = setUp();
  calls.labels({ agent: '' }).add(3);
  for (const value of [0.05, 0.5, 0.5, 7]) latency.record(value);
  time.ms += 1500;
  const batch = producer.collect();
  const [call] = pointsOf(batch, 'calls');
  assert.deepEqual(call, { attributes: {}, startTime: [1000, 0], endTime: [1001, 500_000_000], value: 3 });
  assert.deepEqual(pointsOf(batch, 'latency')[0]?.value, {
    count: 4,
    sum: 8.05,
    min: 0.05,
    max: 7,
    buckets: { boundaries: [0.1, 1], counts: [1, 2, 1] },
  });
  assert.deepEqual(pointsOf(batch, 'load'), []);
  load.set(0.5);
  assert.equal(pointsOf(producer.collect(), 'load')[0]?.value, 0.5);
  assert.equal(pointsOf(producer.collect(), 'calls')[0]?.value, 3);
});

test('deltas hold what is new since the last delivery, and a lost batch comes again', () => {
  const { producer, calls, latency, time } = setUp({ temporality: 'delta' });
  calls.labels({ agent: 'a' }).add(2);
  const first = producer.collect();
  assert.equal(pointsOf(first, 'calls')[0]?.value, 2);
  // What was never told is told once, even if it is nothing: a count of 0 is known.
  assert.deepEqual(pointsOf(first, 'latency')[0]?.value, {
    count: 0,
    sum: 0,
    buckets: { boundaries: [0.1, 1], counts: [0, 0, 0] },
  });
  first.delivered();
  calls.labels({ agent: 'a' }).add(5);
  latency.record(0.5);
  time.ms += 1000;
  const lost = producer.collect();
  assert.equal(pointsOf(lost, 'calls')[0]?.value, 5);
  calls.labels({ agent: 'a' }).add(1);
  time.ms += 1000;
  const again = producer.collect();
  assert.equal(pointsOf(again, 'calls')[0]?.value, 6);
  assert.deepEqual(pointsOf(again, 'calls')[0]?.startTime, [1000, 0]);
  assert.equal(latencyOf(again).count, 1);
  again.delivered();
  assert.deepEqual(pointsOf(producer.collect(), 'calls'), []);
  latency.record(0.05);
  assert.deepEqual(latencyOf(producer.collect()).buckets, {
    boundaries: [0.1, 1],
    counts: [1, 0, 0],
  });
});

test('exponential buckets hold every value, at their place', () => {
  const { producer, latency } = setUp({ histograms: 'exponential' });
  const values = [0, 0.001, 0.02, 0.5, 0.5, 1, 3];
  for (const value of values) latency.record(value);
  const point = latencyOf(producer.collect());
  const { scale, zeroCount, positive } = point;
  assert.equal(zeroCount, 1);
  const base = 2 ** (2 ** -scale);
  for (const value of values.filter((one) => one > 0)) {
    const index = Math.ceil(Math.log(value) / Math.log(base) - 1e-9) - 1 - positive.offset;
    assert.ok((positive.bucketCounts[index] ?? 0) > 0, `no count at ${value}`);
  }
  assert.equal(
    positive.bucketCounts.reduce((a, b) => a + b, zeroCount),
    values.length,
  );
});

test('values far apart make the buckets wider, not more', () => {
  const { producer, latency } = setUp({ histograms: 'exponential' });
  for (let exponent = -29; exponent <= 39; exponent++) latency.record(1.5 * 2 ** exponent);
  const { scale, positive } = latencyOf(producer.collect());
  assert.ok(positive.bucketCounts.length <= 1280, `${positive.bucketCounts.length} buckets`);
  assert.equal(scale, 4);
  assert.equal(
    positive.bucketCounts.reduce((a, b) => a + b, 0),
    69,
  );
  assert.equal(positive.offset, Math.ceil(Math.log2(1.5 * 2 ** -29) * 2 ** scale) - 1);
});

test('a clock that goes back gives no point that ends before it begins', () => {
  for (const temporality of ['cumulative', 'delta'] as const) {
    const { producer, calls, time } = setUp({ temporality });
    calls.labels({ agent: 'a' }).add(1);
    producer.collect().delivered();
    calls.labels({ agent: 'a' }).add(1);
    time.ms -= 3_600_000;
    const [point] = pointsOf(producer.collect(), 'calls');
    assert.deepEqual(point?.startTime, point?.endTime, temporality);
  }
});
