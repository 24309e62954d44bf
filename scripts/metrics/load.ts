// The process that is measured: calls in real time with turns, interruptions, tools and failing models; told over HTTP what to do.
// `load.ts HOST PORT [NAME=otlp-url ...]`; the raw log that the metrics are compared with is kept beside them.
import process from 'node:process';
import { defineAgent, tool } from '../../src/agent/define-agent.ts';
import { collectApiMetrics, openMeterProvider } from '../../src/cli/telemetry/api-metrics.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { type OtlpPush, startOtlpPush } from '../../src/cli/telemetry/otlp-push.ts';
import { otlpSettings, resourceOf } from '../../src/cli/telemetry/otlp-settings.ts';
import { startTelemetry } from '../../src/cli/telemetry/telemetry.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Host } from '../../src/hosts/port.ts';
import { CounterHandle, createPrometheusPage, GaugeHandle, HistogramHandle } from '../../src/metrics/index.ts';
import { demoDialogue } from '../../src/models/simulated/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { createRawLog } from './raw-log.ts';
import { holdCalls } from './callers.ts';

const [hostName = 'bun', port = '0', ...targets] = process.argv.slice(2);
/** Everything that measures is off: what the machine does to the calls alone. */
const isControl = targets[0] === 'control';
const host = await createHost(hostName);
const recording = demoDialogue.recordings()[1];
if (recording === undefined) throw new Error('The demonstration has no second recording');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const agent = defineAgent({
  name: 'load',
  instructions: 'Answer briefly.',
  tools: [
    tool({ name: 'look_up', description: 'Looks up.', run: async () => (await pause(30), 'found') }),
    tool({
      name: 'broken',
      description: 'Fails.',
      run: () => {
        throw new Error('on purpose');
      },
    }),
  ],
});
const flag = (key: string, value: unknown) => ({ name: key, key, value });
const { config } = loadConfig({
  flags: [flag('models.provider', 'simulated'), flag('capacity.max_sessions', 200), flag('telemetry.link_mbps', 1000)],
  environment: {},
});
const log = createLogger({
  level: 'error',
  format: 'json',
  write: (text) => process.env.LOAD_LOG && console.error(text),
  now: Date.now,
});
const otlpLog = createLogger({
  level: 'info',
  format: 'json',
  write: (text) => console.log(`otlp ${text}`),
  now: Date.now,
});
const runtime = composeRuntime({
  config,
  agent,
  log,
  simulated: {
    recordings: [recording],
    profile: 'fast',
    latency: { llmMs: [60, 260], sttMs: [40, 120], ttsMs: [40, 120] },
    faults: [
      { route: 'llm', kind: '500', probability: 0.03 },
      { route: 'llm', kind: 'half-close', probability: 0.02 },
      { route: 'tts', kind: '500', probability: 0.02 },
      { route: 'stt', kind: '429', probability: 0.02, retryAfterSeconds: 0.1 },
      { route: 'stt', kind: 'garbage', probability: 0.02 },
    ],
    script: {
      turns: [
        {
          user: recording.text,
          reply: 'Please stay calm. I have looked it up, and count the weasels; then close the cable cupboard again.',
          tools: [{ name: 'look_up' }, { name: 'broken' }],
        },
      ],
    },
  },
});
const { registry } = runtime;
const raw = createRawLog();
const resource = resourceOf(
  {
    agentName: 'load',
    version: '0.0.0',
    runtime: { name: host.name, version: host.version },
    instanceId: `load-${process.pid}`,
  },
  {},
);
const page = createPrometheusPage(registry, systemClock.now);
const requests = registry.counter({ name: 'http.requests', help: 'Requests.', labels: ['method', 'route', 'status'] });
const startedMs = performance.now();
const pushes = new Map<string, OtlpPush>();
let stopMeasuring = async (): Promise<void> => {};

if (!isControl) {
  registry
    .gauge({ name: 'uptime', unit: 's', help: 'Time since the start.' })
    .labels()
    .observe(() => Math.floor((performance.now() - startedMs) / 1000));
  registry
    .gauge({ name: 'memory', unit: 'By', help: 'Resident memory.' })
    .labels()
    .observe(() => host.facts.memoryBytes());
  const telemetry = await startTelemetry({
    host: { ...host, env: {} },
    config,
    registry,
    agentName: 'load',
    log,
    version: '0.0.0',
  });
  const meter = (await openMeterProvider()).getMeter('shop');
  const orders = meter.createCounter('shop.orders', { description: 'Orders.' });
  const stock = meter.createUpDownCounter('shop.stock', { description: 'Stock.' });
  const wait = meter.createHistogram('shop.wait', { description: 'Wait.', unit: 's' });
  let sold = 0;
  const shop = setInterval(() => {
    orders.add(1, { kind: sold++ % 2 === 0 ? 'weasel' : 'stoat' });
    stock.add(sold % 3 === 0 ? -1 : 1);
    wait.record((sold % 7) / 3);
  }, 250);
  stopMeasuring = async () => {
    clearInterval(shop);
    // The page shows what users measure as it stood a second ago.
    await pause(1500);
    await telemetry.stop();
  };
  for (const target of targets) {
    await addTarget(target);
    // Not all in one instant, as no program with one receiver does.
    await pause(120);
  }
}

