// Several processes behind one port: their health, numbers and sessions as one, and who answers all the rest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergePrometheus } from '../../../src/cli/processes/metrics.ts';
import { createProcessRoutes } from '../../../src/cli/processes/routes.ts';
import { shareAnswers } from '../../../src/cli/processes/shared-answers.ts';
import { processOfToken } from '../../../src/cli/processes/sockets.ts';
import type { ProcessReport, ProcessWatch } from '../../../src/cli/processes/watch.ts';

const ONE: ProcessReport = {
  number: 1,
  state: 'running',
  pid: 100,
  restarts: 0,
  ready: true,
  reason: undefined,
  services: ['livekit', 'openai'],
  activeJobs: 3,
  maxJobs: 10,
  status: {
    metrics: { active_sessions: 3, queue_size: 1, memory_bytes: 1000, scale_up: false },
    availability: { ratio: 0.5, probes: 4, successful: 2 },
    ratings: { overall: 5, count: 1 },
  },
  health: { status: 'healthy' },
};
const TWO: ProcessReport = {
  ...ONE,
  number: 2,
  pid: 200,
  activeJobs: 5,
  services: ['openai'],
  status: {
    metrics: { active_sessions: 5, queue_size: 0, memory_bytes: 2000, scale_up: true },
    availability: { ratio: 1, probes: 4, successful: 4 },
    ratings: { overall: 3, count: 3 },
  },
};
const DEAD: ProcessReport = {
  ...ONE,
  number: 3,
  state: 'waiting',
  pid: undefined,
  restarts: 1,
  ready: false,
  reason: 'waiting',
  services: [],
  activeJobs: 0,
  maxJobs: 0,
  status: undefined,
  health: undefined,
};

interface Asked {
  readonly number: number;
  readonly path: string;
  readonly headers: Headers;
  readonly method: string | undefined;
}

function rig(reports: readonly ProcessReport[], token?: string, isDraining = false) {
  const asked: Asked[] = [];
  const timers: (() => void)[] = [];
  const answers: Record<string, () => Response> = {
    '/metrics': () => new Response('# TYPE calls gauge\ncalls 3\n'),
    '/sessions?limit=1000': () => Response.json({ sessions: [{ session_id: 'a' }] }),
    '/sessions/mine': () => Response.json({ session_id: 'mine' }),
  };
  const watch: ProcessWatch = {
    reports: () => reports,
    async ask(number, path, init = {}) {
      asked.push({ number, path, headers: new Headers(init.headers), method: init.method });
      if (reports.find((one) => one.number === number)?.state !== 'running') return null;
      if (path === '/sessions/mine' && number === 1) return new Response(null, { status: 404 });
      if (path.endsWith('/rating')) {
        const isHere = path === '/sessions/mine/rating' && number === 2;
        return isHere
          ? Response.json({ session_id: 'mine', rating: 4 }, { status: 201 })
          : new Response(null, { status: 404 });
      }
      return answers[path]?.() ?? Response.json({ from: number, path }, { headers: { 'x-own': 'kept' } });
    },
    pick: () => 1,
    urlOf: () => undefined,
    stop() {},
  };
  const app = createProcessRoutes({
    watch,
    auth: { token, loopback: true },
    version: '1.2.3',
    startedAtMs: 0,
    now: () => 60_000,
    isDraining: () => isDraining,
    scaleUpAt: 0.75,
    setTimer: (run) => (timers.push(run), () => {}),
    ownMetrics: () => '# TYPE up gauge\nup 1\n',
    status: () => ({ worker_id: 'supervisor-1' }),
  });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await app.request(`http://127.0.0.1${path}`, { headers });
    const text = await answer.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, never>) : ({} as Record<string, never>);
    return { status: answer.status, text, body, headers: answer.headers };
  };
  return { app, asked, timers, get };
}

test('healthy while all are, degraded while one is missing, unhealthy when all are', async () => {
  assert.deepEqual((await rig([ONE, TWO]).get('/health')).body.status, 'healthy');
  const mixed = await rig([ONE, DEAD]).get('/health');
  assert.deepEqual([mixed.status, mixed.body.status], [200, 'degraded']);
  assert.deepEqual(mixed.body.checks, [
    { name: 'process-1', status: 'pass' },
    { name: 'process-3', status: 'fail', message: 'waiting' },
  ]);
  assert.equal((await rig([DEAD]).get('/health')).status, 503);
  assert.equal((await rig([DEAD]).get('/health/live')).status, 200, 'liveness looks at nobody');
});

