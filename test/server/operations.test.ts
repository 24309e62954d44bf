// Routes that came with the numbers: ratings, dashboard, extensions; and what many, slow, large and foreign requests do.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Hono } from 'hono';
import { createRegistry } from '../../src/metrics/index.ts';
import { startHealthMonitor } from '../../src/ops/health/index.ts';
import { UserChecks } from '../../src/ops/health/user-checks.ts';
import { countOpenRequests, createApp } from '../../src/server/app.ts';
import type { AuthOptions, RatingVerdict, ServerOptions } from '../../src/server/options.ts';
import { createRequestCounter } from '../../src/server/requests.ts';
import { addRatings } from '../../src/server/routes/ratings.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

function build(changes: Partial<ServerOptions> = {}, auth: AuthOptions = { loopback: true }) {
  const requests = countOpenRequests(createRequestCounter());
  const rated: unknown[] = [];
  const app = createApp({
    version: '1',
    startedAtMs: 0,
    now: () => 61_000,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: true, services: [], activeJobs: 0, maxJobs: 1 }),
    metricsText: () => 'up 1\n',
    status: () => ({}),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    dashboard: () => ({ overview: { open: requests.open } }),
    rate(id, rating): RatingVerdict {
      if (id === 'full') return 'full';
      if (id !== 's-1') return 'unknown-session';
      rated.push(rating);
      return 'taken';
    },
    auth,
    requests,
    ...changes,
  });
  return { app, rated, requests };
}

const post = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const bodyOf = async (response: Response | Promise<Response>) =>
  (await (await response).json()) as Record<string, unknown>;

describe('ratings', () => {
  it('are taken for a session, of a kind', async () => {
    const { app, rated, requests } = build();
    const first = await app.request('/sessions/s-1/rating', post({ rating: 4 }));
    assert.equal(first.status, 201);
    assert.deepEqual(await first.json(), { session_id: 's-1', rating: 4, kind: 'overall' });
    assert.equal((await app.request('/sessions/s-1/rating', post({ rating: 5, kind: 'naturalness' }))).status, 201);
    assert.deepEqual(rated, [
      { rating: 4, kind: 'overall' },
      { rating: 5, kind: 'naturalness' },
    ]);
    assert.equal(requests.total(), 2);
  });
  it('are refused where they are none, with what is wanted', async () => {
    const { app, rated } = build();
    for (const body of [
      {},
      { rating: 0 },
      { rating: 6 },
      { rating: '5' },
      { rating: null },
      [],
      5,
      { rating: 5, kind: 'mood' },
      { rating: 5, comment: 'nice' },
      '{',
      '',
    ]) {
      const response = await app.request('/sessions/s-1/rating', post(body));
      assert.equal(response.status, 400, JSON.stringify(body));
      assert.match(String((await bodyOf(response)).error), /^invalid_/);
    }
    assert.equal((await app.request('/sessions/nobody/rating', post({ rating: 3 }))).status, 404);
    assert.equal((await app.request('/sessions/full/rating', post({ rating: 3 }))).status, 429);
    const got = await app.request('/sessions/s-1/rating');
    assert.equal(got.status, 405);
    assert.equal(got.headers.get('allow'), 'POST, OPTIONS');
    assert.deepEqual(rated, []);
  });
  it('need the token, a bounded body, and a page of this server', async () => {
    const guarded = build({}, { loopback: false, token: 'secret' });
    assert.equal((await guarded.app.request('/sessions/s-1/rating', post({ rating: 3 }))).status, 401);
    const allowed = post({ rating: 3 }, { authorization: 'Bearer secret' });
    assert.equal((await guarded.app.request('/sessions/s-1/rating', allowed)).status, 201);
    const { app, rated } = build();
    const large = `{"rating": 3, "x": "${'y'.repeat(70_000)}"}`;
    const huge = await app.request('/sessions/s-1/rating', post(large, { 'content-length': String(large.length) }));
    assert.equal(huge.status, 413);
    for (const origin of ['https://elsewhere.example', 'null']) {
      const response = await app.request('/sessions/s-1/rating', post({ rating: 3 }, { origin, host: 'localhost' }));
      assert.equal(response.status, 403, origin);
    }
    assert.deepEqual(rated, []);
    const own = post({ rating: 3 }, { origin: 'http://localhost', host: 'localhost' });
    assert.equal((await app.request('/sessions/s-1/rating', own)).status, 201);
  });
  it('that come too slowly are given up', async () => {
    const time = new VirtualTime();
    const app = new Hono();
    addRatings(app, { now: () => 0, rate: () => 'taken', setTimer: (run, ms) => time.setTimer(run, ms) });
    const endless = new ReadableStream({ pull: () => new Promise<void>(() => {}) });
    const init = { method: 'POST', body: endless, duplex: 'half' } as RequestInit;
    const waiting = Promise.resolve(app.request(new Request('http://localhost/sessions/a/rating', init)));
    await time.runTo(5000);
    assert.equal((await waiting).status, 408);
  });
});

