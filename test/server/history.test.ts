// The routes of the history: every format, every limit, and what a client is told that asks for too much, or for nothing that there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/config/nearest.ts';
import { type HistorySource, sourceOf, UnavailableError } from '../../src/ops/history/index.ts';
import { createApp } from '../../src/server/app.ts';
import { createRequestCounter } from '../../src/server/requests.ts';
import { historyRoutes } from '../../src/server/routes/history.ts';
import { createRig, START } from '../ops/history/history-rig.ts';

async function build(options: { token?: string; source?: Partial<HistorySource> } = {}) {
  const rig = createRig();
  const calls = rig.registry.counter({ name: 'calls', help: 'h', labels: ['who'] });
  const time = rig.registry.histogram({ name: 'turn.time', help: 'h', unit: 's' }).labels();
  const wide = rig.registry.gauge({ name: 'wide', help: 'h', labels: ['n'] });
  for (let i = 0; i < 120; i++) wide.labels({ n: String(i) }).set(i);
  await rig.history.start();
  await rig.seconds(90, () => {
    calls.labels({ who: 'a' }).add(2);
    calls.labels({ who: 'b' }).add(1);
    time.record(0.2);
  });
  const source = { ...sourceOf(rig.history, { now: () => 0, pause: async () => {} }), ...options.source };
  const now = () => rig.epochMs;
  const app = createApp({
    version: '1',
    startedAtMs: START,
    now,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: true, services: [], activeJobs: 0, maxJobs: 1 }),
    metricsText: () => '',
    status: () => ({}),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    auth: { loopback: true, token: options.token },
    requests: createRequestCounter(),
    extensions: [
      historyRoutes({ now, source, nearest, origin: 'desk', pacing: { now: () => 0, pause: async () => {} } }),
    ],
  });
  return async (path: string, headers: Record<string, string> = {}) => {
    const answer = await app.request(`http://localhost/api/history${path}`, {
      headers: { host: 'localhost', ...headers },
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    const body = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
    return { status: answer.status, text, body, headers: answer.headers };
  };
}

test('where it is kept and which series there are', async () => {
  const get = await build();
  const { status, body } = await get('');
  assert.equal(status, 200);
  assert.deepEqual([body.storage, body.problem], ['memory', null]);
  assert.ok((body.series as { name: string }[]).some(({ name }) => name === 'turn.time'));
});

test('a range in steps: by name or name at /metrics, by labels, with percentiles, of several metrics', async () => {
  const get = await build();
  const from = `from=${new Date(START).toISOString()}`;
  const one = await get(`/query?name=calls&label.who=a&${from}&step=60`);
  assert.deepEqual((one.body.series as { sum: number[] }[])[0]?.sum, [60, 120]);
  const times = await get(`/query?name=turn_time_seconds&${from}&step=120&quantiles=0.5,0.99&buckets=true`);
  const [series] = times.body.series as { quantiles: number[][]; buckets: number[][] }[];
  assert.ok(Math.abs((series?.quantiles[1]?.[0] ?? 0) / 0.2 - 1) < 0.006);
  assert.deepEqual(
    series?.buckets?.map((pairs) => pairs.length),
    [2, 2],
  );
  const both = await get(`/query?name=calls&name=turn.*&${from}&step=120`);
  assert.equal((both.body.series as unknown[]).length, 3);
  // The last hour unless something else is asked for.
  assert.equal(
    (await get('/query?name=calls&step=60')).body.fromMs,
    Math.floor((START + 90_000 - 3_600_000) / 60_000) * 60_000,
  );
});

test('CSV, OpenMetrics and a report have their own types; the page may show its style and nothing else', async () => {
  const get = await build();
  const csv = await get('/query?name=calls&step=60&format=csv');
  assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
  assert.equal(csv.text.split('\r\n').length, 1 + 4 + 1);
  const metrics = await get('/query?name=turn.time&step=60&format=prometheus');
  assert.match(metrics.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1\.0\.0/);
  assert.match(metrics.text, /turn_time_seconds_bucket\{le="0\.25"\} 90 \d+\n/);
  const page = await get('/query?name=turn.time&format=html');
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'unsafe-inline'/);
  assert.match(page.text, /<h2>turn\.time<\/h2>/);
  assert.equal((await get('/query?format=html')).status, 200, 'without names: the important ones');
  assert.match(
    (await get('')).headers.get('content-security-policy') ?? '',
    /default-src 'none'; frame-ancestors 'none'/,
  );
});

test('what cannot be answered is refused with what is wrong', async () => {
  const get = await build();
  const refused = async (query: string, message: RegExp, status = 400) => {
    const { body, status: got } = await get(`/query?${query}`);
    assert.equal(got, status, query);
    assert.match(String(body.message), message);
  };
  await refused('', /"name" must be/);
  await refused('name=', /"name" must be/);
  await refused('name=calls&from=yesterday', /"from" must be a time/);
  await refused('name=calls&from=1&to=1', /"from" must be a time before/);
  await refused('name=calls&step=0.5', /whole seconds/);
  await refused('name=calls&step=x', /whole seconds/);
  await refused('name=calls&from=0&step=1', /more than 11000 steps/);
  await refused('name=calls&quantiles=2', /quantiles/);
  await refused(`name=calls&quantiles=${Array.from({ length: 11 }, () => '0.5').join()}`, /at most 10/);
  await refused('name=calls&format=xml', /"format" is one of json, csv, prometheus, html/);
  await refused('name=calls&setp=60', /"setp" is no parameter/);
  await refused('name=wide', /120 series with \d+ steps each are too many/);
  await refused(Array.from({ length: 61 }, () => 'name=calls').join('&'), /at most 60 names/);
  await refused('name=cals', /no history of "cals"; did you mean "calls"\?/, 404);
  await refused('name=x*', /fits "x\*"/, 404);
});

test('it lies behind the door of the server', async () => {
  const get = await build({ token: 'secret' });
  assert.equal((await get('')).status, 401);
  assert.equal((await get('/query?name=calls&format=html')).status, 401);
  assert.equal((await get('/query?name=calls', { authorization: 'Bearer secret' })).status, 200);
});

test('four queries at a time, a fifth is told to come again; nobody there is said, a defect is no answer of ours', async () => {
  let go = (): void => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const slow = await build();
  const waiting = await build({
    source: {
      async query() {
        await held;
        throw new RangeError('late');
      },
    },
  });
  assert.equal((await slow('/query?name=calls')).status, 200);
  const four = Array.from({ length: 4 }, async () => await waiting('/query?name=calls'));
  // They are all on their way when the fifth comes.
  for (let i = 0; i < 50; i++) await Promise.resolve();
  const fifth = await waiting('/query?name=calls');
  assert.deepEqual([fifth.status, fifth.body.error], [503, 'busy']);
  go();
  assert.deepEqual(
    (await Promise.all(four)).map(({ status }) => status),
    [400, 400, 400, 400],
  );
  const gone = await build({ source: { query: () => Promise.reject(new UnavailableError('nobody')) } });
  assert.equal((await gone('/query?name=calls')).status, 503);
  const broken = await build({ source: { query: () => Promise.reject(new Error('a defect')) } });
  const answer = await broken('/query?name=calls');
  assert.deepEqual([answer.status, answer.text.includes('a defect')], [500, false]);
});