test('ready while one takes calls and nobody has said stop', async () => {
  const ready = await rig([ONE, TWO, DEAD]).get('/health/ready');
  assert.equal(ready.status, 200);
  assert.deepEqual(
    [ready.body.services, ready.body.active_jobs, ready.body.max_jobs, ready.body.load_percentage],
    [['livekit', 'openai'], 8, 20, 40],
  );
  const none = await rig([{ ...ONE, ready: false, reason: 'full' }, DEAD]).get('/ready');
  assert.deepEqual([none.status, none.body.reason], [503, 'full']);
  const draining = await rig([ONE], undefined, true).get('/ready');
  assert.deepEqual([draining.status, draining.body.reason], [503, 'draining']);
  assert.equal((await rig([ONE]).get('/ready', { accept: 'text/plain' })).text, 'READY');
});

test('status sums what is known and says null where nothing is', async () => {
  const { body } = await rig([ONE, TWO, DEAD]).get('/status');
  assert.deepEqual(body.metrics, {
    active_sessions: 8,
    queue_size: 1,
    memory_bytes: 3000,
    load: 0.4,
    scale_up: false,
  });
  assert.equal((body.processes as unknown as unknown[]).length, 3);
  const dead = (await rig([DEAD]).get('/status')).body.metrics as unknown as Record<string, unknown>;
  assert.deepEqual([dead.active_sessions, dead.memory_bytes, dead.load], [null, null, null]);
  const full = await rig([{ ...ONE, activeJobs: 8 }]).get('/status');
  assert.equal((full.body.metrics as unknown as { scale_up: boolean }).scale_up, true);
});

test('metrics and sessions of all', async () => {
  const { get } = rig([ONE, TWO]);
  assert.equal(
    (await get('/metrics')).text,
    '# TYPE up gauge\nup 1\n# TYPE calls gauge\ncalls{process="1"} 3\ncalls{process="2"} 3\n',
  );
  const list = await get('/sessions?limit=1&offset=1');
  assert.deepEqual([list.body.total, list.body.sessions], [2, [{ session_id: 'a', process: 2 }]]);
  assert.equal((await get('/sessions?limit=0')).status, 400);
  assert.equal((await get('/sessions/mine')).body.session_id, 'mine');
});

test('all else is answered by the first that runs, or by the one that is named; strangers are not let through', async () => {
  const { app, get, asked } = rig([DEAD, TWO], 'sesame');
  assert.equal((await get('/api/alerts')).status, 401);
  assert.equal((await get('/metrics')).status, 401);
  assert.equal(asked.length, 0);
  const trusted = { authorization: 'Bearer sesame', 'x-mine': '1', connection: 'close' };
  const tools = await get('/api/alerts?x=1', trusted);
  assert.deepEqual(tools.body, { from: 2, path: '/api/alerts?x=1' });
  assert.equal(tools.headers.get('x-own'), 'kept');
  assert.deepEqual(
    [asked[0]?.headers.get('authorization'), asked[0]?.headers.get('x-mine'), asked[0]?.headers.get('connection')],
    [null, '1', null],
  );
  assert.deepEqual((await get('/processes/2/status?y=2', trusted)).body, { from: 2, path: '/status?y=2' });
  assert.equal((await get('/processes/3/status', trusted)).status, 503);
  const hook = await app.request('http://127.0.0.1/livekit/webhook', {
    method: 'POST',
    body: '{}',
    headers: { authorization: 'its-signature' },
  });
  assert.equal(hook.status, 200);
  const last = asked.at(-1);
  assert.deepEqual([last?.method, last?.headers.get('authorization')], ['POST', 'its-signature']);
  assert.equal((await rig([DEAD]).get('/api/alerts')).status, 503);
});

