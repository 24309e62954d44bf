// `syrinx start --processes 2` as users meet it: calls on one port, one process killed, the other's calls untouched, the way down.
// real time: processes are killed and come up again.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLiveKitApi } from '../../src/livekit/api.ts';
import { type Caller, startCaller } from '../livekit/room/caller.ts';
import { KEY, SECRET, startRealServer } from '../livekit/room/real-server.ts';
import { endAll, HOSTS, type HostName, run, type Server, serve } from './program.ts';
import { dial, type SocketCaller } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';
import { until } from './until.ts';

after(endAll);

const LIVEKIT = fileURLToPath(new URL('../../.cache/livekit-server/livekit-server', import.meta.url));
const noLiveKit = existsSync(LIVEKIT) ? false : 'no livekit-server: run `bun scripts/install-livekit-server.ts`';
/** What dies is back in its place within this. */
const BACK_MS = 5000;

interface ProcessStatus {
  readonly process: number;
  readonly state: string;
  readonly pid: number;
  readonly ready: boolean;
  readonly restarts: number;
  readonly report?: { readonly livekit?: { readonly registrations: readonly { readonly worker_id: string }[] } };
}

async function processes(server: Server): Promise<readonly ProcessStatus[]> {
  const answer = await fetch(`${server.url}/status`);
  return ((await answer.json()) as { processes: readonly ProcessStatus[] }).processes;
}

const allReady = (server: Server) =>
  until('both ready', 20_000, async () => {
    const all = await processes(server);
    return all.every(({ ready }) => ready) && all;
  });

/** There is another process in the place of this one, and all are ready. */
const replaced = (server: Server, pid: number) =>
  until('another process', 20_000, async () => {
    const all = await processes(server);
    return all.every((one) => one.ready && one.pid !== pid) && all;
  });

async function ready(url: string): Promise<SocketCaller & { readonly resume: string }> {
  const call = await dial(url);
  const { resume } = await call.notice('ready');
  return Object.assign(call, { resume: String(resume) });
}

/** Which process has the call. */
const placeOf = ({ resume }: { readonly resume: string }) => Number(resume.split('.')[0]);

async function answers(call: SocketCaller): Promise<void> {
  const before = call.notices.filter(({ type }) => type === 'reply').length;
  call.say({ type: 'text', text: 'Hello world.' });
  await until('a reply', 10_000, async () => call.notices.filter(({ type }) => type === 'reply').length > before);
}

interface Session {
  readonly session_id: string;
  readonly process: number;
}

/** Whatever process has a call: a rating reaches it, and the dashboard and the numbers are those of all. */
async function judgedAndSummed(server: Server, sessions: readonly Session[]): Promise<void> {
  assert.deepEqual(new Set(sessions.map((one) => one.process)), new Set([1, 2]));
  for (const { session_id: id } of sessions) {
    const url = `${server.url}/sessions/${id}`;
    const rated = await fetch(`${url}/rating`, { method: 'POST', body: '{"rating": 4, "kind": "clarity"}' });
    assert.equal(rated.status, 201, await rated.text());
    const { ratings } = (await (await fetch(url)).json()) as { ratings: { rating: number; kind: string }[] };
    assert.deepEqual(
      ratings.map(({ rating, kind }) => [rating, kind]),
      [[4, 'clarity']],
    );
  }
  const unknown = await fetch(`${server.url}/sessions/nobody/rating`, { method: 'POST', body: '{"rating": 4}' });
  assert.equal(unknown.status, 404);
  const dashboard = (await (await fetch(`${server.url}/dashboard`)).json()) as {
    overview: { active_sessions: number };
    system: { active_connections: { media: number } };
    worker_status: { process: number; active_jobs: number }[];
  };
  assert.equal(dashboard.overview.active_sessions, 2);
  assert.equal(dashboard.system.active_connections.media, 2);
  assert.deepEqual(
    dashboard.worker_status.map((one) => [one.process, one.active_jobs]),
    [
      [1, 1],
      [2, 1],
    ],
  );
  const json = await fetch(`${server.url}/metrics`, { headers: { accept: 'application/json' } });
  const { sessions: summed } = (await json.json()) as { sessions: { active_sessions: number } };
  assert.equal(summed.active_sessions, 2);
}

