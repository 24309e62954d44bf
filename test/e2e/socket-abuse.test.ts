// A real server under clients that break every rule: each is told or cut and counted, the call beside them hears nothing of it.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { endAll, HOSTS, type HostName, type Server, serve } from './program.ts';
import { samplesOf } from './metrics-text.ts';
import { caller } from './recordings.ts';
import { dial, frameHead, type SocketCaller } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

const HEALTHY = caller(16_000, [300, 'hello'], [7000, 'thanks']);
const ANSWERS = [
  'Hello! This is Syrinx, and I can hear you. What can I do for you?',
  'My pleasure. Give my regards to the monkeys. Goodbye!',
];
const PACKET = new Uint8Array(640);
/** Memory after all that, over that before it: caches, compiled code and a heap that was not collected yet. */
const GROWTH_BYTES = 90 * 1024 * 1024;

/** How long a call waits for who vanished; by default three times as long. */
const GRACE_MS = 10_000;

/** A call as it should be, for as long as the abuse goes on; everything of it must be there. */
async function holdHealthyCall(server: Server): Promise<void> {
  const call = await dial(`${server.socketUrl}?rate=16000`);
  await call.speak(HEALTHY);
  const said = call.notices.filter(({ type }) => type === 'transcript').map(({ text }) => text);
  const replies = call.notices.filter(({ type }) => type === 'reply').map(({ text }) => text);
  assert.deepEqual(said, ['Hello world.', 'Thank you for your patience.']);
  assert.deepEqual(replies, ANSWERS);
  assert.deepEqual(
    call.notices.filter(({ type }) => ['error', 'interrupted', 'position'].includes(type)),
    [],
  );
  const turns = call.notices
    .filter(({ type }) => type === 'turn')
    .map(({ ledger }) => ledger as { responseMs: number });
  assert.equal(turns.length, 2);
  for (const { responseMs } of turns) assert.ok(responseMs < 1500, `answered after ${responseMs} ms`);
  // Both answers last 6.5 s together.
  assert.ok(call.heard.loud && call.heard.bytes > 6 * 32_000, `${call.heard.bytes} bytes of sound`);
  call.say({ type: 'bye' });
  assert.equal((await call.closed).code, 1000);
}

async function ready(server: Server, query = '?rate=16000'): Promise<SocketCaller> {
  const call = await dial(server.socketUrl + query);
  await call.notice('ready');
  return call;
}

async function isClosed(call: SocketCaller, code: number, error: string): Promise<void> {
  await call.notice('error', (notice) => notice.code === error);
  assert.equal((await call.closed).code, code, error);
}

/** A warning, then the close. What was sent and is not read any more may turn the close into a reset, which takes the words with it. */
async function isFlooded(call: SocketCaller, warning: string, error: string): Promise<void> {
  const { code } = await call.closed;
  if (code === 1006) return;
  assert.equal(code, 1008);
  for (const told of [warning, error]) await call.notice('error', (notice) => notice.code === told);
}

/** Each breaks one rule of docs/websocket.md; the names of errors and codes are from there. */
const ABUSES: Readonly<Record<string, (server: Server) => Promise<void>>> = {
  async 'odd frames'(server) {
    const call = await ready(server);
    for (let i = 0; i < 10; i++) call.send(new Uint8Array(639));
    await call.notice('error', ({ code }) => code === 'odd_frame');
    await isClosed(call, 1003, 'odd_frames');
  },
  async 'a frame of more than a second'(server) {
    const call = await ready(server);
    call.send(new Uint8Array(40_000));
    await isClosed(call, 1009, 'frame_too_large');
  },
  async 'a frame larger than the server reads'(server) {
    const call = await ready(server);
    call.send(new Uint8Array(1024 * 1024));
    // Hosts cut it with or without a word.
    const { code } = await call.closed;
    assert.ok([1009, 1006].includes(code), `closed with ${code}`);
  },
  async 'rates that do not exist'(server) {
    await isClosed(await dial(`${server.socketUrl}?rate=11025`), 1008, 'bad_hello');
    const call = await dial(server.socketUrl);
    call.say({ type: 'hello', inputRateHz: 44_100 });
    await call.notice('error', ({ message }) => /8000, 16000, 24000 or 48000/.test(String(message)));
    call.say({ type: 'hello', inputRateHz: 48_000 });
    await call.notice('ready');
    call.say({ type: 'bye' });
    await call.closed;
  },
  async 'audio before hello'(server) {
    const call = await dial(server.socketUrl);
    for (let i = 0; i < 10; i++) call.send(PACKET);
    await call.notice('error', ({ code }) => code === 'no_hello');
    await isClosed(call, 1007, 'too_many_mistakes');
  },
  async 'garbage instead of JSON'(server) {
    const call = await ready(server);
    for (const text of [
      '{',
      'null',
      '[]',
      '{"type":7}',
      '{"type":"played","position":-1}',
      '\u0000',
      '{"type":"dtmf"}',
    ])
      call.send(text);
    for (let i = 0; i < 3; i++) call.send(`{"type":"text","text":"${'x'.repeat(5000)}"}`);
    await isClosed(call, 1007, 'too_many_mistakes');
    const errors = call.notices.filter(({ code }) => code === 'bad_message');
    assert.equal(errors.length, 10);
    assert.ok(
      errors.every(({ message }) => !String(message).includes('xxx')),
      'what was sent is not repeated',
    );
  },
  async 'unknown messages'(server) {
    const call = await ready(server);
    for (let i = 0; i < 20; i++) call.say({ type: 'dance', i });
    call.say({ type: 'ping', id: 1 });
    await call.notice('pong');
    call.say({ type: 'bye' });
    assert.equal((await call.closed).code, 1000);
  },
  async 'a flood of audio'(server) {
    const call = await ready(server);
    const second = new Uint8Array(32_000);
    for (let i = 0; i < 60; i++) call.send(second);
    await isFlooded(call, 'too_fast', 'audio_flood');
  },
  async 'a flood of messages'(server) {
    const call = await ready(server);
    for (let i = 0; i < 900; i++) call.say({ type: 'played', position: 0 });
    await isFlooded(call, 'too_many_messages', 'message_flood');
  },
  async 'a client that is gone in the middle of a frame'(server) {
    const call = await ready(server);
    call.raw.write(Buffer.concat([frameHead(2, 640), Buffer.alloc(100)]));
    call.vanish();
    assert.equal((await call.closed).code, 1006);
  },
  async 'frames that are none'(server) {
    const call = await ready(server);
    call.raw.write(Buffer.from([0xff, 0xff, 0x00, 0x01, 0x02, 0x03]));
    const { code } = await call.closed;
    assert.ok([1002, 1006, 1000].includes(code), `closed with ${code}`);
  },
  async 'fifty clients that connect and vanish'(server) {
    const calls = await Promise.all(Array.from({ length: 50 }, () => ready(server)));
    for (const call of calls) {
      call.send(PACKET);
      call.vanish();
    }
    await Promise.all(calls.map(({ closed }) => closed));
  },
  async 'a caller who loses the connection and comes back'(server) {
    const call = await ready(server);
    call.say({ type: 'text', text: 'Hello world.' });
    await call.notice('reply');
    const { resume, session } = await call.notice('ready');
    call.vanish();
    const back = await dial(`${server.socketUrl}?resume=${resume}`);
    const again = await back.notice('ready');
    assert.equal(again.resumed, true);
    assert.equal(again.session, session);
    back.say({ type: 'text', text: 'Thank you for your patience.' });
    await back.notice('reply', ({ text }) => text === ANSWERS[1]);
    back.say({ type: 'bye' });
    await back.closed;
    await isClosed(await dial(`${server.socketUrl}?resume=${resume}`), 4004, 'unknown_call');
  },
};

