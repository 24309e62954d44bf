// `syrinx start` as operators meet it: ports, addresses, tokens, a full house, probes, the way down, many short calls.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { samplesOf } from './metrics-text.ts';
import { type Ended, endAll, HOSTS, type HostName, inFolder, pool, run, type Server, serve } from './program.ts';
import { onSteadyMachine } from './steadiness.ts';
import { dial, type SocketCaller } from './socket-caller.ts';

after(endAll);

const SIMULATED = { SYRINX_MODELS_PROVIDER: 'simulated' };

function assertHelpful(ended: Ended, code: number, says: RegExp): void {
  const text = `${ended.stdout}\n${ended.stderr}`;
  assert.equal(ended.code, code, text);
  assert.match(ended.stderr, says, text);
  assert.match(ended.stderr, /^ERROR: .*\n( {2}- .*\n)+Use 'syrinx start --help' for more information\.$/m, text);
  assert.doesNotMatch(ended.stderr, /^\s+at /m, text);
}

async function ready(server: Server, headers: Record<string, string> = {}): Promise<SocketCaller> {
  const call = await dial(`${server.socketUrl}?rate=16000`, headers);
  await call.notice('ready');
  return call;
}

async function hangUp(call: SocketCaller): Promise<void> {
  call.say({ type: 'bye' });
  assert.equal((await call.closed).code, 1000);
}

const codeOf = async (url: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(url, { headers });
  await response.text();
  return response.status;
};

async function stop({ program }: Server): Promise<Ended> {
  program.signal('SIGTERM');
  const ended = await program.exit();
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, /^\s+at |Unhandled/m);
  return ended;
}

async function refusesToStart(host: HostName): Promise<void> {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const { port } = taken.address() as { port: number };
  try {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      const cases: readonly (readonly [args: string[], code: number, says: RegExp])[] = [
        [['--port', String(port)], 5, /port is in use; choose another one with --port/],
        [['--port', '0', '--host', '203.0.113.7'], 2, /address does not belong to this machine/],
        [['--port', '0', '--host', 'nobody.invalid'], 3, /host name is unknown/],
        [['--port', '99999'], 2, /port: wanted a whole number from 0 to 65535, got 99999 \(flag --port\)/],
        [['--port', '0', '--record', 'none'], 2, /--record: the folder none does not exist; make it first/],
        [['--port', '0', '--record', 'file'], 2, /--record: file: a part of the path is not a folder/],
        [['--config', 'none.json'], 2, /none\.json/],
      ];
      await pool(cases, 3, async ([args, code, says]) => {
        assertHelpful(await run(host, ['start', ...args], { env: SIMULATED, cwd: folder }), code, says);
      });
    });
    assertHelpful(await run(host, ['start', '--port', '0']), 4, /set OPENAI_API_KEY/);
  } finally {
    taken.close();
  }
}

async function asksForTokens(host: HostName): Promise<void> {
  const open = await serve(host, ['--host', '0.0.0.0']);
  const guarded = await serve(host, ['--host', '0.0.0.0'], { env: { SYRINX_SERVER_TOKEN: 'open-sesame' } });
  for (const server of [open, guarded]) {
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    for (const probe of ['/health', '/health/live', '/health/ready', '/ready'])
      assert.equal(await codeOf(url + probe), 200);
    assert.deepEqual(Object.keys((await (await fetch(`${url}/health`)).json()) as object).sort(), [
      'healthy',
      'status',
      'timestamp',
    ]);
    for (const path of ['/metrics', '/status', '/sessions', '/tools'])
      assert.equal(await codeOf(url + path), 401, path);
    await assert.rejects(dial(`${url.replace('http', 'ws')}/call?rate=16000`), /HTTP 401/);
  }
  const url = guarded.url.replace('0.0.0.0', '127.0.0.1');
  const token = { authorization: 'Bearer open-sesame' };
  assert.equal(await codeOf(`${url}/status`, token), 200);
  assert.equal(await codeOf(`${url}/status`, { authorization: 'Bearer close-sesame' }), 401);
  const socket = { ...guarded, socketUrl: guarded.socketUrl.replace('0.0.0.0', '127.0.0.1') };
  await hangUp(await ready(socket, token));
  const query = await dial(`${socket.socketUrl}?rate=16000&access_token=open-sesame`);
  await query.notice('ready');
  await hangUp(query);
  for (const server of [open, guarded]) assert.doesNotMatch((await stop(server)).stderr, /sesame/);
}

