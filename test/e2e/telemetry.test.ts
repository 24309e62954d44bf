// `syrinx start` with receivers of metrics as the world has them: throttling, unavailable, mute, talking rubbish, dead, and a good one.
// real time: deliveries have intervals and time limits, and the way out has three seconds.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, describe, test } from 'node:test';
import { startSinks } from '../../scripts/metrics/sinks.ts';
import { samplesOf } from './metrics-text.ts';
import { endAll, HOSTS, type HostName, pool, serve } from './program.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

/** What the last delivery may take, by docs/metrics.md. */
const FLUSH_MS = 3000;
/** From the signal to the end of a process that has nothing to flush; generous, since hosts differ. */
const GOODBYE_MS = 2000;

function receiver(url: string, intervalMs: number): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url,
    OTEL_METRIC_EXPORT_INTERVAL: String(intervalMs),
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
  };
}

async function badReceivers(host: HostName): Promise<void> {
  const sinks = await startSinks();
  const all = [
    ...sinks.map(({ name, url }) => [name, url] as const),
    ['dead', 'http://127.0.0.1:9/v1/metrics'] as const,
  ];
  await pool(all, 3, async ([name, url]) => {
    const server = await serve(host, [], { env: receiver(url, 500) });
    await server.program.line(/metrics do not arrive/);
    // The call beside it is none the worse.
    const call = await dial(`${server.socketUrl}?rate=16000`);
    await call.notice('ready');
    call.say({ type: 'text', text: 'Hello world.' });
    await call.notice('reply');
    call.say({ type: 'bye' });
    await call.closed;
    let failed = 0;
    for (const endMs = performance.now() + 15_000; failed < 2 && performance.now() < endMs; ) {
      const page = await (await fetch(`${server.url}/metrics`)).text();
      failed = samplesOf(page).get('syrinx_otlp_exports_total{outcome="failed"}') ?? 0;
      await new Promise((go) => setTimeout(go, 100));
    }
    assert.ok(failed >= 2, `${name}: ${failed} deliveries failed`);
    const signalled = performance.now();
    server.program.signal('SIGTERM');
    const { code, stderr } = await server.program.exit();
    const tookMs = performance.now() - signalled;
    assert.equal(code, 0, `${name}: ${stderr}`);
    assert.ok(tookMs <= FLUSH_MS + GOODBYE_MS, `${name}: the end took ${Math.round(tookMs)} ms`);
    assert.equal(stderr.split('metrics do not arrive').length - 1, 1, `${name}: said once\n${stderr}`);
    assert.doesNotMatch(stderr, /Unhandled|^\s+at /m);
  });
  for (const { name, requests } of sinks) assert.ok(requests() > 0, `${name} was asked`);
}

/** What the process has counted when it ends is sent, though the next interval is far away. */
async function lastNumbers(host: HostName): Promise<void> {
  const bodies: string[] = [];
  const sink = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      bodies.push(body);
      response.end('{}');
    });
  });
  await new Promise<void>((ready) => sink.unref().listen(0, '127.0.0.1', ready));
  const { port } = sink.address() as { port: number };
  const server = await serve(host, [], { env: receiver(`http://127.0.0.1:${port}/v1/metrics`, 3_600_000) });
  const call = await dial(`${server.socketUrl}?rate=16000`);
  await call.notice('ready');
  call.say({ type: 'bye' });
  await call.closed;
  server.program.signal('SIGTERM');
  assert.equal((await server.program.exit()).code, 0);
  sink.close();
  assert.equal(bodies.length, 1);
  const { resourceMetrics } = JSON.parse(bodies[0] ?? '') as {
    resourceMetrics: {
      scopeMetrics: { metrics: { name: string; sum?: { dataPoints: { asDouble: number }[] } }[] }[];
    }[];
  };
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap((scope) => scope.metrics);
  const ended = metrics.find(({ name }) => name === 'syrinx.sessions.ended');
  assert.equal(ended?.sum?.dataPoints[0]?.asDouble, 1);
}

describe('a server and the receivers of its metrics', { concurrency: 2 }, () => {
  for (const host of HOSTS) {
    test(`${host}: bad receivers are counted and said once, calls go on, the end is in time`, () =>
      onSteadyMachine(() => badReceivers(host)));
    test(`${host}: the last numbers are sent at the end`, () => onSteadyMachine(() => lastNumbers(host)));
  }
});
