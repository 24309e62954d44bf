// The HTTP routes: fields, status codes, methods and bounds.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createApp } from '../../src/server/app.ts';
import type { AuthOptions, HealthReport, ServerOptions } from '../../src/server/options.ts';
import { createRequestCounter } from '../../src/server/requests.ts';

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

function build(changes: Partial<ServerOptions> = {}, auth: AuthOptions = { loopback: true }) {
  const requests = createRequestCounter();
  const errors: unknown[] = [];
  const app = createApp({
    version: '1.2.3',
    startedAtMs: START_MS,
    now: () => START_MS + 61_900,
    health: () => ({
      status: 'healthy',
      checks: [{ name: 'openai', status: 'pass', duration_ms: 3 }],
      system: { memory_usage_mb: 80 },
    }),
    ready: () => ({ ready: true, services: ['openai'], activeJobs: 3, maxJobs: 12 }),
    metricsText: () => `${requests.text()}# TYPE uptime_seconds gauge\nuptime_seconds 61.9\n`,
    status: () => ({ worker_id: 'w-1', status: 'running' }),
    sessions: {
      list: () => Array.from({ length: 5 }, (_, i) => session(i)),
      get: (id) => (id === 's-1' ? { ...session(1), conversation_turns: 4 } : undefined),
    },
    tools: () => [{ name: 'weather', description: 'Tells the weather', call_count: 2 }],
    auth,
    requests,
    onError: (error) => errors.push(error),
    ...changes,
  });
  return { app, requests, errors };
}

function session(i: number) {
  return { session_id: `s-${i}`, status: 'active', started_at: '2026-01-02T03:04:05.000Z' } as const;
}

async function json(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}

describe('probes', () => {
  it('says healthy with the fields of the specification and of the contract', async () => {
    const response = await build().app.request('/health');
    assert.equal(response.status, 200);
    assert.deepEqual(await json(response), {
      healthy: true,
      status: 'healthy',
      timestamp: '2026-01-02T03:05:06.900Z',
      uptime_seconds: 61,
      version: '1.2.3',
      checks: [{ name: 'openai', status: 'pass', duration_ms: 3 }],
      system: { memory_usage_mb: 80 },
    });
  });
  for (const [status, code, healthy] of [
    ['healthy', 200, true],
    ['degraded', 200, true],
    ['unhealthy', 503, false],
  ] as const) {
    it(`answers ${code} when ${status}`, async () => {
      const health = (): HealthReport => ({ status, checks: [] });
      const response = await build({ health }).app.request('/health');
      assert.equal(response.status, code);
      const body = await json(response);
      assert.equal(body.healthy, healthy);
      assert.equal(body.status, status);
    });
  }
  for (const path of ['/health/ready', '/ready']) {
    it(`tells readiness at ${path}`, async () => {
      const response = await build().app.request(path);
      assert.equal(response.status, 200);
      assert.deepEqual(await json(response), {
        ready: true,
        services: ['openai'],
        timestamp: '2026-01-02T03:05:06.900Z',
        active_jobs: 3,
        max_jobs: 12,
        load_percentage: 25,
      });
    });
  }
  it('answers 503 with the reason while it is not ready', async () => {
    const ready = () => ({ ready: false, services: [], activeJobs: 0, maxJobs: 0, reason: 'draining' });
    const response = await build({ ready }).app.request('/ready');
    assert.equal(response.status, 503);
    const body = await json(response);
    assert.equal(body.reason, 'draining');
    // Nothing divides by zero: an unknown share is null, not 0.
    assert.equal(body.load_percentage, null);
  });
  it('is alive with whole seconds of uptime', async () => {
    assert.deepEqual(await json(build().app.request('/health/live')), {
      alive: true,
      uptime_seconds: 61,
      timestamp: '2026-01-02T03:05:06.900Z',
    });
  });
  it('answers in words to those who prefer text', async () => {
    const { app } = build();
    const plain = { headers: { accept: 'text/plain' } };
    assert.equal(await (await app.request('/health', plain)).text(), 'OK');
    assert.equal(await (await app.request('/ready', plain)).text(), 'READY');
    assert.equal(await (await app.request('/health/live', plain)).text(), 'ALIVE');
    const sick = build({ health: () => ({ status: 'unhealthy', checks: [] }) }).app;
    const answer = await sick.request('/health', plain);
    assert.equal(answer.status, 503);
    assert.equal(await answer.text(), 'UNHEALTHY');
    for (const accept of ['*/*', 'application/json', 'application/json, text/plain;q=0.5', 'text/html, */*;q=0.8']) {
      const response = await app.request('/health', { headers: { accept } });
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/, accept);
    }
  });
});