async function fillsUp(host: HostName): Promise<void> {
  const server = await serve(host, ['--max-sessions', '2']);
  const calls = [await ready(server), await ready(server)];
  await assert.rejects(dial(`${server.socketUrl}?rate=16000`), /HTTP 503 retry-after \d+: .*All sessions are in use/);
  const full = await fetch(`${server.url}/health/ready`);
  assert.equal(full.status, 503);
  const { reason, active_jobs, max_jobs } = (await full.json()) as Record<string, unknown>;
  assert.deepEqual({ reason, active_jobs, max_jobs }, { reason: 'full', active_jobs: 2, max_jobs: 2 });
  assert.equal(await codeOf(`${server.url}/health`), 200);
  // A call that lost its client keeps its place, and its client gets through.
  const { resume } = await (calls[0] as SocketCaller).notice('ready');
  (calls[0] as SocketCaller).vanish();
  await calls[0]?.closed;
  const back = await dial(`${server.socketUrl}?resume=${resume}`);
  assert.equal((await back.notice('ready')).resumed, true);
  await hangUp(back);
  await hangUp(await ready(server));
  await hangUp(calls[1] as SocketCaller);
  assert.equal(await codeOf(`${server.url}/health/ready`), 200);
  const health = (...args: string[]) => run(host, ['healthcheck', ...args]);
  assert.equal((await health('--url', `${server.url}/health`)).code, 0);
  assert.equal((await health('--url', `${server.url}/health/none`)).code, 1);
  await stop(server);
  const gone = await health('--url', `${server.url}/health`);
  assert.equal(gone.code, 3);
  assert.match(gone.stderr, /^ERROR: Server gives no answer\n {2}- http/);
}

async function goesDown(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const server = await serve(host, ['--record', folder]);
    const call = await ready(server);
    server.program.signal('SIGTERM');
    await server.program.line(/"draining"/);
    assert.equal(await codeOf(`${server.url}/health/live`), 200);
    const { ready: isReady, reason } = (await (await fetch(`${server.url}/health/ready`)).json()) as Record<
      string,
      unknown
    >;
    assert.deepEqual({ isReady, reason }, { isReady: false, reason: 'draining' });
    assert.equal((await run(host, ['healthcheck', '--url', `${server.url}/health/ready`])).code, 1);
    await assert.rejects(dial(`${server.socketUrl}?rate=16000`), /HTTP 503 retry-after \d+: .*The server is stopping/);
    call.say({ type: 'text', text: 'Hello world.' });
    await call.notice('turn');
    await hangUp(call);
    assert.equal((await server.program.exit(5000)).code, 0);
    assert.equal(readdirSync(folder).length, 1);
  });

  const limited = await serve(host, ['--drain-timeout', '300']);
  const endless = await ready(limited);
  limited.program.signal('SIGTERM');
  await endless.notice('bye', ({ reason }) => reason === 'server is stopping');
  assert.equal((await endless.closed).code, 1001);
  assert.equal((await limited.program.exit(5000)).code, 0);

  await inFolder(async (folder) => {
    const patient = await serve(host, ['--record', folder]);
    const waiting = await ready(patient);
    patient.program.signal('SIGTERM');
    await patient.program.line(/"draining"/);
    const insistedMs = performance.now();
    patient.program.signal('SIGINT');
    assert.equal((await waiting.closed).code, 1001);
    assert.equal((await patient.program.exit(5000)).code, 0);
    assert.ok(performance.now() - insistedMs < 2500, 'a second signal ends it at once');
    const [recording = ''] = readdirSync(folder);
    const replayed = await run('bun', ['replay', join(folder, recording)]);
    assert.match(replayed.stdout, /"reason":"server is stopping"/, replayed.stderr);
    assert.equal(replayed.stderr, '');
  });
}