interface Status {
  readonly metrics: { readonly active_sessions: number; readonly memory_bytes: number };
}
const status = async (server: Server): Promise<Status> =>
  (await fetch(`${server.url}/status`)).json() as Promise<Status>;

async function abuse(host: HostName): Promise<void> {
  const env = { SYRINX_SERVER_RESUME_GRACE_MS: String(GRACE_MS) };
  const server = await serve(host, ['--max-sessions', '80'], { env });
  const { program } = server;
  // One call before, so that what is loaded at the first one is not counted as lost.
  const first = await ready(server);
  first.say({ type: 'text', text: 'Hello world.' });
  await first.notice('turn');
  first.say({ type: 'bye' });
  await first.closed;
  const before = (await status(server)).metrics;

  const healthy = holdHealthyCall(server);
  const misuse = (async () => {
    for (const [name, commit] of Object.entries(ABUSES)) {
      try {
        await commit(server);
      } catch (error) {
        throw new Error(`${host}: ${name}: ${(error as Error).message}\n${program.stderr.slice(-3000)}`, {
          cause: error,
        });
      }
    }
  })();
  await Promise.all([healthy, misuse]);

  // Who vanished may come back for a while; then every call has ended.
  const started = program.stderr.split('\n').filter((line) => line.includes('"call started"')).length;
  assert.ok(started >= 60, `${started} calls`);
  await program.lines(/"call ended"/, started, 45_000);
  const after = (await status(server)).metrics;
  assert.equal(after.active_sessions, 0);
  const grown = after.memory_bytes - before.memory_bytes;
  assert.ok(grown < GROWTH_BYTES, `memory grew by ${Math.round(grown / 1e6)} MB`);

  const samples = samplesOf(await (await fetch(`${server.url}/metrics`)).text());
  const dropped = (reason: string) => samples.get(`syrinx_websocket_messages_dropped_total{reason="${reason}"}`) ?? 0;
  assert.equal(dropped('odd frame'), 10);
  assert.equal(dropped('unknown'), 20);
  assert.ok(dropped('malformed') >= 12 && dropped('too many') >= 300 && dropped('too large') >= 1);
  assert.ok((samples.get('syrinx_websocket_audio_dropped_total{direction="input"}') ?? 0) >= 30 * 16_000);
  assert.ok((samples.get('syrinx_websocket_lost_total') ?? 0) >= 50);
  assert.equal(samples.get('syrinx_websocket_resumed_total'), 1);
  assert.equal(samples.get('syrinx_sessions_active'), 0);
  assert.equal(samples.get('syrinx_sessions_started_total'), started);

  assert.doesNotMatch(program.stderr, /^\s+at |Unhandled|"socket failed"|"call crashed"/m);
  program.signal('SIGTERM');
  assert.equal((await program.exit()).code, 0);
}

describe('a server that is abused', { concurrency: 4 }, () => {
  for (const host of HOSTS)
    test(`${host}: every misuse is answered, the call beside it is whole, nothing stays`, () =>
      onSteadyMachine(() => abuse(host)));
});
