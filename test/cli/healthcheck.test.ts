// DEP-01: healthcheck against a real HTTP server: healthy, unhealthy, not there, too slow.
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { createFakeHost } from './fake-host.ts';

async function withServer<T>(answer: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
async function check(args: string, env: Record<string, string> = {}) {
  const host = createFakeHost({ env });
  const code = await main(host, ['healthcheck', ...args.split(' ').filter((one) => one !== '')]);
  return { code, out: host.out.join('\n'), errors: host.errors.join('\n') };
}
const json =
  (status: number, body: unknown): RequestListener =>
  (request, response) => {
    response.writeHead(request.url === '/health' ? status : 404, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

test('0 when healthy or degraded, 1 when not, by status code and by body', async () => {
  const cases: [number, unknown, number][] = [
    [200, { healthy: true, status: 'healthy' }, 0],
    [200, { healthy: true, status: 'degraded' }, 0],
    [200, 'OK', 0],
    [503, { healthy: false, status: 'unhealthy' }, 1],
    [200, { healthy: false }, 1],
    [404, '', 1],
    [301, '', 1],
  ];
  for (const [status, body, expected] of cases) {
    await withServer(json(status, body), async (port) => {
      const { code, out } = await check(`--url http://127.0.0.1:${port}/health`);
      assert.equal(code, expected, `${status} ${JSON.stringify(body)}`);
      assert.match(out, expected === 0 ? /^healthy \(200\)/ : /^unhealthy/);
    });
  }
});

test('asks the configured port on this machine, also when the server listens everywhere', async () => {
  await withServer(json(200, { healthy: true }), async (port) => {
    const env = { HEALTH_CHECK_PORT: String(port), SYRINX_HEALTH_SERVER_HOST: '0.0.0.0' };
    assert.deepEqual(await check('', env), {
      code: 0,
      out: `healthy (200) http://127.0.0.1:${port}/health`,
      errors: '',
    });
  });
});

test('answers as JSON when asked to', async () => {
  await withServer(json(503, { healthy: false, status: 'unhealthy' }), async (port) => {
    const { code, out } = await check(`--url http://127.0.0.1:${port}/health --format json`);
    const { status, data, timestamp } = JSON.parse(out);
    assert.deepEqual([code, status, data.httpStatus, data.health.status], [1, 'unhealthy', 503, 'unhealthy']);
    assert.ok(!Number.isNaN(Date.parse(timestamp)));
  });
});

test('3 when nobody answers, or not in time', async () => {
  // A port that was free a moment ago.
  const free = await withServer(json(200, ''), async (port) => port);
  const refused = await check(`--url http://127.0.0.1:${free}/health`);
  assert.equal(refused.code, 3);
  assert.match(refused.errors, /^ERROR: Server gives no answer\n {2}- http:.*\nUse 'syrinx healthcheck --help'/);
  assert.equal(
    JSON.parse((await check(`--url http://127.0.0.1:${free}/health --format json`)).out).status,
    'unreachable',
  );
  await withServer(
    () => {},
    async (port) => {
      const silent = await check(`--url http://127.0.0.1:${port}/health --timeout 50`);
      assert.equal(silent.code, 3);
      assert.match(silent.errors, /no answer within 50 ms/);
    },
  );
});

test('2 when the flags make no sense', async () => {
  const { code, errors } = await check('--url ftp://x --timeout -5 --format yaml');
  assert.equal(code, 2);
  assert.equal(errors.match(/^ {2}- --/gm)?.length, 3);
});