describe('operator routes', () => {
  it('shows the status with health, uptime and request count', async () => {
    const { app } = build();
    await app.request('/health');
    const body = await json(app.request('/status'));
    assert.equal(body.worker_id, 'w-1');
    assert.equal(body.status, 'running');
    assert.equal(body.started_at, '2026-01-02T03:04:05.000Z');
    assert.equal(body.uptime_seconds, 61);
    assert.equal(body.request_count, 1);
    assert.equal((body.health as HealthReport).status, 'healthy');
  });
  it('serves Prometheus text, counting by route pattern', async () => {
    const { app } = build();
    await app.request('/sessions/s-1');
    await app.request('/sessions/other');
    await app.request('/secret/path?x=1');
    await app.request('/secret/path2', { method: 'PURGE' });
    const response = await app.request('/metrics');
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    assert.match(text, /^# TYPE http_requests_total counter$/m);
    assert.match(text, /^http_requests_total\{method="GET",route="\/sessions\/:id",status="200"\} 1$/m);
    assert.match(text, /^http_requests_total\{method="GET",route="\/sessions\/:id",status="404"\} 1$/m);
    assert.match(text, /^http_requests_total\{method="GET",route="other",status="404"\} 1$/m);
    assert.match(text, /^http_requests_total\{method="other",route="other",status="404"\} 1$/m);
    assert.ok(text.endsWith('\n'));
    assert.doesNotMatch(text, /secret/);
  });
  it('gives JSON metrics to those who prefer them, if there are any', async () => {
    const accept = { headers: { accept: 'application/json' } };
    const { app } = build({ metricsJson: () => ({ sessions: { active_sessions: 2 } }) });
    assert.deepEqual(await json(app.request('/metrics', accept)), { sessions: { active_sessions: 2 } });
    const text = await build().app.request('/metrics', accept);
    assert.match(text.headers.get('content-type') ?? '', /^text\/plain/);
  });
  it('pages through the sessions', async () => {
    const { app } = build();
    const body = await json(app.request('/sessions?limit=2&offset=3'));
    assert.equal(body.total, 5);
    assert.equal(body.limit, 2);
    assert.equal(body.offset, 3);
    assert.deepEqual(
      (body.sessions as { session_id: string }[]).map((s) => s.session_id),
      ['s-3', 's-4'],
    );
    assert.equal((await json(app.request('/sessions'))).limit, 100);
    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'limit=1.5',
      'offset=-1',
      'offset=1e3',
      'limit=99999999999',
    ]) {
      const response = await app.request(`/sessions?${query}`);
      assert.equal(response.status, 400, query);
      assert.match(String((await json(response)).message), /whole number/);
    }
  });
  it('shows one session, or says that there is none', async () => {
    const { app } = build();
    assert.equal((await json(app.request('/sessions/s-1'))).conversation_turns, 4);
    const missing = await app.request('/sessions/nobody');
    assert.equal(missing.status, 404);
    assert.equal((await json(missing)).error, 'session_not_found');
  });
  it('lists the tools', async () => {
    const body = await json(build().app.request('/tools'));
    assert.equal(body.total, 1);
    assert.equal((body.tools as { name: string }[])[0]?.name, 'weather');
  });
});

describe('everything else', () => {
  it('answers unknown paths with the known ones', async () => {
    const response = await build().app.request('/nope');
    assert.equal(response.status, 404);
    const body = await json(response);
    assert.equal(body.error, 'not_found');
    assert.deepEqual(body.available_endpoints, [
      '/health',
      '/health/ready',
      '/health/live',
      '/ready',
      '/healthz',
      '/readyz',
      '/livez',
      '/status',
      '/metrics',
      '/sessions',
      '/sessions/{id}',
      '/tools',
    ]);
  });
  it('refuses other methods, naming those it takes', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      for (const path of ['/health', '/metrics', '/sessions/s-1']) {
        const response = await build().app.request(path, { method });
        assert.equal(response.status, 405, `${method} ${path}`);
        assert.equal(response.headers.get('allow'), 'GET, HEAD, OPTIONS');
      }
    }
  });
  it('answers HEAD without a body and OPTIONS with what is allowed', async () => {
    const { app, requests } = build();
    const head = await app.request('/health', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    const options = await app.request('/status', { method: 'OPTIONS' });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get('allow'), 'GET, HEAD, OPTIONS');
    assert.equal(options.headers.get('access-control-allow-origin'), null);
    assert.equal(requests.total(), 2);
    assert.ok(requests.series().some((s) => s.method === 'HEAD' && s.route === '/health' && s.status === 200));
  });
  it('bounds bodies, declared or not', async () => {
    const { app } = build();
    const body = 'x'.repeat(65 * 1024);
    const declared = await app.request('/nope', {
      method: 'POST',
      body,
      headers: { 'content-length': String(body.length) },
    });
    assert.equal(declared.status, 413);
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const chunked = new Request('http://localhost/nope', {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    assert.equal((await app.request(chunked)).status, 413);
  });
  it('tells the log, not the client, what went wrong inside', async () => {
    const { app, errors } = build({
      status: () => {
        throw new Error('the secret reason');
      },
    });
    const response = await app.request('/status');
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
    assert.equal((errors[0] as Error).message, 'the secret reason');
  });
  it('sends headers that keep browsers and caches out', async () => {
    for (const path of ['/health', '/nope', '/status']) {
      const { headers } = await build({}, { loopback: false }).app.request(path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/, path);
    }
  });
});
