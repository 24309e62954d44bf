// Who may see which route, and which pages may open sockets.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createApp } from '../../src/server/app.ts';
import { equalInConstantTime, isOriginAllowed } from '../../src/server/auth.ts';
import type { AuthOptions } from '../../src/server/options.ts';
import { createRequestCounter } from '../../src/server/requests.ts';

const PROBES = ['/health', '/health/ready', '/ready', '/health/live'];
const GUARDED = ['/status', '/metrics', '/sessions', '/sessions/a', '/tools', '/unknown'];
const TOKEN = 'a-long-secret';

function app(auth: AuthOptions) {
  return createApp({
    version: '1',
    startedAtMs: 0,
    now: () => 5000,
    health: () => ({ status: 'healthy', checks: [{ name: 'db.internal', status: 'pass' }] }),
    ready: () => ({ ready: true, services: ['openai'], activeJobs: 1, maxJobs: 2 }),
    metricsText: () => 'up 1\n',
    status: () => ({}),
    sessions: { list: () => [], get: () => ({ session_id: 'a', status: 'active', started_at: '' }) },
    tools: () => [],
    auth,
    requests: createRequestCounter(),
  });
}

const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('access', () => {
  it('is open on loopback without a token', async () => {
    for (const path of [...PROBES, ...GUARDED]) {
      const response = await app({ loopback: true }).request(path);
      assert.equal(response.status, path === '/unknown' ? 404 : 200, path);
    }
  });
  it('opens only terse probes when bound wider without a token, and says what to do', async () => {
    const server = app({ loopback: false, hint: 'Set SOME_TOKEN' });
    for (const path of PROBES) assert.equal((await server.request(path)).status, 200, path);
    for (const path of GUARDED) {
      const response = await server.request(path, withToken('guess'));
      assert.equal(response.status, 401, path);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.match(await response.text(), /Set SOME_TOKEN/);
    }
  });
  it('keeps the probes terse for strangers', async () => {
    const server = app({ loopback: false, token: TOKEN });
    const strange = (await (await server.request('/health')).json()) as object;
    assert.deepEqual(Object.keys(strange), ['healthy', 'status', 'timestamp']);
    const ready = (await (await server.request('/ready')).json()) as object;
    assert.deepEqual(Object.keys(ready), ['ready', 'services', 'timestamp']);
    const known = (await (await server.request('/health', withToken(TOKEN))).json()) as Record<string, unknown>;
    assert.ok(Array.isArray(known.checks));
  });
  for (const loopback of [true, false]) {
    it(`wants the configured token, ${loopback ? 'on loopback' : 'bound wider'}`, async () => {
      const server = app({ loopback, token: TOKEN });
      for (const path of GUARDED) {
        const expected = path === '/unknown' ? 404 : 200;
        assert.equal((await server.request(path)).status, 401, path);
        assert.equal((await server.request(path, withToken(`${TOKEN}x`))).status, 401, path);
        assert.equal((await server.request(path, withToken(TOKEN.slice(1)))).status, 401, path);
        assert.equal((await server.request(path, withToken(TOKEN))).status, expected, path);
        assert.equal((await server.request(path, { headers: { authorization: `bearer  ${TOKEN}` } })).status, expected);
        // Only sockets take it from the address: addresses end up in logs.
        assert.equal((await server.request(`${path}?access_token=${TOKEN}`)).status, 401, path);
      }
      const basic = await server.request('/status', { headers: { authorization: `Basic ${btoa(`u:${TOKEN}`)}` } });
      assert.equal(basic.status, 401);
    });
  }
  it('opens the metrics by option', async () => {
    const server = app({ loopback: false, openMetrics: true });
    assert.equal((await server.request('/metrics')).status, 200);
    assert.equal((await server.request('/status')).status, 401);
  });
  it('answers a loopback server by local names and addresses only', async () => {
    const server = app({ loopback: true, hostnames: ['desk.internal'] });
    const status = async (host: string) => (await server.request('/status', { headers: { host } })).status;
    for (const host of [
      'localhost',
      'localhost:8080',
      'a.localhost',
      '127.0.0.1:1',
      '[::1]:8080',
      'Desk.internal:80',
    ]) {
      assert.equal(await status(host), 200, host);
    }
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '']) {
      assert.equal(await status(host), 403, host);
    }
    assert.equal((await server.request('/health', { headers: { host: 'evil.example' } })).status, 200);
  });
});

describe('origins of sockets', () => {
  const check = (origin: string | null, origins: string[] = []) => {
    const headers = new Headers({ host: 'desk.example:8080' });
    if (origin !== null) headers.set('origin', origin);
    return isOriginAllowed(new Request('http://desk.example:8080/call', { headers }), { loopback: false, origins });
  };
  it('lets clients that are no browser, own pages and listed origins pass', () => {
    assert.equal(check(null), true);
    assert.equal(check('https://desk.example:8080'), true);
    assert.equal(check('https://other.example', ['https://other.example']), true);
  });
  it('refuses the rest', () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'https://desk.example',
      'https://desk.example:8080.evil.example',
      'x',
    ]) {
      assert.equal(check(origin), false, origin);
    }
  });
});

describe('comparison of tokens', () => {
  it('agrees with === for all strings', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => equalInConstantTime(a, b) === (a === b)));
    fc.assert(fc.property(fc.string(), (a) => equalInConstantTime(a, a)));
  });
});
