// The OpenTelemetry API: meters of users go wherever ours go, and calls have spans where somebody collects them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metrics as apiMetrics, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { collectApiMetrics, openMeterProvider } from '../../src/cli/telemetry/api-metrics.ts';
import { traceCall } from '../../src/cli/telemetry/traces.ts';
import { createRegistry, type OtlpMetric, renderForeign } from '../../src/metrics/index.ts';
import { createCallInstruments } from '../../src/runner/instruments.ts';
import type { Ledger, LedgerTurn } from '../../src/session/ledger.ts';

test('a meter of our own provider: read as totals and as deltas, the global one only when asked', async () => {
  assert.deepEqual(await collectApiMetrics('cumulative'), []);
  const provider = await openMeterProvider();
  assert.equal(await openMeterProvider(), provider);
  const sold = provider.getMeter('shop').createCounter('shop.sold', { description: 'Sold.' });
  const stock = provider.getMeter('shop').createUpDownCounter('shop.stock', { description: 'Stock.' });
  sold.add(2, { kind: 'weasel' });
  stock.add(5);
  const valuesOf = async (temporality: 'cumulative' | 'delta') =>
    (await collectApiMetrics(temporality)).flatMap(({ metrics }) =>
      metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]),
    );
  await valuesOf('delta');
  sold.add(1, { kind: 'weasel' });
  assert.deepEqual(await valuesOf('delta'), [
    ['shop.sold', 1],
    ['shop.stock', 5],
  ]);
  assert.deepEqual(await valuesOf('cumulative'), [
    ['shop.sold', 3],
    ['shop.stock', 5],
  ]);
  const scopes = await collectApiMetrics('cumulative');
  const held = scopes.flatMap(({ metrics }) => metrics) as unknown as OtlpMetric[];
  const text = renderForeign(held, new Set(), assert.fail);
  assert.match(text, /^shop_sold_total\{kind="weasel"\} 3$/m);
  assert.match(text, /^shop_stock 5$/m);

  apiMetrics.getMeter('elsewhere').createCounter('elsewhere').add(1);
  assert.ok(!JSON.stringify(await collectApiMetrics('cumulative')).includes('elsewhere'));
  await openMeterProvider({ global: true });
  apiMetrics.getMeter('elsewhere').createCounter('elsewhere').add(1);
  assert.ok(JSON.stringify(await collectApiMetrics('cumulative')).includes('elsewhere'));
  apiMetrics.disable();
});

const TURN: LedgerTurn = {
  turn: 3,
  caller: { startMs: 0, endMs: 1000, text: 'secret words' },
  agent: { text: 'secret reply', heard: 'secret', startMs: 1900, endMs: 3900, interruptedAtMs: null },
  stages: [
    { name: 'endpointing', startMs: 1000, endMs: 1500, provider: false },
    { name: 'llm', startMs: 1500, endMs: 1900, provider: true },
  ],
  responseMs: 900,
  overheadMs: 0,
  unexplainedMs: 0,
};
const LEDGER = {
  session: { id: 'id-1', agent: 'weasel', transport: 'file', startedAt: '2026-01-01T00:00:00.000Z' },
} as Ledger;
const call = { id: 'id-1', ledger: () => LEDGER };
const spare = () => createCallInstruments(createRegistry()).started('file');

test('spans: session, turn, stages, at their times, without a word of what was said; none without a provider', () => {
  const recorder = spare();
  assert.equal(traceCall(recorder, call, '1'), recorder);

  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  try {
    const traced = traceCall(spare(), call, '1');
    traced.telemetry({ type: 'turn', ledger: TURN }, 0);
    traced.ended('model failure', 5000);
  } finally {
    trace.disable();
  }
  const spans = exporter.getFinishedSpans();
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['voice.stage.endpointing', 'voice.stage.llm', 'voice.turn', 'voice.session'],
  );
  const [, llm, turn, session] = spans;
  assert.equal(llm?.parentSpanContext?.spanId, turn?.spanContext().spanId);
  assert.equal(turn?.parentSpanContext?.spanId, session?.spanContext().spanId);
  const atMs = ([seconds, nanos]: readonly [number, number]) =>
    seconds * 1000 + nanos / 1e6 - Date.parse('2026-01-01T00:00:00Z');
  assert.deepEqual(
    [llm!, turn!].map(({ startTime, endTime }) => [atMs(startTime), atMs(endTime)]),
    [
      [1500, 1900],
      [1000, 3900],
    ],
  );
  assert.equal(session?.attributes['gen_ai.agent.invocation.end_reason'], 'model failure');
  assert.equal(session?.status.code, 2);
  assert.doesNotMatch(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes])), /secret/);
});
