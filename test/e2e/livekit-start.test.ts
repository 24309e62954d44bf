// `syrinx start` beside a real LiveKit server: readiness, tokens, webhooks, a key that is refused, a call that outlives SIGTERM.
// real time: other processes come up, register, speak and are stopped by signals.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  AvailabilityRequest,
  Job,
  JobAssignment,
  JobStatus,
  JobTermination,
  Room,
  ServerMessage,
  WorkerMessage,
} from '@livekit/protocol';
import { decodeJwt, SignJWT } from 'jose';
import { createLiveKitApi } from '../../src/livekit/api.ts';
import { startCaller } from '../livekit/room/caller.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../livekit/room/real-server.ts';
import { registered, startSocketServer } from '../livekit/worker/socket-server.ts';
import { endAll, HOSTS, type HostName, run, type Server, serve, start } from './program.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';
import { until } from './until.ts';

after(endAll);

const BINARY = fileURLToPath(new URL('../../.cache/livekit-server/livekit-server', import.meta.url));
const skip = existsSync(BINARY) ? false : 'no livekit-server: run `bun scripts/install-livekit-server.ts`';

const envOf = (livekit: RealServer, secret = SECRET) => ({
  LIVEKIT_URL: livekit.url,
  LIVEKIT_API_KEY: KEY,
  LIVEKIT_API_SECRET: secret,
  SYRINX_MODELS_PROVIDER: 'simulated',
  NODE_ENV: 'production',
});

async function get(server: Server, path: string) {
  const answer = await fetch(`${server.url}${path}`);
  return { code: answer.status, body: (await answer.json()) as Record<string, never> };
}
async function post(server: Server, path: string, body: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', body, headers });
  return { code: answer.status, body: (await answer.json()) as Record<string, string> };
}

async function fromStartToEnd(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const caller = await startCaller();
  try {
    const api = createLiveKitApi({ server: livekit.url, apiKey: KEY, apiSecret: SECRET });
    const server = await serve(host, ['--agent-name', 'desk'], { env: envOf(livekit) });
    await until('readiness', 10_000, async () => (await get(server, '/health/ready')).code === 200);
    const { services } = (await get(server, '/ready')).body as unknown as { services: string[] };
    assert.equal(services[0], 'livekit');

    // A token from our route opens a room, and the room brings the agent.
    const given = await post(server, '/livekit/token', JSON.stringify({ participant_identity: 'carl' }));
    assert.equal(given.code, 201);
    const { room_name: room = '', participant_token: token = '', server_url: url } = given.body;
    assert.equal(url, livekit.url);
    const { exp = 0, nbf = 0 } = decodeJwt(token);
    assert.ok(exp - nbf <= 600, 'it is short');
    caller.do('join', { url, token });
    await caller.hears('track', 10_000);
    const agent = (await api.rooms.participants(room)).find((one) => one.isAgent);
    assert.equal(agent?.agentName, 'desk');
    const { livekit: report, metrics } = (await get(server, '/status')).body as unknown as {
      livekit: { jobs_running: number; registrations: { state: string }[] };
      metrics: { active_sessions: number; queue_size: number };
    };
    assert.deepEqual(
      [report.jobs_running, report.registrations[0]?.state, metrics.active_sessions, metrics.queue_size],
      [1, 'registered', 1, 0],
    );

    const event = { event: 'room_started', id: 'EV_1', createdAt: String(Math.floor(Date.now() / 1000)) };
    const body = JSON.stringify(event);
    const authorization = await new SignJWT({ sha256: createHash('sha256').update(body).digest('base64') })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(KEY)
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(SECRET));
    const codes = [];
    for (const headers of [{}, { authorization }, { authorization }])
      codes.push((await post(server, '/livekit/webhook', body, headers as Record<string, string>)).code);
    assert.deepEqual(codes, [401, 200, 409]);

    // The call goes on after the signal, is answered, and its end is the end of the program.
    const told = caller.told.length;
    server.program.signal('SIGTERM');
    await until('not ready', 3000, async () => (await get(server, '/health/ready')).code === 503);
    assert.equal((await get(server, '/health/live')).code, 200);
    caller.do('chat', { text: 'Hello world.' });
    await caller.hears('sound', 10_000, told, ({ on }) => on === true);
    caller.do('leave');
    const ended = await server.program.exit(15_000);
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr, /^\s+at |eyJ/m);
  } finally {
    await caller.exit();
    await livekit.stop();
  }
}

