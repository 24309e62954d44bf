// Jobs of a real LiveKit server as a program takes them: what the agent is told, exactly N of a burst, scale-up, and the way down.
// real time: a server dispatches, callers join, and programs are told to stop.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createLiveKitApi } from '../../src/livekit/api.ts';
import { startCaller } from '../livekit/room/caller.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../livekit/room/real-server.ts';
import { noServer, until } from '../livekit/worker/real-worker.ts';
import { endAll, HOSTS, type HostName, type Server, serve } from './program.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

const envOf = ({ url }: RealServer) => ({ LIVEKIT_URL: url, LIVEKIT_API_KEY: KEY, LIVEKIT_API_SECRET: SECRET });
const apiOf = ({ url }: RealServer) => createLiveKitApi({ server: url, apiKey: KEY, apiSecret: SECRET });

interface Status {
  readonly admission: {
    readonly open: boolean;
    readonly reason: string | null;
    readonly load: number;
    readonly scale_up: boolean;
    readonly sessions: number;
    readonly held: number;
  };
  readonly livekit: { readonly ready: boolean; readonly reason: string | null; readonly jobs_running: number };
}

async function status(server: Server): Promise<Status> {
  return (await (await fetch(`${server.url}/status`)).json()) as Status;
}
const codeOf = async (server: Server, path: string) => (await fetch(`${server.url}${path}`)).status;
const isReady = (server: Server) => until('ready', async () => (await codeOf(server, '/ready')) === 200, 15_000);

async function metric(server: Server, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const [, value] = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text) ?? [];
  return Number(value);
}

/** Everything that came with a dispatch is there when the call begins, and what the agent said of itself is seen in its room. */
async function jobAndRoom(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const caller = await startCaller();
  try {
    const api = apiOf(livekit);
    const server = await serve(host, ['test/e2e/room-agent.ts'], { env: envOf(livekit) });
    await isReady(server);
    await api.dispatch.create('refused', { agentName: 'desk', metadata: 'no' });
    caller.do('join', { url: livekit.url, token: await livekit.token('carl', 'parlour') });
    await caller.hears('joined', 10_000);
    const attributes = { order: '7', tier: 'gold' };
    const { id } = await api.dispatch.create('parlour', { agentName: 'desk', metadata: 'about order 7', attributes });
    const agent = await until('what the agent was told', async () => {
      const all = await livekit.rooms.listParticipants('parlour');
      return all.find((one) => one.identity === 'desk-7' && one.attributes.told !== undefined);
    });
    assert.deepEqual([agent.name, agent.attributes.mood], ['The desk', 'calm']);
    const { job, ...told } = JSON.parse(agent.attributes.told ?? '{}');
    assert.deepEqual(told, { roomName: 'parlour', identity: 'desk-7', caller: 'carl' });
    const { id: jobId, room, ...rest } = job;
    assert.match(jobId, /^AJ_\w+$/);
    assert.deepEqual([room.name, room.sid.slice(0, 3)], ['parlour', 'RM_']);
    // No token, no secret, nothing but what was asked for.
    assert.deepEqual(rest, { type: 'room', metadata: 'about order 7', attributes, agentName: 'desk', dispatchId: id });
    assert.equal(await metric(server, 'syrinx_livekit_offers_refused_total\\{reason="declined"\\}'), 1);

    // Told twice to stop: the call is ended, its hooks run, and the program ends well.
    server.program.signal('SIGTERM');
    await until('not ready', async () => (await codeOf(server, '/ready')) === 503);
    assert.deepEqual(
      [
        await codeOf(server, '/health/live'),
        (await status(server)).livekit.reason,
        (await status(server)).livekit.jobs_running,
      ],
      [200, 'draining', 1],
    );
    await api.dispatch.create('late', { agentName: 'desk', attributes });
    server.program.signal('SIGTERM');
    const ended = await server.program.exit(15_000);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^stopped: server (?:is stopping|stopped)$/m);
    const left = await livekit.rooms.listParticipants('parlour');
    assert.deepEqual(
      left.map(({ identity }) => identity),
      ['carl'],
    );
    assert.deepEqual(await livekit.rooms.listParticipants('late').catch(() => []), []);
  } finally {
    await caller.exit();
    await livekit.stop();
  }
}

const PLACES = 4;

/** Four places, nine dispatches at once; then one after another, to see when another process is asked for. */
async function burst(host: HostName): Promise<void> {
  const livekit = await startRealServer('room: { departure_timeout: 1 }\n');
  try {
    const api = apiOf(livekit);
    const args = ['--agent-name', 'desk', '--max-sessions', String(PLACES)];
    const server = await serve(host, args, { env: envOf(livekit) });
    await isReady(server);
    const send = (rooms: readonly string[]) =>
      Promise.all(rooms.map((room) => api.dispatch.create(room, { agentName: 'desk' })));
    const inRooms = async (rooms: readonly string[]) => {
      const all = await Promise.all(rooms.map((room) => api.rooms.participants(room).catch(() => [])));
      return all.filter((people) => people.some(({ isAgent }) => isAgent)).length;
    };
    const rooms = Array.from({ length: 9 }, (_, i) => `burst-${i}`);
    await send(rooms);
    await until('four agents', async () => (await inRooms(rooms)) === PLACES, 10_000);
    await new Promise((go) => setTimeout(go, 600));
    assert.equal(await inRooms(rooms), PLACES, 'nobody more');
    const { admission, livekit: report } = await status(server);
    assert.deepEqual(
      [report.jobs_running, admission.sessions, admission.held, admission.open, admission.reason, admission.load],
      [PLACES, PLACES, 0, false, 'full', 0.7],
    );
    assert.equal(await codeOf(server, '/ready'), 503);
    assert.equal(await metric(server, 'syrinx_livekit_offers_accepted_total'), PLACES);
    assert.equal(await metric(server, 'syrinx_livekit_jobs_running'), PLACES);

    await Promise.all(rooms.map((room) => api.rooms.delete(room).catch(() => {})));
    await until('an empty house', async () => (await status(server)).admission.sessions === 0, 10_000);
    await isReady(server);
    assert.equal((await status(server)).admission.scale_up, false);
    for (let sent = 1; sent <= PLACES; sent++) {
      await send([`slow-${sent}`]);
      await until(`job ${sent}`, async () => (await status(server)).admission.sessions === sent, 10_000);
      const wanted = sent >= 0.75 * PLACES;
      assert.equal((await status(server)).admission.scale_up, wanted, `${sent} of ${PLACES}`);
      assert.equal(await metric(server, 'syrinx_admission_scale_up'), Number(wanted));
      assert.equal(await metric(server, 'syrinx_livekit_scale_up'), Number(wanted));
    }
    // Nobody has called in these rooms: the agents that wait there do not hold the program up.
    for (const reason of ['draining', null]) {
      server.program.signal('SIGTERM');
      if (reason !== null) await until(reason, async () => (await status(server)).livekit.reason === reason);
    }
    assert.equal((await server.program.exit(10_000)).code, 0);
  } finally {
    await livekit.stop();
  }
}

for (const host of HOSTS) {
  describe(`jobs from a real server on ${host}`, { concurrency: true }, () => {
    void test('an agent decides, knows its job and its room, and is ended with its hooks', { skip: noServer }, () =>
      onSteadyMachine(() => jobAndRoom(host)),
    );
    void test('exactly N of a burst; another process is asked for from 0.75 N on', { skip: noServer }, () =>
      onSteadyMachine(() => burst(host)),
    );
  });
}