async function webSocketCalls(host: HostName): Promise<void> {
  const server = await serve(host, ['--processes', '2', '--max-sessions', '2']);
  await allReady(server);
  const [a, b] = [await ready(`${server.socketUrl}?rate=16000`), await ready(`${server.socketUrl}?rate=16000`)];
  assert.deepEqual(new Set([placeOf(a), placeOf(b)]), new Set([1, 2]), 'calls are spread');
  await answers(a);
  const list = (await (await fetch(`${server.url}/sessions`)).json()) as { total: number; sessions: Session[] };
  assert.equal(list.total, 2);
  await judgedAndSummed(server, list.sessions);

  const victim = (await processes(server)).find((one) => one.process === placeOf(a));
  assert.ok(victim);
  const killedMs = performance.now();
  process.kill(victim.pid, 'SIGKILL');
  assert.equal((await a.closed).code, 1011);
  await answers(b);
  const all = await replaced(server, victim.pid);
  const backMs = performance.now() - killedMs;
  assert.ok(backMs < BACK_MS, `back after ${Math.round(backMs)} ms`);
  assert.equal(
    all.reduce((sum, { restarts }) => sum + restarts, 0),
    1,
  );
  assert.notEqual(all[victim.process - 1]?.pid, victim.pid);

  // A call that loses its line finds its way back to the process that has it, by address and by hello.
  b.vanish();
  const back = await dial(`${server.socketUrl}?resume=${b.resume}`);
  assert.equal((await back.notice('ready')).resumed, true);
  await answers(back);
  back.vanish();
  const again = await dial(server.socketUrl);
  again.say({ type: 'hello', resume: b.resume });
  assert.equal((await again.notice('ready')).resumed, true);
  const lost = await dial(`${server.socketUrl}?resume=${a.resume}`);
  assert.equal((await lost.closed).code, 4004);

  const more = await Promise.all([1, 2, 3].map(() => ready(`${server.socketUrl}?rate=16000`)));
  await until('a full house', 5000, async () => (await fetch(`${server.url}/ready`)).status === 503);
  await assert.rejects(dial(`${server.socketUrl}?rate=16000`), /HTTP 503 retry-after \d+: .*All sessions are in use/);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /^syrinx_sessions_active\{process="1"\} 2$/m);
  assert.match(metrics, /^syrinx_sessions_active\{process="2"\} 2$/m);
  assert.equal(metrics.match(/^# TYPE syrinx_sessions_active gauge$/gm)?.length, 1);
  const tools = await fetch(`${server.url}/tools`);
  assert.equal(tools.status, 200);

  server.program.signal('SIGTERM');
  await until('not ready', 2000, async () => (await fetch(`${server.url}/ready`)).status === 503);
  await answers(again);
  for (const call of [again, ...more]) {
    call.say({ type: 'bye' });
    assert.equal((await call.closed).code, 1000);
  }
  const ended = await server.program.exit();
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, /^\s+at |Unhandled/m);
}

