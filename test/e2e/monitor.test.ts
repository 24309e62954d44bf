// The real-time monitor of a running program on each host: a call in it, its stream, a reader that vanishes, and the monitor off.
// real time: a program of its own is started, called and asked over HTTP.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { samplesOf } from './metrics-text.ts';
import { endAll, HOSTS, type HostName, type Server, serve } from './program.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';
import { until } from './until.ts';

after(endAll);

const SIMULATED = { SYRINX_MODELS_PROVIDER: 'simulated' };

async function json(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

async function metric(server: Server, name: string): Promise<number | undefined> {
  return samplesOf(await (await fetch(`${server.url}/metrics`)).text()).get(name);
}

/** Events of a stream until `enough` of them have come. */
async function readEvents(url: string, enough: (events: readonly string[]) => boolean): Promise<string[]> {
  const gone = new AbortController();
  const response = await fetch(url, { signal: gone.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const events: string[] = [];
  const decoder = new TextDecoder();
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    for (const [, event = ''] of decoder.decode(part).matchAll(/^event: (.*)$/gm)) events.push(event);
    if (enough(events)) break;
  }
  gone.abort();
  return events;
}

async function watched(host: HostName): Promise<void> {
  const server = await serve(host, ['test/e2e/monitored-agent.ts'], { env: SIMULATED });
  const url = `${server.url}/monitor`;
  assert.deepEqual((await json(url)).sessions, []);
  const call = await dial(`${server.socketUrl}?rate=16000`);
  const { session } = (await call.notice('ready')) as unknown as { session: string };
  await call.speak(new Int16Array(16_000));
  // The agent's own monitor, of the module that it imports as `syrinx`.
  await server.program.line(/^MONITOR raised$/m);
  const [first] = (await json(url)).sessions as Record<string, unknown>[];
  assert.equal(first?.session_id, session);
  const { components, system } = (await json(`${url}/${session}`)) as {
    components: Record<string, Record<string, unknown>>;
    system: Record<string, unknown>;
  };
  const { frames } = components.audio_processor ?? {};
  assert.ok(Number(frames) >= 40 && Number(frames) <= 51, `${frames} frames of a second`);
  assert.ok(Number(system.memory_mb) > 20, 'resident memory of the process');

  // Eight turns take two seconds; a busy machine may lose some and makes up for none.
  const startMs = performance.now();
  await readEvents(`${url}/stream`, (events) => events.filter((event) => event === 'metrics').length === 8);
  assert.ok(performance.now() - startMs >= 1700, 'no more than four turns a second');
  await until(
    'the reader that vanished is forgotten',
    5000,
    async () => (await metric(server, 'syrinx_monitor_readers')) === 0,
  );

  const ended = readEvents(`${url}/stream?session=${session}`, (events) => events.includes('ended'));
  await until('the reader is there', 5000, async () => (await metric(server, 'syrinx_monitor_readers')) === 1);
  call.say({ type: 'bye' });
  assert.equal((await ended).at(-1), 'ended');
  const [, ticks] = await server.program.line(/^MONITOR ended, (\d+) ticks$/m);
  assert.ok(Number(ticks) >= 8, `${ticks} ticks`);
  assert.deepEqual((await json(url)).sessions, []);
  assert.equal(await metric(server, 'syrinx_monitor_sessions'), 0);
  assert.ok(((await metric(server, 'syrinx_monitor_turn_seconds_count')) ?? 0) >= 8);
  // A reader does not hold up the end.
  const open = await fetch(`${url}/stream`);
  server.program.signal('SIGTERM');
  // Its stream ends, as it should.
  assert.match(await open.text(), /^retry: 2000\n/);
  const { code, stderr } = await server.program.exit();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /^\s+at |Unhandled/m);
}

async function off(host: HostName): Promise<void> {
  const server = await serve(host, [], { env: { ...SIMULATED, SYRINX_MONITORING_REAL_TIME_ENABLED: 'false' } });
  assert.equal((await fetch(`${server.url}/monitor`)).status, 404);
  assert.equal(await metric(server, 'syrinx_monitor_turn_seconds_count'), undefined);
  server.program.signal('SIGTERM');
  assert.equal((await server.program.exit()).code, 0);
}

describe('the real-time monitor', { concurrency: 2 }, () => {
  for (const host of HOSTS) test(`${host}: watches a call and streams it`, () => onSteadyMachine(() => watched(host)));
  test('bun: off, there is neither route nor timer', () => off('bun'));
});