/** `name,protocol,histograms,temporality,packing=url` */
async function addTarget(text: string): Promise<void> {
  const at = text.indexOf('=');
  const how = text.slice(0, at);
  const url = text.slice(at + 1);
  const [name = '', protocol, histograms, temporality, compression] = how.split(',');
  const settings = otlpSettings(config, {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION:
      histograms === 'exponential' ? 'base2_exponential_bucket_histogram' : 'explicit_bucket_histogram',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
    OTEL_EXPORTER_OTLP_COMPRESSION: compression,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
  });
  if (settings === null) throw new Error(`No settings for ${text}`);
  const attributes = { ...resource, 'service.name': name };
  const options = { settings, registry, resource: attributes, version: '0.0.0', log: otlpLog, clock: systemClock };
  // The reader of deltas is one, and two receivers would share what it gives.
  const others = temporality === 'delta' ? undefined : () => collectApiMetrics('cumulative');
  pushes.set(name, await startOtlpPush({ ...options, epochMs: Date.now, others }));
}

let calls: ReturnType<typeof holdCalls> | undefined;

/** What user code measures with the OpenTelemetry API; its histograms have fixed buckets everywhere. */
async function theirs(): Promise<unknown[]> {
  if (isControl) return [];
  const scopes = await collectApiMetrics('cumulative');
  return scopes.flatMap(({ metrics }) =>
    metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes: labels, value }) => {
        const { name } = descriptor;
        const one = { name, labels, form: 'explicit' };
        if (typeof value === 'number') {
          const kind = name === 'shop.orders' ? 'counter' : 'gauge';
          const prometheusName = kind === 'counter' ? 'shop_orders_total' : 'shop_stock';
          return { ...one, kind, prometheusName, value };
        }
        const { buckets, count, sum } = value as {
          buckets: { boundaries: number[]; counts: number[] };
          count: number;
          sum: number;
        };
        let seen = 0;
        const below = buckets.boundaries.map((_, i) => (seen += buckets.counts[i] ?? 0));
        return {
          ...one,
          kind: 'histogram',
          prometheusName: 'shop_wait_seconds',
          count,
          sum,
          bounds: buckets.boundaries,
          below,
        };
      }),
    ),
  );
}

/** What is true: every series as the registry holds it. */
function truth(): unknown[] {
  const series: unknown[] = [];
  for (const { name, prometheusName, kind, bounds, series: all } of registry.families()) {
    for (const { labels, handle } of all) {
      const one = { name, prometheusName, kind, labels };
      if (handle instanceof CounterHandle) series.push({ ...one, value: handle.value });
      else if (handle instanceof GaugeHandle) {
        series.push({ ...one, value: handle.value });
      } else if (handle instanceof HistogramHandle) {
        const { sketch } = handle;
        const below = [...sketch.cumulative(bounds)];
        const quantiles = sketch.quantiles([0.5, 0.9, 0.95, 0.99]);
        const { count, sum, max } = sketch;
        series.push({ ...one, count, sum, max, bounds, below, quantiles });
      }
    }
  }
  return series;
}

async function command(name: string, query: URLSearchParams): Promise<unknown> {
  if (name === 'start') {
    calls = holdCalls(runtime, Number(query.get('calls')), recording?.samples ?? [], raw);
    return {};
  }
  if (name === 'state') {
    return { ...calls?.counts(), turns: raw.turns, active: runtime.calls.size, cpuMicros: host.facts.cpuMicros() };
  }
  if (name === 'block') {
    const untilMs = performance.now() + Number(query.get('ms'));
    while (performance.now() < untilMs);
    return {};
  }
  if (name === 'stop') {
    await calls?.stop();
    await runtime.closeAll('measured');
    // What is asked of models for nobody ends, too.
    await pause(500);
    await stopMeasuring();
    return {};
  }
  if (name === 'add') {
    await addTarget(query.get('target') ?? '');
    return {};
  }
  if (name === 'push') {
    const results: Record<string, boolean> = {};
    for (const [target, push] of pushes) results[target] = await push.push();
    return results;
  }
  if (name === 'quiet') {
    // No delivery of its own any more: what counts itself stands still.
    for (const push of pushes.values()) await push.stop(3000);
    return {};
  }
  if (name === 'truth') return [...truth(), ...(await theirs())];
  if (name === 'raw') return raw.values();
  return { error: `unknown command ${name}` };
}

const server = await host.serve({
  port: Number(port),
  hostname: '127.0.0.1',
  maxMessageBytes: 1024,
  sockets: {},
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/metrics') {
      requests.labels({ method: 'GET', route: '/metrics', status: '200' }).add(1);
      return new Response(page(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
    }
    const result = await command(url.pathname.slice(1), url.searchParams);
    return Response.json(result);
  },
});
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => process.exit(0));

async function createHost(name: string): Promise<Host> {
  if (name === 'bun') return (await import('../../src/hosts/bun.ts')).createBunHost();
  if (name === 'deno') return (await import('../../src/hosts/deno.ts')).createDenoHost();
  return (await import('../../src/hosts/node.ts')).createNodeHost();
}