async function endsInOrder(host: HostName): Promise<void> {
  const server = await serve(host, ['--processes', '2']);
  const all = await allReady(server);
  const call = await ready(`${server.socketUrl}?rate=16000`);
  // As Ctrl-C does: every process of the terminal is told, and the calls go on.
  for (const { pid } of all) process.kill(pid, 'SIGINT');
  server.program.signal('SIGINT');
  await until('not ready', 2000, async () => (await fetch(`${server.url}/ready`)).status === 503);
  await answers(call);
  server.program.signal('SIGINT');
  assert.equal((await call.closed).code, 1001);
  assert.equal((await server.program.exit(10_000)).code, 0);

  // Without their supervisor they take no further calls and end.
  const orphaned = await serve(host, ['--processes', '2']);
  const orphans = await allReady(orphaned);
  orphaned.program.signal('SIGKILL');
  await until('the end of the orphans', 10_000, async () => orphans.every(({ pid }) => !isAlive(pid)));

  const refused = await run(host, ['start', '--port', '0', '--processes', '2']);
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, /set OPENAI_API_KEY/);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function roomCalls(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const callers: Caller[] = [];
  try {
    const api = createLiveKitApi({ server: livekit.url, apiKey: KEY, apiSecret: SECRET });
    const env = { LIVEKIT_URL: livekit.url, LIVEKIT_API_KEY: KEY, LIVEKIT_API_SECRET: SECRET, NODE_ENV: 'production' };
    const server = await serve(host, ['--processes', '2', '--agent-name', 'pair', '--drain-timeout', '2000'], { env });
    await allReady(server);
    /** Rooms are dealt by chance: until each process has one. */
    const rooms = new Map<number, { readonly room: string; readonly caller: Caller }>();
    for (let i = 0; rooms.size < 2; i++) {
      assert.ok(i < 12, 'twelve jobs for the same process');
      const room = `pair-${i}`;
      const before = await jobs(server);
      await api.dispatch.create(room, { agentName: 'pair' });
      const place = await until('a job', 5000, async () => {
        const now = await jobs(server);
        const found = now.findIndex((count, at) => count > (before[at] ?? 0));
        return found < 0 ? undefined : found + 1;
      });
      if (rooms.has(place)) continue;
      const caller = await startCaller();
      callers.push(caller);
      caller.do('join', { url: livekit.url, token: await livekit.token('carl', room) });
      await caller.hears('track', 8000);
      rooms.set(place, { room, caller });
    }
    const [gone, stays] = [rooms.get(1), rooms.get(2)];
    assert.ok(gone && stays);
    const old = (await processes(server)).map((one) => one.report?.livekit?.registrations[0]?.worker_id);
    const [first] = await processes(server);
    const told = stays.caller.told.length;
    const killedMs = performance.now();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    const now = await replaced(server, first?.pid ?? 0);
    const backMs = performance.now() - killedMs;
    assert.ok(backMs < BACK_MS, `registered again after ${Math.round(backMs)} ms`);
    const workers = now.map((one) => one.report?.livekit?.registrations[0]?.worker_id);
    assert.notEqual(workers[0], old[0]);
    assert.equal(workers[1], old[1]);
    // The other's caller noticed nothing, and is answered.
    stays.caller.do('chat', { text: 'Hello world.' });
    await stays.caller.hears('sound', 8000, told, ({ on }) => on === true);
    const events = stays.caller.told.slice(told).map(({ event }) => event);
    assert.ok(!events.some((event) => /peer-left|reconnecting|disconnected|track/.test(event)), events.join(' '));
    console.log(`# ${host}: a new worker was registered ${Math.round(backMs)} ms after SIGKILL`);
    server.program.signal('SIGTERM');
    stays.caller.do('leave');
    assert.equal((await server.program.exit()).code, 0);
  } finally {
    await Promise.all(callers.map((caller) => caller.exit()));
    await livekit.stop();
  }
}

async function jobs(server: Server): Promise<number[]> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return [1, 2].map((n) => Number(metrics.match(`syrinx_livekit_jobs_running\\{process="${n}"\\} (\\d+)`)?.[1] ?? 0));
}

for (const host of HOSTS) {
  describe(`several processes on ${host}`, { concurrency: 2 }, () => {
    void test('calls over WebSocket: spread, resumed, refused when full; one process killed', () =>
      onSteadyMachine(() => webSocketCalls(host)));
    void test('signals to all at once, a second one, a supervisor that is killed, a start that cannot be', () =>
      onSteadyMachine(() => endsInOrder(host)));
    void test(
      'calls in rooms: one process killed, the other call goes on, a new worker registers',
      { skip: noLiveKit },
      () => onSteadyMachine(() => roomCalls(host)),
    );
  });
}
