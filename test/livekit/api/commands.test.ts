// The commands token, dispatch and rooms: what they print, and with which code they fail.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { parseArguments } from '../../../src/cli/arguments.ts';
import type { Command } from '../../../src/cli/command.ts';
import { command as dispatch } from '../../../src/cli/commands/dispatch.ts';
import { command as rooms } from '../../../src/cli/commands/rooms.ts';
import { command as token } from '../../../src/cli/commands/token.ts';
import { formatUserError, UserError } from '../../../src/cli/user-error.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { createLogger } from '../../../src/ops/logs.ts';
import { createFakeHost } from '../../cli/fake-host.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../room/real-server.ts';
import { noServer, signIn, startWorker, until } from '../worker/real-worker.ts';
import { startTwirpServer } from './twirp-server.ts';

const commands: Record<string, Command> = { token, dispatch, rooms };
const skip = noServer;
function real(name: string, run: () => Promise<void>): void {
  void test(name, { skip, timeout: 30_000 }, run);
}

interface Access {
  readonly serverUrl?: string;
  readonly apiKey?: string;
  readonly apiSecret?: string;
}

/** Runs one command line as the program does, with a configuration that holds only the LiveKit server. */
async function run(line: string, access: Access): Promise<{ code: number; out: string; error: string }> {
  const [name = '', ...words] = line.split(' ');
  const command = commands[name];
  assert.ok(command);
  const host = createFakeHost();
  const file = { path: 'test.json', text: JSON.stringify({ livekit: access }) };
  const { config, origins } = loadConfig({ file });
  const log = createLogger({ level: 'error', format: 'json', write: () => {}, now: Date.now });
  const context = {
    host,
    config,
    origins,
    log,
    version: '0.0.0',
    loadConfig: async () => assert.fail('not read again'),
  };
  try {
    const code = await command.run({ ...context, args: parseArguments(words, command) });
    return { code, out: host.out.join('\n'), error: '' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { code: error.exitCode, out: host.out.join('\n'), error: formatUserError(error, name) };
  }
}

let server: RealServer;
let access: Required<Access>;
let worker: ReturnType<typeof startWorker> | undefined;
before(async () => {
  if (skip !== false) return;
  server = await startRealServer();
  access = { serverUrl: server.url, apiKey: KEY, apiSecret: SECRET };
});
after(async () => {
  await worker?.stop();
  if (skip === false) await server.stop();
});

const offline: Access = { apiKey: KEY, apiSecret: SECRET };

test('token prints a token and nothing else; as JSON with what belongs to it', async () => {
  const { code, out } = await run('token desk --identity carl --ttl 60 --agent anna --metadata order-7', offline);
  const claims = decodeJwt(out) as Record<string, unknown> & { exp: number; nbf: number; video: { room: string } };
  assert.deepEqual([code, claims.sub, claims.video.room, claims.exp - claims.nbf], [0, 'carl', 'desk', 60]);
  const json = JSON.parse(
    (await run('token desk --listen-only --format json', { ...offline, serverUrl: 'wss://x' })).out,
  );
  assert.deepEqual([json.status, json.data.server_url, json.data.room], ['ok', 'wss://x', 'desk']);
  assert.match(json.data.identity, /^caller-[0-9a-f]{8}$/);
  assert.equal((decodeJwt(json.data.token) as { video: { canPublish: boolean } }).video.canPublish, false);
  assert.match(token.options.find((one) => one.name === 'ttl')?.summary ?? '', /default 600/);
});

test('mistakes on the command line: exit code 2 and what is wrong', async () => {
  const lines: [string, RegExp][] = [
    ['token', /ROOM: missing/],
    ['token desk --ttl 0', /ttl: wanted 1 to 86400 seconds/],
    ['token desk --metadata m', /give --agent too/],
    ['token desk --format xml', /--format: wanted text or json/],
    ['rooms', /ACTION: missing/],
    ['rooms destroy x', /Unknown action 'destroy'/],
    ['rooms delete', /ROOM: missing/],
    ['rooms list x', /'x': unexpected argument/],
    ['dispatch create desk', /AGENT: missing/],
    ['dispatch delete desk', /ID: missing/],
    ['dispatch create desk anna --wait 0', /--wait: wanted/],
    ['dispatch create desk anna --wait 1 --attempts 0', /--attempts: wanted/],
    ['dispatch create desk anna --attempts 2', /--attempts: is for --wait/],
    ['dispatch list desk --wait 5', /--wait: is for 'create', not for 'list'/],
    ['rooms list --agent anna', /--agent: is for 'create', not for 'list'/],
    ['rooms create desk --metadata m', /--metadata: is for the agent; give --agent too/],
    ['rooms create desk --empty-timeout -5', /--empty-timeout: wanted 1 to 86400 seconds/],
    ['rooms create desk --empty-timeout 1.5', /--empty-timeout: wanted 1 to 86400 seconds/],
    ['dispatch create desk anna --attribute gold', /--attribute: wanted NAME=VALUE/],
  ];
  for (const [line, message] of lines) {
    const { code, error } = await run(line, { ...offline, serverUrl: 'ws://127.0.0.1:1' });
    assert.equal(code, 2, line);
    assert.match(error, message, line);
    assert.match(error, /--help' for more information\.$/);
  }
  assert.equal((await run('rooms list', offline)).code, 2);
  assert.match((await run('rooms list', offline)).error, /set LIVEKIT_URL/);
});

test('no key: 4, before anything is asked', async () => {
  for (const line of ['token desk', 'rooms list', 'dispatch list desk']) {
    const { code, error } = await run(line, { serverUrl: 'ws://127.0.0.1:1' });
    assert.equal(code, 4, line);
    assert.match(error, /set LIVEKIT_API_KEY[\s\S]*set LIVEKIT_API_SECRET/);
  }
});

test('nobody there: 3, in three lines that name the server', async () => {
  for (const line of ['rooms list', 'rooms create desk', 'dispatch list desk', 'dispatch create desk anna --wait 1']) {
    const { code, error } = await run(line, { ...offline, serverUrl: 'ws://127.0.0.1:1' });
    assert.equal(code, 3, line);
    assert.match(error, /^ERROR: LiveKit server gives no answer\n {2}- ws:\/\/127\.0\.0\.1:1: \S/);
  }
});

test('a refusal: 4; a failure of the server: 1; and the secret is in neither', async () => {
  let status = 401;
  const fake = await startTwirpServer(() => ({ status, body: { msg: 'invalid token: eyJh.eyJ2.x_y' } }));
  try {
    for (const [given, code] of [
      [401, 4],
      [500, 1],
    ] as const) {
      status = given;
      const result = await run('rooms list', { ...offline, serverUrl: fake.url });
      assert.equal(result.code, code);
      assert.ok(!result.error.includes(SECRET) && !result.error.includes('eyJ'));
    }
  } finally {
    await fake.stop();
  }
});

real('a real server: a wrong secret, rooms made, listed and deleted', async () => {
  assert.equal((await run('rooms list', { ...access, apiSecret: `${SECRET}x` })).code, 4);
  assert.equal((await run('rooms list', access)).out, 'No rooms');
  assert.match((await run('rooms create desk --empty-timeout 60', access)).out, /^RM_\w+$/);
  const list = await run('rooms list', access);
  assert.match(list.out, /^ROOM +PARTICIPANTS +SINCE +SID\ndesk +0 +20\d\d-[\d-]+T[\d:]+ +RM_\w+$/);
  assert.equal(JSON.parse((await run('rooms list --format json', access)).out).data[0].name, 'desk');
  assert.deepEqual(await run('rooms delete desk', access), { code: 0, out: 'desk', error: '' });
  const again = await run('rooms delete desk', access);
  assert.deepEqual([again.code, again.error.split('\n')[0]], [1, 'ERROR: LiveKit server does not know it']);
});

real('a real server: an agent is sent, waited for, listed, taken back', async () => {
  const nobody = await run('dispatch create desk anna --wait 0.3 --attempts 2', access);
  assert.equal(nobody.code, 1);
  assert.match(nobody.error, /No agent 'anna' has come to room 'desk'\n {2}- sent 2 times within/);
  const anna = startWorker(server.url, { apiKey: KEY, apiSecret: SECRET }, { agents: [{ name: 'anna' }] });
  worker = anna;
  await until('registration', () => anna.worker.status().ready);
  const sent = run(
    'dispatch create desk anna --wait 5 --metadata order-7 --attribute tier=gold --attribute a=b=c',
    access,
  );
  const job = await until('job', () => anna.jobs[0]);
  assert.equal(job.job.metadata, 'order-7');
  assert.deepEqual(job.job.attributes, { tier: 'gold', a: 'b=c' });
  const leave = await signIn(server.url, job.job.token);
  assert.deepEqual(await sent, { code: 0, out: `${job.job.dispatchId} ${job.job.identity}`, error: '' });
  const made = await run('dispatch create other anna --format json', access);
  assert.equal(JSON.parse(made.out).data.agentName, 'anna');
  await until('second job', () => anna.jobs[1]);
  assert.match(
    (await run('dispatch list desk', access)).out,
    /^ID +AGENT +JOBS +METADATA\n(?:AD_\w+ +(?:anna|\(automatic\)) +\d.*\n?)+$/,
  );
  assert.equal((await run(`dispatch delete desk ${job.job.dispatchId}`, access)).out, job.job.dispatchId);
  assert.equal((await run('dispatch list nowhere', access)).code, 1);
  leave();
});