async function serverComesAndGoes(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  try {
    await livekit.kill();
    const server = await serve(host, [], { env: envOf(livekit) });
    const ready = async (code: number) => {
      await until(`readiness ${code}`, 20_000, async () => (await get(server, '/health/ready')).code === code);
      return (await get(server, '/health/ready')).body as { reason?: string };
    };
    assert.equal((await ready(503)).reason, 'livekit not registered');
    const health = await get(server, '/health');
    assert.deepEqual([health.code, health.body.status], [200, 'degraded']);
    const line = async () =>
      ((await get(server, '/health')).body as { livekit?: Record<string, unknown> }).livekit ?? {};
    assert.deepEqual([(await line()).connected, (await line()).connection_quality], [false, 'disconnected']);
    assert.equal((await get(server, '/health/live')).code, 200);
    await livekit.start();
    await ready(200);
    assert.equal((await get(server, '/health')).body.status, 'healthy');
    assert.equal((await line()).connected, true);
    // The first ping goes out after 5 s.
    await until('a heartbeat', 10_000, async () => typeof (await line()).last_heartbeat === 'string');
    assert.match(String((await line()).connection_quality), /^(excellent|good|poor)$/);
    await livekit.kill();
    await ready(503);
    // Calls that come another way are taken all the same.
    const call = await dial(`${server.socketUrl}?rate=16000`);
    await call.notice('ready');
    call.say({ type: 'bye' });
    await livekit.start();
    await ready(200);
    server.program.signal('SIGTERM');
    assert.equal((await server.program.exit()).code, 0);

    for (const more of [[], ['--processes', '2']]) {
      const wrong = await run(host, ['start', '--port', '0', ...more], { env: envOf(livekit, `${SECRET}x`) });
      assert.equal(wrong.code, 4, wrong.stderr);
      assert.match(wrong.stderr, /^ERROR: LiveKit server refuses the API key or secret$/m);
      assert.doesNotMatch(wrong.stderr, new RegExp(`${SECRET}|eyJ`));
    }
  } finally {
    await livekit.stop();
  }
}