test('a rating finds the process of its session; what all refuse is refused', async () => {
  const { app, asked, timers } = rig([ONE, TWO]);
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    app.request(`http://127.0.0.1${path}`, { method: 'POST', body, headers });
  const rated = await post('/sessions/mine/rating', '{"rating": 4}');
  assert.deepEqual([rated.status, await rated.json()], [201, { session_id: 'mine', rating: 4 }]);
  assert.deepEqual(
    asked.map(({ number, path, method }) => [number, path, method]),
    [
      [1, '/sessions/mine/rating', 'POST'],
      [2, '/sessions/mine/rating', 'POST'],
    ],
  );
  assert.equal((await post('/sessions/none/rating', '{"rating": 4}')).status, 404);
  // A process that is away may be the one that knows the session.
  const away = rig([ONE, TWO, DEAD]).app;
  const unknown = await away.request('http://127.0.0.1/sessions/none/rating', {
    method: 'POST',
    body: '{"rating": 4}',
  });
  assert.equal(unknown.status, 503);
  const never = new ReadableStream<Uint8Array>({});
  const before = timers.length;
  const slow = app.request(
    new Request('http://127.0.0.1/sessions/mine/rating', {
      method: 'POST',
      body: never,
      duplex: 'half',
    } as RequestInit),
  );
  while (timers.length === before) await new Promise((go) => setImmediate(go));
  timers.at(-1)?.();
  assert.equal((await slow).status, 408);
  assert.equal((await post('/sessions/mine/rating', `{"rating": ${' '.repeat(70_000)}4}`)).status, 413);
  assert.equal((await post('/sessions/mine/rating', '{}', { origin: 'https://evil.example' })).status, 403);
  assert.equal((await post('/sessions/mine/rating', '{"rating": 4}', { origin: 'http://127.0.0.1' })).status, 201);
});

test('a thousand scrapers at once cost each process one look, and the page is whole for all', async () => {
  const { app, asked } = rig([ONE, TWO, DEAD]);
  const pages = await Promise.all(
    Array.from({ length: 1000 }, async () => (await app.request('http://127.0.0.1/metrics')).text()),
  );
  assert.equal(new Set(pages).size, 1);
  assert.match(pages[0] ?? '', /^calls\{process="2"\} 3$/m);
  assert.equal(asked.length, 3);
});

test('what is shared is fresh, and a failure is not kept', async () => {
  let nowMs = 0;
  let made = 0;
  const ask = shareAnswers(
    async () => {
      if (++made === 2) throw new Error('once');
      return made;
    },
    () => nowMs,
  );
  assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1]);
  nowMs = 124;
  assert.equal(await ask(), 1);
  nowMs = 125;
  await assert.rejects(ask(), /once/);
  assert.equal(await ask(), 3);
  // The clock was set back.
  nowMs = -60_000;
  assert.equal(await ask(), 4);
});

test('probes have their other names here, too, and status tells what was asked', async () => {
  const { get } = rig([ONE, TWO], 'sesame');
  for (const path of ['/healthz', '/readyz', '/livez']) assert.equal((await get(path)).status, 200, path);
  const { body } = await get('/status', { authorization: 'Bearer sesame' });
  assert.equal(body.request_count, 4);
  assert.deepEqual(body.health, { status: 'healthy' });
  assert.deepEqual(body.availability, { ratio: 0.75, probes: 8, successful: 6 });
  assert.deepEqual(body.ratings, { overall: 3.5, count: 4 });
});

test('texts of several processes: each family once, its samples together, odd lines left out', () => {
  const a =
    '# HELP x An x.\n# TYPE x counter\nx{k="v"} 1\nx 2\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n';
  const b = '# HELP x An x.\n# TYPE x counter\nx{k="v"} 5\n!?\nlonely{} 3\n# EOF\n';
  assert.equal(
    mergePrometheus([
      { process: '1', text: a },
      { process: '2', text: b },
      { process: '3', text: '' },
    ]),
    [
      '# HELP x An x.',
      '# TYPE x counter',
      'x{process="1",k="v"} 1',
      'x{process="1"} 2',
      'x{process="2",k="v"} 5',
      '# TYPE h histogram',
      'h_bucket{process="1",le="1"} 1',
      'h_sum{process="1"} 1',
      'h_count{process="1"} 1',
      'lonely{process="2"} 3',
      '',
    ].join('\n'),
  );
});

test('a token for coming back names its process; others name none', () => {
  assert.equal(processOfToken('2.0b5c'), 2);
  assert.equal(processOfToken('0b5c-2.1'), null);
  assert.equal(processOfToken('123.x'), null);
  assert.equal(processOfToken(''), null);
});
