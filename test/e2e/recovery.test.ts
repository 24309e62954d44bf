// AVL-03: what a component's failure took away is back within 30 s of its end: recognizer, voice, language model, a collector of metrics, a receiver of
// alerts. Where else it is held: a process of several in processes.test.ts, the worker's socket in livekit-start.test.ts, the disk in history.test.ts.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { freePort } from '../../scripts/free-port.ts';
import { endAll, HOSTS, type HostName, inFolder, serve, type Server } from './program.ts';
import { type Route, startProvider } from './provider.ts';
import { caller } from './recordings.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

const BACK_MS = 30_000;
const HELLO = caller(3500, [200, 'hello']);
/** Of each fault one host; together they are all. */
const hostOf = (i: number): HostName => HOSTS[i % HOSTS.length] as HostName;

/** Speaks until the end of a turn; whether the agent answered, or only apologized. */
async function isAnswered(server: Server): Promise<boolean> {
  const call = await dial(`${server.socketUrl}?rate=16000`);
  await call.notice('ready');
  await call.speak(HELLO);
  const turn = await Promise.race([call.notice('turn', () => true, 20_000), call.closed]);
  const reply = call.notices.find(({ type }) => type === 'reply');
  if ('type' in turn) call.say({ type: 'bye' });
  await call.closed;
  return String(reply?.['text'] ?? '').includes('This is Syrinx');
}

/** Long enough for breakers to open: what is asked of a model that fails is bounded, and so must be the way back. */
async function modelComesBack(host: HostName, route: Route): Promise<void> {
  const provider = await startProvider();
  try {
    const env = {
      ...provider.env,
      SYRINX_MODELS_PROVIDER: 'openai',
      SYRINX_MODELS_TIMEOUT_MS: '3000',
      // Calls are taken on a busy machine too.
      SYRINX_CAPACITY_LATE_FRAME_SHARE: '0',
      SYRINX_CAPACITY_LOOP_LAG_MS: '0',
    };
    const server = await serve(host, [], { env });
    assert.equal(await isAnswered(server), true, 'before the fault');
    provider.break(route, '500');
    for (let i = 0; i < 2; i++) assert.equal(await isAnswered(server), false, 'during the fault');
    provider.heal();
    const healedMs = performance.now();
    let beganMs = healedMs;
    for (; !(await isAnswered(server)); beganMs = performance.now()) {
      // A breaker rests for 30 s from its last failure, which is before that.
      assert.ok(beganMs - healedMs < BACK_MS, 'a call that began 30 s after the end of the fault is not answered');
    }
    console.log(`# ${route} on ${host}: the call of ${Math.round(beganMs - healedMs)} ms after the fault is answered`);
    server.program.signal('SIGTERM');
    assert.equal((await server.program.exit()).code, 0);
  } finally {
    await provider.close();
  }
}

/** Listens; resolves `asked` with the first request on a path that ends so. */
async function listen(port: number, ending: string): Promise<{ server: HttpServer; asked: Promise<void> }> {
  let seen = (): void => {};
  const asked = new Promise<void>((done) => {
    seen = done;
  });
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      if (request.url?.endsWith(ending) === true) seen();
    });
  });
  await new Promise<void>((done) => server.unref().listen(port, '127.0.0.1', done));
  return { server, asked };
}

async function within(asked: Promise<void>, what: string): Promise<number> {
  const startMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: nothing within 30 s of the end of the fault`)), BACK_MS);
  });
  await Promise.race([asked, late]);
  clearTimeout(timer);
  return performance.now() - startMs;
}

async function collectorComesBack(host: HostName): Promise<void> {
  const port = await freePort();
  const env = {
    SYRINX_TELEMETRY_OTLP_PRESET: 'custom',
    SYRINX_TELEMETRY_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    SYRINX_TELEMETRY_EXPORT_INTERVAL_MS: '1000',
  };
  const server = await serve(host, [], { env });
  await server.program.line(/ECONNREFUSED|onnection refused|Unable to connect|not delivered|failed/i, 20_000);
  const { server: collector, asked } = await listen(port, '/v1/metrics');
  const backMs = await within(asked, 'collector');
  console.log(`# collector, ${host}: metrics ${Math.round(backMs)} ms after it came back`);
  collector.closeAllConnections();
  collector.close();
  server.program.signal('SIGTERM');
  assert.equal((await server.program.exit()).code, 0);
}

async function receiverComesBack(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const port = await freePort();
    const config = {
      telemetry: { data_directory: join(folder, 'data') },
      alerts: {
        allow_private: true,
        interval_ms: 500,
        webhook: { url: `http://127.0.0.1:${port}/hook` },
        rules: { up: { metric: 'syrinx.sessions.active', condition: '<', threshold: 1, channels: ['webhook'] } },
      },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const server = await serve(host, ['--config', join(folder, 'config.json')]);
    await server.program.lines(/notification not delivered/, 2, 20_000);
    const { server: receiver, asked } = await listen(port, '/hook');
    const backMs = await within(asked, 'receiver of alerts');
    console.log(`# receiver of alerts, ${host}: told ${Math.round(backMs)} ms after it came back`);
    receiver.closeAllConnections();
    receiver.close();
    server.program.signal('SIGTERM');
    assert.equal((await server.program.exit()).code, 0);
  });
}

describe('what failed is back within 30 s', { concurrency: 5 }, () => {
  for (const [i, route] of (['stt', 'tts', 'llm'] as const).entries()) {
    void test(`${route} (${hostOf(i)})`, () => onSteadyMachine(() => modelComesBack(hostOf(i), route)));
  }
  void test(`a collector of metrics (${hostOf(3)})`, () => onSteadyMachine(() => collectorComesBack(hostOf(3))));
  void test(`a receiver of alerts (${hostOf(0)})`, () => onSteadyMachine(() => receiverComesBack(hostOf(0))));
});
