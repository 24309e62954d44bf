// The routes of alerts: what is shown, silenced, acknowledged, tested and simulated, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertEngine, AlertRuleError, SampleStore } from '../../src/ops/alerts/index.ts';
import { createApp } from '../../src/server/app.ts';
import { createRequestCounter } from '../../src/server/requests.ts';
import { type AlertsApi, alertRoutes, readMatcher } from '../../src/server/routes/alerts.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const METRIC = 'session.error_rate';

function build(token?: string) {
  const engine = new AlertEngine({ channels: () => ['webhook'], store: new SampleStore() });
  engine.setAlertRule('errors', { metric: METRIC, condition: '>', threshold: 0.1, channels: ['webhook'] });
  engine.setAlertRule('quiet', { metric: 'system.queue_size', condition: '>', threshold: 10, channels: ['webhook'] });
  engine.observe([{ metric: METRIC, labels: {}, value: 0.5 }], NOW_MS);
  engine.evaluate(NOW_MS);
  let started = true;
  const api: AlertsApi = {
    alerts: () => engine.alerts(),
    rules: () => engine.ruleViews(),
    silences: () => engine.silences(),
    deliveries: () => [],
    persistent: () => false,
    channels: () => ['webhook'],
    silence: (silence) => engine.silence(silence, NOW_MS),
    endSilence: (id) => engine.endSilence(id, NOW_MS),
    acknowledge: (print, by) => engine.acknowledge(print, by, NOW_MS),
    test: (name) => (engine.rules().some((rule) => rule.name === name) ? engine.test(name, NOW_MS) : undefined),
    simulate: async (request) => {
      if ((request as { rule?: string }).rule === undefined) throw new AlertRuleError(['rule: is missing']);
      return { states: 'iipf' };
    },
  };
  const app = createApp({
    version: '1',
    startedAtMs: NOW_MS,
    now: () => NOW_MS,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: true, services: [], activeJobs: 0, maxJobs: 1 }),
    metricsText: () => '',
    status: () => ({}),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    dashboard: () => ({}),
    auth: { loopback: true, token },
    requests: createRequestCounter(),
    extensions: [alertRoutes({ now: () => NOW_MS, api: () => (started ? api : undefined) })],
  });
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(`http://localhost${path}`, {
      method,
      headers: { host: 'localhost' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
  };
  return {
    engine,
    ask,
    stop() {
      started = false;
    },
  };
}

test('alerts, rules and deliveries are shown', async () => {
  const { ask } = build();
  const { status, body } = await ask('GET', '/api/alerts');
  assert.equal(status, 200);
  const { alerts, total, persistent, channels } = body;
  assert.deepEqual([total, persistent, channels], [1, false, ['webhook']]);
  const [alert] = alerts as Record<string, unknown>[];
  assert.deepEqual(
    [alert?.['rule'], alert?.['state'], alert?.['value'], alert?.['starts_at'], alert?.['acknowledged_by']],
    ['errors', 'firing', 0.5, '2026-01-02T03:04:05.000Z', null],
  );
  const rules = (await ask('GET', '/api/alerts/rules')).body['rules'] as Record<string, unknown>[];
  assert.deepEqual(
    rules.map(({ name, state }) => [name, state]),
    [
      ['errors', 'firing'],
      ['quiet', 'not measured'],
    ],
  );
  assert.deepEqual((await ask('GET', '/api/alerts/deliveries')).body, { deliveries: [] });
});

test('a silence is made, shown, and ended; what cannot be read is refused', async () => {
  const { ask, engine } = build();
  const made = await ask('POST', '/api/alerts/silences', {
    matchers: ['alertname=errors', 'severity!~"crit.*"'],
    duration_seconds: 3600,
    comment: 'deploying',
    created_by: 'ada',
  });
  assert.equal(made.status, 201);
  const id = String(made.body['id']);
  const [silence] = (await ask('GET', '/api/alerts/silences')).body['silences'] as Record<string, unknown>[];
  assert.deepEqual(silence, {
    id,
    comment: 'deploying',
    matchers: ['alertname="errors"', 'severity!~"crit.*"'],
    starts_at: '2026-01-02T03:04:05.000Z',
    ends_at: '2026-01-02T04:04:05.000Z',
    created_by: 'ada',
  });
  engine.evaluate(NOW_MS);
  assert.match(engine.alerts()[0]?.muted ?? '', /^silence /);
  assert.equal((await ask('DELETE', `/api/alerts/silences/${id}`)).status, 200);
  assert.equal((await ask('DELETE', `/api/alerts/silences/${id}`)).status, 404);
  const wrong: unknown[] = [
    {},
    { matchers: [], duration_seconds: 5 },
    { matchers: ['nonsense'], duration_seconds: 5 },
    { matchers: ['a=~('], duration_seconds: 5 },
    { matchers: ['a=~(x+)+y'], duration_seconds: 5 },
    { matchers: ['a=b'] },
    { matchers: ['a=b'], duration_seconds: -5 },
    { matchers: ['a=b'], duration_seconds: 1e12 },
    { matchers: ['a=b'], ends_at: 'tomorrow' },
    { matchers: ['a=b'], ends_at: '2020-01-01T00:00:00Z' },
    'no json',
    [1],
  ];
  for (const body of wrong)
    assert.equal((await ask('POST', '/api/alerts/silences', body)).status, 400, JSON.stringify(body));
});

test('an alert is acknowledged by its fingerprint, a rule tested by its name', async () => {
  const { ask, engine } = build();
  const print = engine.alerts()[0]?.fingerprint ?? '';
  assert.equal((await ask('POST', `/api/alerts/${print}/acknowledge`, { by: 'ada' })).status, 200);
  assert.equal(engine.alerts()[0]?.acknowledgedBy, 'ada');
  assert.equal((await ask('POST', '/api/alerts/0000/acknowledge')).status, 404);
  const tested = await ask('POST', '/api/alerts/rules/errors/test');
  assert.equal(tested.status, 202);
  assert.equal((tested.body['notifications'] as unknown[]).length, 1);
  const unknown = await ask('POST', '/api/alerts/rules/nothing/test');
  assert.deepEqual([unknown.status, unknown.body['rules']], [404, ['errors', 'quiet']]);
});

test('simulations answer, or say what is wrong with them', async () => {
  const { ask } = build();
  assert.deepEqual((await ask('POST', '/api/alerts/simulate', { rule: 'errors' })).body, { states: 'iipf' });
  const refused = await ask('POST', '/api/alerts/simulate', {});
  assert.deepEqual([refused.status, refused.body['problems']], [400, ['rule: is missing']]);
});

test('the door is before them; other methods are refused; while the program starts they say so', async () => {
  const guarded = build('secret');
  assert.equal((await guarded.ask('GET', '/api/alerts')).status, 401);
  assert.equal((await guarded.ask('POST', '/api/alerts/silences', {})).status, 401);
  const open = build();
  assert.equal((await open.ask('POST', '/api/alerts', {})).status, 405);
  assert.equal((await open.ask('GET', '/api/alerts/rules/errors/test')).status, 405);
  open.stop();
  assert.equal((await open.ask('GET', '/api/alerts')).status, 503);
});

test('matchers are read with and without quotes', () => {
  assert.deepEqual(readMatcher('a=b'), { name: 'a', op: '=', value: 'b' });
  assert.deepEqual(readMatcher(' a =~ "x.*" '), { name: 'a', op: '=~', value: 'x.*' });
  assert.deepEqual(readMatcher('a!="say \\"hi\\""'), { name: 'a', op: '!=', value: 'say "hi"' });
  assert.deepEqual(readMatcher('a='), { name: 'a', op: '=', value: '' });
  for (const wrong of ['', '=b', 'a', 'a-b=c', 'a=="b"x"']) {
    const read = readMatcher(wrong);
    assert.ok(read === undefined || wrong === 'a=="b"x"', wrong);
  }
});
