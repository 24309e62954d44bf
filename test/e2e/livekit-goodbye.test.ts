// `syrinx start` is told to stop while a caller is in a room of a real LiveKit server: the call goes on until the drain is over, then the
// caller hears the agent's goodbye; a second signal waits for nothing.
// real time: other processes speak, and a goodbye takes as long as it takes.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLiveKitApi } from '../../src/livekit/api.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { type Caller, startCaller } from '../livekit/room/caller.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../livekit/room/real-server.ts';
import { endAll, HOSTS, type HostName, type Server, serve } from './program.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

const BINARY = fileURLToPath(new URL('../../.cache/livekit-server/livekit-server', import.meta.url));
const skip = existsSync(BINARY) ? false : 'no livekit-server: run `bun scripts/install-livekit-server.ts`';
const DRAIN_MS = 1500;
/** Within this the goodbye is over, or it is cut off. */
const GRACE_MS = 5000;

const wallMs = () => performance.timeOrigin + performance.now();

async function inCall(host: HostName, livekit: RealServer, caller: Caller): Promise<Server> {
  const env = {
    LIVEKIT_URL: livekit.url,
    LIVEKIT_API_KEY: KEY,
    LIVEKIT_API_SECRET: SECRET,
    SYRINX_MODELS_PROVIDER: 'simulated',
    NODE_ENV: 'production',
  };
  const server = await serve(host, ['--agent-name', 'desk', '--drain-timeout', String(DRAIN_MS)], { env });
  await server.program.line(/livekit agent registered/);
  const api = createLiveKitApi({ server: livekit.url, apiKey: KEY, apiSecret: SECRET });
  const room = `goodbye-${host}`;
  const since = caller.told.length;
  caller.do('join', { url: livekit.url, token: await livekit.token('ada', room) });
  await caller.hears('joined', 10_000, since);
  await api.dispatch.create(room, { agentName: 'desk' });
  await caller.hears('track', 10_000, since);
  // The data channel of one who has just joined is not open yet.
  await server.program.line(/job became a call/);
  await new Promise((go) => setTimeout(go, 1000));
  return server;
}

async function leave(caller: Caller): Promise<void> {
  const since = caller.told.length;
  caller.do('leave');
  await caller.hears('left', 5000, since);
}

async function saysGoodbye(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const caller = await startCaller();
  try {
    const server = await inCall(host, livekit, caller);
    const since = caller.told.length;
    const toldMs = wallMs();
    server.program.signal('SIGTERM');
    // Nobody asks for more: the call is quiet until its time is over.
    const began = await caller.hears('sound', DRAIN_MS + 3000, since, (t) => t.on === true);
    const gone = await caller.hears('peer-left', GRACE_MS + 2000, since);
    const ended = await server.program.exit(GRACE_MS + 5000);
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(began.at - toldMs >= DRAIN_MS - 50, `${began.at - toldMs} ms after the signal`);
    const quiet = caller.told.findLast((t) => t.event === 'sound' && t.on === false);
    const spokenMs = (quiet?.at ?? gone.at) - began.at;
    assert.ok(spokenMs > 1000, `a goodbye of ${spokenMs} ms`);
    assert.ok(gone.at - toldMs < DRAIN_MS + GRACE_MS + 1000, `gone ${gone.at - toldMs} ms after the signal`);
    const words = caller.told.slice(since).filter((t) => t.event === 'transcription');
    assert.ok(
      words.some((t) => t.text === DEFAULT_SESSION_OPTIONS.phrases.goodbye),
      `shown: ${words.map((t) => t.text).join(' | ')}`,
    );
    await leave(caller);
  } finally {
    await caller.exit();
    await livekit.stop();
  }
}

async function endsAtOnce(host: HostName): Promise<void> {
  const livekit = await startRealServer();
  const caller = await startCaller();
  try {
    const server = await inCall(host, livekit, caller);
    const since = caller.told.length;
    server.program.signal('SIGTERM');
    await server.program.line(/"draining"/);
    const insistedMs = wallMs();
    server.program.signal('SIGTERM');
    const gone = await caller.hears('peer-left', 5000, since);
    assert.equal((await server.program.exit(5000)).code, 0);
    assert.ok(gone.at - insistedMs < 1000, `gone ${gone.at - insistedMs} ms after the second signal`);
    await leave(caller);
  } finally {
    await caller.exit();
    await livekit.stop();
  }
}

for (const host of HOSTS) {
  void test(`the caller hears the goodbye when the drain is over, on ${host}`, { skip }, () =>
    onSteadyMachine(() => saysGoodbye(host)),
  );
  void test(`a second signal ends the call at once and in order, on ${host}`, { skip }, () =>
    onSteadyMachine(() => endsAtOnce(host)),
  );
}