describe('dashboard and extensions', () => {
  it('serves the data that it is given, and has no such path without', async () => {
    assert.deepEqual(await bodyOf(build().app.request('/dashboard')), { overview: { open: 1 } });
    const { app } = build({ dashboard: undefined, rate: undefined });
    const missing = await app.request('/dashboard');
    assert.equal(missing.status, 404);
    assert.ok(!((await bodyOf(missing)).available_endpoints as string[]).includes('/dashboard'));
    assert.equal((await app.request('/sessions/s-1/rating', post({ rating: 3 }))).status, 404);
  });
  it('takes routes of other parts behind the same door, counted by their patterns', async () => {
    const requests = createRequestCounter();
    const extension = {
      routes: { '/things/:id': 'GET, HEAD, OPTIONS' },
      add: (app: Hono) => void app.get('/things/:id', (c) => c.json({ id: c.req.param('id') })),
    };
    const { app } = build({ extensions: [extension], requests }, { loopback: false, token: 'secret' });
    assert.equal((await app.request('/things/5')).status, 401);
    const headers = { authorization: 'Bearer secret' };
    assert.deepEqual(await bodyOf(app.request('/things/5', { headers })), { id: '5' });
    assert.equal((await app.request('/things/5', { headers, method: 'DELETE' })).status, 405);
    assert.ok(
      ((await bodyOf(app.request('/x', { headers }))).available_endpoints as string[]).includes('/things/{id}'),
    );
    assert.deepEqual(
      requests.series().map(({ route, status, count }) => [route, status, count]),
      [
        ['/things/:id', 401, 1],
        ['/things/:id', 200, 1],
        ['/things/:id', 405, 1],
        ['other', 404, 1],
      ],
    );
  });
  it('answers probes under the names of Kubernetes too', async () => {
    const { app } = build({}, { loopback: false });
    for (const path of ['/healthz', '/livez', '/readyz']) assert.equal((await app.request(path)).status, 200, path);
  });
});

describe('many at once', () => {
  it('answers 1,000 parallel requests of each probe while a check hangs, and asks the check once', async () => {
    const time = new VirtualTime();
    const checks = new UserChecks();
    let asked = 0;
    checks.register('database', () => {
      asked++;
      return new Promise<never>(() => {});
    });
    const monitor = startHealthMonitor({
      checks: () => checks.list(),
      registry: createRegistry(),
      clock: time,
      epochNowMs: () => 0,
    });
    const { app, requests } = build({
      health: () => ({ status: monitor.view().status, checks: [] }),
      ready: () => ({ ready: monitor.view().status !== 'unhealthy', services: [], activeJobs: 0, maxJobs: 1 }),
    });
    const paths = ['/health', '/health/ready', '/health/live'];
    const all = await Promise.all(Array.from({ length: 3000 }, async (_, i) => app.request(paths[i % 3] as string)));
    assert.ok(all.every(({ status }) => status === 200));
    assert.equal(asked, 1);
    assert.equal(requests.total(), 3000);
    assert.equal(requests.open, 0);
    await time.runTo(10_000);
    assert.equal((await bodyOf(app.request('/health'))).status, 'degraded');
    assert.equal(asked, 1);
  });
  it('refuses 1,000 wrong tokens without a word of the right one', async () => {
    const { app } = build({}, { loopback: false, token: 'the-right-one' });
    const tokens = ['', 'wrong', 'the-right-on', 'the-right-one2', 'x'.repeat(5000)];
    const all = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) =>
        app.request('/status', { headers: { authorization: `Bearer ${tokens[i % tokens.length]}` } }),
      ),
    );
    for (const response of all) {
      assert.equal(response.status, 401);
      assert.doesNotMatch(await response.text(), /the-right-one/);
    }
  });
});
