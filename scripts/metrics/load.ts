// The process that is measured: calls in real time with turns, interruptions, tools and failing models; told over HTTP what to do.
// `load.ts HOST PORT CONTROL_PORT [NAME=otlp-url ...]`; the raw log that the metrics are compared with is kept beside them.
import process from 'node:process';
import { collectApiMetrics } from '../../src/cli/telemetry/api-metrics.ts';
import { type OtlpPush, startOtlpPush } from '../../src/cli/telemetry/otlp-push.ts';
import { otlpSettings, resourceOf } from '../../src/cli/telemetry/otlp-settings.ts';
import type { Host } from '../../src/hosts/port.ts';
import { CounterHandle, GaugeHandle, HistogramHandle } from '../../src/metrics/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { holdCalls } from './callers.ts';
import { pause, startProgram } from './loaded-program.ts';
import { createRawLog } from './raw-log.ts';

const [hostName = 'bun', port = '0', commandPort = '0', ...targets] = process.argv.slice(2);
/** Everything that measures is off: what the machine does to the calls alone. */
const isControl = targets[0] === 'control';
/** All that this process has read of its own memory: what a receiver has stored is one of these. */
const memoryReadings = new Set<number>();
const host = notingMemory(await createHost(hostName));
const otlpLog = createLogger({
  level: 'info',
  format: 'json',
  write: (text) => console.log(`otlp ${text}`),
  now: Date.now,
});
const raw = createRawLog();
const program = await startProgram({
  host,
  token: process.env.LOAD_TOKEN ?? '',
  pager: isControl ? undefined : process.env.LOAD_PAGER,
  raw,
});
const { runtime, config } = program;
const { registry } = runtime;
const resource = resourceOf(
  {
    agentName: 'load',
    version: '0.0.0',
    runtime: { name: host.name, version: host.version },
    instanceId: `load-${process.pid}`,
  },
  {},
);
const pushes = new Map<string, OtlpPush>();
if (!isControl) {
  for (const target of targets) {
    await addTarget(target);
    // Not all in one instant, as no program with one receiver does.
    await pause(300);
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
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
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
        const readings = prometheusName === 'memory_bytes' ? [...memoryReadings] : undefined;
        series.push({ ...one, value: handle.value, readings });
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
    calls = holdCalls(runtime, Number(query.get('calls')), program.phrase);
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
    // What is asked of models for nobody ends, too, and the alert about so many calls.
    await pause(1700);
    await program.quiet();
    return {};
  }
  if (name === 'room') {
    const asked = (key: string) => query.get(key) ?? '';
    await program.register({ url: asked('url'), key: asked('key'), secret: asked('secret') });
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

const served = { hostname: '127.0.0.1', maxMessageBytes: 1024, sockets: {} };
await host.serve({ ...served, port: Number(port), fetch: (request) => program.fetch(request) });
await host.serve({
  ...served,
  port: Number(commandPort),
  async fetch(request) {
    const url = new URL(request.url);
    return Response.json(await command(url.pathname.slice(1), url.searchParams));
  },
});
console.log('ready');
process.on('SIGTERM', () => process.exit(0));

async function createHost(name: string): Promise<Host> {
  if (name === 'bun') return (await import('../../src/hosts/bun.ts')).createBunHost();
  if (name === 'deno') return (await import('../../src/hosts/deno.ts')).createDenoHost();
  return (await import('../../src/hosts/node.ts')).createNodeHost();
}

function notingMemory(real: Host): Host {
  const memoryBytes = () => {
    const bytes = real.facts.memoryBytes();
    if (bytes !== null) memoryReadings.add(bytes);
    return bytes;
  };
  return { ...real, facts: { ...real.facts, memoryBytes } };
}