async function withoutRtc(host: HostName): Promise<void> {
  const env = {
    LIVEKIT_URL: 'ws://127.0.0.1:9',
    LIVEKIT_API_KEY: KEY,
    LIVEKIT_API_SECRET: SECRET,
    // Where the loader of the addon looks first.
    NAPI_RS_NATIVE_LIBRARY_PATH: '/dev/null',
  };
  const server = await serve(host, [], { env });
  const { rtc, reason } = (await get(server, '/status')).body.livekit as unknown as { rtc: boolean; reason: string };
  assert.equal(rtc, false);
  assert.match(reason, /^LiveKit's native library can not be loaded: \S/);
  assert.doesNotMatch(reason, /npm/);
  assert.deepEqual([(await get(server, '/health')).body.status, (await get(server, '/ready')).code], ['degraded', 200]);
  assert.equal((await post(server, '/livekit/token', '{}')).code, 201, 'tokens need no native code');
  const call = await dial(`${server.socketUrl}?rate=16000`);
  await call.notice('ready');
  call.say({ type: 'bye' });
  await call.closed;
  server.program.signal('SIGTERM');
  assert.equal((await server.program.exit()).code, 0);
}

async function severalAgents(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const callers = [await startCaller(), await startCaller()];
  try {
    const api = createLiveKitApi({ server: livekit.url, apiKey: KEY, apiSecret: SECRET });
    const program = start(host, ['start', 'test/e2e/two-agents.ts', '--port', '0'], { env: envOf(livekit) });
    await program.lines(/livekit agent registered/, 2);
    await Promise.all(
      ['anna', 'otto'].map(async (agentName, i) => {
        const room = `${agentName}s-room`;
        callers[i]?.do('join', { url: livekit.url, token: await livekit.token('carl', room) });
        await callers[i]?.hears('joined');
        await api.dispatch.create(room, { agentName, metadata: `order ${i}`, attributes: { tier: 'gold' } });
        const said = await callers[i]?.hears('transcription', 15_000, 0, ({ text }) => /tier/.test(String(text)));
        assert.match(String(said?.text), new RegExp(`${agentName} was sent with order ${i}, tier is gold`));
      }),
    );
    program.signal('SIGTERM');
    for (const caller of callers) caller.do('leave');
    assert.equal((await program.exit(15_000)).code, 0);
  } finally {
    await Promise.all(callers.map((caller) => caller.exit()));
    await livekit.stop();
  }
}

/** A server that takes our worker and hands out a token that the rooms' server refuses. */
async function refusedToken(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const token = await new SignJWT({ video: { roomJoin: true, room: 'closed' } })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(KEY)
    .setSubject('agent')
    .setExpirationTime(Math.floor(Date.now() / 1000) - 3600)
    .sign(new TextEncoder().encode(SECRET));
  const ended: string[] = [];
  const job = new Job({ id: 'AJ_1', room: new Room({ sid: 'RM_1', name: 'closed' }), agentName: 'desk' });
  const say = (message: ServerMessage['message']) => new ServerMessage({ message }).toBinary();
  const hostile = await startSocketServer({
    behaviour(socket, send) {
      send(registered);
      socket.on('message', (data) => {
        const { message } = WorkerMessage.fromBinary(new Uint8Array(data as Buffer));
        if (message.case === 'register') {
          send(Uint8Array.of(255, 255, 255));
          send('no protojson');
          send(say({ case: 'termination', value: new JobTermination({ jobId: 'AJ_none' }) }));
          send(say({ case: 'assignment', value: new JobAssignment({ job: new Job({ id: 'AJ_never' }), token: 'x' }) }));
          send(say({ case: 'availability', value: new AvailabilityRequest({ job }) }));
        } else if (message.case === 'availability' && message.value.available)
          send(say({ case: 'assignment', value: new JobAssignment({ job, token, url: livekit.url }) }));
        else if (message.case === 'updateJob' && message.value.status === JobStatus.JS_FAILED)
          ended.push(`${message.value.jobId} ${message.value.error}`);
      });
    },
  });
  try {
    // Nothing in the environment makes the native library quiet: the program must.
    const { NODE_ENV: _, ...env } = envOf(livekit);
    const server = await serve(host, ['--agent-name', 'desk'], { env: { ...env, LIVEKIT_URL: hostile.url } });
    await until('a failed job', 15_000, async () => ended.length === 2);
    assert.equal(ended[0], 'AJ_never assignment was not expected');
    assert.match(ended[1] ?? '', /^AJ_1 .*401/);
    await until('the place to be free', 3000, async () => {
      const { livekit: report } = (await get(server, '/status')).body as unknown as {
        livekit: { jobs_running: number };
      };
      return report.jobs_running === 0;
    });
    server.program.signal('SIGTERM');
    const all = await server.program.exit();
    assert.equal(all.code, 0);
    assert.doesNotMatch(`${all.stdout}${all.stderr}${ended.join()}`, /eyJ|ERROR livekit|lk-rtc|^\s+at /m);
  } finally {
    await hostile.stop();
    await livekit.stop();
  }
}

for (const host of HOSTS) {
  describe(`start with LiveKit on ${host}`, { concurrency: true }, () => {
    void test(
      'a token from our route brings caller and agent together; webhooks once; the call outlives SIGTERM',
      { skip },
      () => onSteadyMachine(() => fromStartToEnd(host)),
    );
    void test('a server that comes late, goes and comes back; a key that it refuses', { skip }, () =>
      onSteadyMachine(() => serverComesAndGoes(host)),
    );
    void test('two agents of one program, each asked for by its name and told what for', { skip }, () =>
      onSteadyMachine(() => severalAgents(host)),
    );
    // The binary has its addon inside and asks nobody for it.
    if (host !== 'binary') void test('without the native library everything else runs', () => withoutRtc(host));
    void test('a hostile server: garbage, wrong orders, a room token that is refused and stays secret', { skip }, () =>
      onSteadyMachine(() => refusedToken(host)),
    );
  });
}
