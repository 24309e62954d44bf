// Deliveries over OTLP: one at a time, failures counted and said once, nothing lost in deltas, an end within its time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PushMetricExporter, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { startOtlpPush } from '../../src/cli/telemetry/otlp-push.ts';
import { createRegistry, takeSnapshot } from '../../src/metrics/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { settled, VirtualTime } from '../simulation/virtual-time.ts';

type Answer = (result: { code: number; error?: Error }) => void;

async function setUp(
  temporality: 'cumulative' | 'delta' = 'cumulative',
  others?: () => Promise<readonly ScopeMetrics[]>,
) {
  const time = new VirtualTime();
  const registry = createRegistry();
  const calls = registry.counter({ name: 'calls', help: 'Calls.' }).labels();
  const sent: { metrics: ResourceMetrics; answer: Answer }[] = [];
  let closed = 0;
  const exporter: Pick<PushMetricExporter, 'export' | 'shutdown'> = {
    export: (metrics, answer) => void sent.push({ metrics, answer }),
    shutdown: () => {
      closed++;
      return Promise.resolve();
    },
  };
  const lines: string[] = [];
  const push = await startOtlpPush({
    settings: {
      url: 'http://collector.example:4318/v1/metrics',
      headers: {},
      protocol: 'http/json',
      temporality,
      histograms: 'explicit',
      gzip: false,
      timeoutMs: 5000,
      intervalMs: 10_000,
    },
    registry,
    resource: { 'service.name': 's' },
    version: '1',
    log: createLogger({ level: 'info', format: 'json', write: (line) => void lines.push(line), now: () => 0 }),
    clock: time,
    epochMs: () => 1e12 + time.now(),
    exporter,
    others,
  });
  const outcome = (name: string) => {
    const found = takeSnapshot(registry).find(
      (one) => one.name === 'syrinx.otlp.exports' && one.labels.outcome === name,
    );
    return found?.kind === 'counter' ? found.value : Number.NaN;
  };
  const callsIn = (at: number) =>
    sent[at]?.metrics.scopeMetrics[0]?.metrics.find(({ descriptor }) => descriptor.name === 'calls')?.dataPoints[0]
      ?.value;
  return { time, registry, calls, sent, push, lines, outcome, callsIn, closed: () => closed };
}

test('deliveries come at the interval, one at a time; a slow one makes others be skipped, not queued', async () => {
  const { time, sent, outcome, calls, callsIn } = await setUp();
  calls.add(3);
  await time.runTo(10_000);
  assert.equal(sent.length, 1);
  assert.equal(callsIn(0), 3);
  assert.equal(sent[0]?.metrics.resource.attributes['service.name'], 's');
  sent[0]?.answer({ code: 0 });
  await time.runTo(20_000);
  assert.equal(sent.length, 2);
  // The exporter has forgotten this one: after its time and a grace it is given up.
  await time.runTo(26_900);
  assert.equal(outcome('failed'), 0);
  await time.runTo(27_000);
  assert.equal(outcome('failed'), 1);
  await time.runTo(30_000);
  assert.equal(sent.length, 3);
  assert.deepEqual([outcome('ok'), outcome('failed'), outcome('skipped')], [1, 1, 0]);
});

test('a receiver that fails is said once, and once more when it is back', async () => {
  const { time, sent, lines, outcome } = await setUp();
  for (let i = 1; i <= 5; i++) {
    await time.runTo(i * 10_000);
    const error = Object.assign(new Error(`refused ${'x'.repeat(1000)}`), { code: 503 });
    sent[i - 1]?.answer({ code: 1, error });
    await settled();
  }
  assert.equal(outcome('failed'), 5);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /metrics do not arrive.*collector\.example:4318.*503 refused/);
  assert.ok((lines[0] ?? '').length < 600);
  await time.runTo(60_000);
  sent[5]?.answer({ code: 0 });
  await settled();
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? '', /arrive again/);
});

test('an exporter that throws is a failure like any other', async () => {
  const { time, push, outcome, sent } = await setUp();
  sent.push = () => {
    throw new Error('broken');
  };
  assert.equal(await push.push(), false);
  assert.equal(outcome('failed'), 1);
  await time.runTo(10_000);
  assert.equal(outcome('failed'), 2);
});

test('deltas of a lost delivery come with the next', async () => {
  const { time, sent, calls, callsIn } = await setUp('delta');
  calls.add(2);
  await time.runTo(10_000);
  sent[0]?.answer({ code: 1 });
  calls.add(3);
  await time.runTo(20_000);
  assert.equal(callsIn(1), 5);
  sent[1]?.answer({ code: 0 });
  await settled();
  calls.add(1);
  await time.runTo(30_000);
  assert.equal(callsIn(2), 1);
});

test("users' deltas that did not arrive go along again, and their failure keeps nothing back", async () => {
  let batch = 0;
  const others = (): Promise<readonly ScopeMetrics[]> => {
    batch++;
    if (batch === 3) return Promise.reject(new Error('broken'));
    return Promise.resolve([{ scope: { name: `theirs-${batch}` }, metrics: [] }]);
  };
  const { time, sent } = await setUp('delta', others);
  const scopes = (at: number) => sent[at]?.metrics.scopeMetrics.map(({ scope }) => scope.name);
  await time.runTo(10_000);
  sent[0]?.answer({ code: 1 });
  await time.runTo(20_000);
  assert.deepEqual(scopes(1), ['syrinx', 'theirs-1', 'theirs-2']);
  sent[1]?.answer({ code: 0 });
  await time.runTo(30_000);
  assert.deepEqual(scopes(2), ['syrinx']);
});

test('the end sends what is new and waits no longer than it was told', async () => {
  const quick = await setUp();
  quick.calls.add(7);
  const done = quick.push.stop(3000);
  await settled();
  assert.equal(quick.callsIn(0), 7);
  quick.sent[0]?.answer({ code: 0 });
  await done;
  assert.equal(quick.closed(), 1);
  assert.equal(quick.time.pending, 0);

  const dead = await setUp();
  await dead.time.runTo(10_000);
  let over = false;
  const end = dead.push.stop(3000).then(() => {
    over = true;
  });
  await dead.time.runTo(12_999);
  assert.equal(over, false);
  await dead.time.runTo(13_000);
  await end;
  assert.equal(over, true);
});