/** With room for ten, three hundred calls find no room unless each gives its own back. */
async function churns(host: HostName): Promise<void> {
  const server = await serve(host, ['--max-sessions', '10'], { env: { SYRINX_LOGGING_LEVEL: 'warn' } });
  const memory = async () =>
    ((await (await fetch(`${server.url}/status`)).json()) as { metrics: { memory_bytes: number } }).metrics
      .memory_bytes;
  const calls = (count: number) =>
    pool(
      Array.from({ length: count }, (_, i) => i),
      10,
      async (i) => {
        const call = await ready(server);
        call.send(new Uint8Array(6400));
        if (i % 10 === 0) {
          call.say({ type: 'text', text: 'Hello world.' });
          await call.notice('reply');
        }
        await hangUp(call);
      },
    );
  await calls(100);
  const early = await memory();
  await calls(200);
  const samples = samplesOf(await (await fetch(`${server.url}/metrics`)).text());
  assert.equal(samples.get('syrinx_sessions_started_total'), 300);
  assert.equal(samples.get('syrinx_sessions_ended_total{outcome="completed"}'), 300);
  assert.equal(samples.get('syrinx_sessions_active'), 0);
  const grown = (await memory()) - early;
  assert.ok(grown < 40e6, `memory grew by ${Math.round(grown / 1e6)} MB in 200 calls`);
  assert.equal((await stop(server)).stderr, '');
}

/** The specification's own production configuration, CFG-01 to CFG-12. */
const PRODUCTION = {
  telemetry: { enabled: true, metrics_interval_ms: 1000, export_interval_ms: 60_000, retention_hours: 24 },
  health_server: { enabled: true, port: 8080, host: '0.0.0.0' },
  monitoring: {
    real_time_enabled: true,
    alert_thresholds: { latency_ms: 150, error_rate: 0.05, memory_percent: 80, cpu_percent: 70 },
  },
};

async function takesProductionConfig(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'etc'));
    const file = join(folder, 'etc', 'prod.json');
    writeFileSync(file, JSON.stringify({ livekitex_agent: PRODUCTION }));
    // The port alone is another one: 8080 may be taken where the tests run.
    const server = await serve(host, ['--config', file]);
    assert.match(server.url, /^http:\/\/0\.0\.0\.0:\d+$/);
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    assert.equal(await codeOf(`${url}/health`), 200);
    assert.equal(await codeOf(`${url}/metrics`), 401);
    await stop(server);
    const shown = await run(host, ['config', 'show', file, '--format', 'json']);
    assert.equal(shown.code, 0, shown.stderr);
    for (const key of ['export_interval_ms', 'memory_percent'])
      assert.match(shown.stdout, new RegExp(key), shown.stdout);
    writeFileSync(file, JSON.stringify({ telemetry: { metric_interval_ms: 1000 } }));
    const wrong = await run(host, ['start', '--config', file, '--port', '0'], { env: SIMULATED });
    assertHelpful(wrong, 2, /metric_interval_ms.*metrics_interval_ms/);
  });
}

const SCENARIOS: Readonly<Record<string, (host: HostName) => Promise<void>>> = {
  'what can not be served is refused with its reason': refusesToStart,
  'bound wider than loopback, all but the probes need the token': asksForTokens,
  'a full house refuses, keeps places for those who come back, and opens again': fillsUp,
  'a signal lets calls end, the limit or a second signal ends them': goesDown,
  'three hundred short calls leave no trace': churns,
  "the specification's production configuration": takesProductionConfig,
};
describe('a server and its operators', { concurrency: 4 }, () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    for (const host of HOSTS) test(`${host}: ${name}`, () => onSteadyMachine(() => scenario(host)));
  }
});
