// The look at the models' servers: which there are, what their answers mean, and that nothing is asked where calls prove it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceChecks } from '../../../src/cli/operations/service-checks.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { createRegistry } from '../../../src/metrics/index.ts';

function rig(models: Record<string, unknown>, answer: (url: string) => Response | Promise<Response>) {
  const { config } = loadConfig({
    file: { path: 'c.json', text: JSON.stringify({ models: { api_key: 'k', ...models } }) },
  });
  const asked: string[] = [];
  const registry = createRegistry();
  const requests = registry.counter({
    name: 'syrinx.api.requests',
    help: 'x',
    labels: ['provider', 'stage', 'model', 'outcome'],
  });
  let resting = false;
  const checks = serviceChecks({
    config,
    registry,
    resting: () => resting,
    fetch: (async (url: string, init: RequestInit) => {
      asked.push(`${url} ${new Headers(init.headers).get('authorization')}`);
      return answer(url);
    }) as typeof fetch,
  });
  const look = (i = 0) => checks[i]?.check(new AbortController().signal);
  const rest = () => {
    resting = true;
  };
  return { checks, asked, look, ok: () => requests.labels({ outcome: 'ok' }).add(1), rest };
}

test('one check for each server, the first named openai; simulated models are no server', () => {
  assert.deepEqual(
    rig({}, () => new Response()).checks.map(({ name, required }) => [name, required]),
    [['openai', true]],
  );
  const apart = rig({ tts: { base_url: 'http://voice.local/v1' } }, () => new Response());
  assert.deepEqual(
    apart.checks.map(({ name }) => name),
    ['openai', 'openai.tts'],
  );
  assert.deepEqual(rig({ provider: 'simulated' }, () => new Response()).checks, []);
});

test('any answer proves a server but a failure of its own or a refused key', async () => {
  for (const [status, expected] of [
    [200, 'ok'],
    [404, 'ok'],
    [401, { status: 'error', message: 'the key is refused (401)' }],
    [503, { status: 'error', message: 'answers 503' }],
  ] as const) {
    const { look, asked } = rig({}, () => new Response('x', { status }));
    assert.deepEqual(await look(), expected);
    assert.deepEqual(asked, ['https://api.openai.com/v1/models Bearer k']);
  }
  const dead = rig({}, () => Promise.reject(new TypeError('fetch failed: secret host')));
  assert.deepEqual(await dead.look(), { status: 'error', message: 'no connection' });
});

test('a call that was answered since the last look is proof enough; a resting model is a warning', async () => {
  const { look, asked, ok, rest } = rig({}, () => new Response());
  ok();
  assert.equal(await look(), 'ok');
  assert.equal(asked.length, 0);
  assert.equal(await look(), 'ok');
  assert.equal(asked.length, 1);
  rest();
  assert.deepEqual(await look(), { status: 'warning', message: 'resting after failures: stt, llm, tts' });
});
