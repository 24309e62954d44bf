// The program that the host tests start on each runtime: `fixture.ts HOST serve PORT`, `... calls PORT`, `... import PATH`, `... facts`,
// `... post URL [LIMIT_MS]`, `... collect`.
import process from 'node:process';
import type { Host } from '../../src/hosts/port.ts';
import { createApp } from '../../src/server/app.ts';
import { createRequestCounter } from '../../src/server/requests.ts';
import { createSocketHooks } from '../../src/server/sockets.ts';
import { createWebSocketCalls } from '../../src/transports/websocket/calls.ts';
import type { StartCall } from '../../src/transports/websocket/socket.ts';
import { sendAudio } from '../../src/transports/websocket/sender.ts';

const [name, command, argument, limit] = process.argv.slice(2);
const host = await createHost(name);
if (command === 'serve') await serveEcho(host, Number(argument));
else if (command === 'calls') await serveCalls(host, Number(argument));
else if (command === 'import') await importAndPrint(host, argument ?? '');
else if (command === 'facts') printFacts(host);
else if (command === 'post') await postAndPrint(host, argument ?? '', Number(limit ?? '10000'));
else if (command === 'collect') tellCollected(host);
else throw new Error(`Unknown command "${command}"`);

async function createHost(name: string | undefined): Promise<Host> {
  if (name === 'bun') return (await import('../../src/hosts/bun.ts')).createBunHost();
  if (name === 'deno') return (await import('../../src/hosts/deno.ts')).createDenoHost();
  if (name === 'node') return (await import('../../src/hosts/node.ts')).createNodeHost();
  throw new Error(`Unknown host "${name}"`);
}

async function serveEcho(host: Host, port: number): Promise<void> {
  try {
    const server = await host.serve({
      port,
      hostname: '127.0.0.1',
      maxMessageBytes: 1 << 17,
      fetch: async (request) =>
        new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`),
      sockets: {
        upgrade: (request) =>
          new URL(request.url).pathname === '/refused'
            ? new Response('full', { status: 503, headers: { 'retry-after': '5' } })
            : undefined,
        open: (peer) => void peer.send(`open ${peer.bufferedAmount}`),
        message: (peer, message) => {
          const close = /^close (\d+)$/.exec(String(message.rawData));
          const audio = /^audio (\d+)$/.exec(String(message.rawData));
          if (audio) for (let i = 0; i < Number(audio[1]); i++) sendAudio(peer, new Int16Array(320).fill(i));
          else if (close) peer.close(Number(close[1]), 'as asked');
          else if (typeof message.rawData === 'string') peer.send(`text ${message.rawData}`);
          else peer.send(message.uint8Array());
        },
        close: (_peer, details) => host.print(`closed ${details.code ?? 'none'}`),
      },
    });
    host.onSignal((signal) => {
      host.print(`signal ${signal}`);
      void server.stop().then(() => host.exit(0));
    });
    host.print(`listening ${server.port} ${server.url}`);
  } catch (error) {
    host.printError(`error ${(error as { code?: string }).code}`);
    host.exit(3);
  }
}

/** The real server and the real transport, with a session that only says back what it hears. */
async function serveCalls(host: Host, port: number): Promise<void> {
  const calls = createWebSocketCalls({
    clock: {
      now: () => performance.now(),
      setTimer(run, ms) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    },
    newToken: () => crypto.randomUUID(),
    start: startEcho(host),
  });
  const requests = createRequestCounter();
  const auth = { loopback: true, token: 'a-token' };
  const app = createApp({
    version: '0',
    startedAtMs: Date.now(),
    now: Date.now,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: calls.size < 2, services: ['websocket'], activeJobs: calls.size, maxJobs: 2 }),
    metricsText: () => requests.text(),
    status: () => ({ worker_id: host.name, status: 'running' }),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    auth,
    requests,
  });
  const sockets = createSocketHooks({
    auth,
    now: Date.now,
    maxSockets: 4,
    admit: (url) => (calls.size < 2 || calls.isResume(url) ? null : 'all sessions are taken'),
    accept: calls.accept,
    record: (status) => requests.record('GET', '/call', status),
  });
  const server = await host.serve({
    port,
    hostname: '127.0.0.1',
    maxMessageBytes: 1 << 18,
    fetch: app.fetch,
    sockets: sockets.hooks,
  });
  host.onSignal(() => {
    calls.stop();
    void server.stop().then(() => host.exit(0));
  });
  host.print(`listening ${server.port} ${server.url}`);
}

function startEcho(host: Host): StartCall {
  return (transport) => {
    transport.notify({ type: 'state', state: 'listening' });
    let heardSamples = 0;
    const input = {
      audio(packet: Uint8Array, position: number) {
        if (position !== heardSamples) host.print(`gap ${position - heardSamples}`);
        heardSamples = position + packet.length / 2;
        // A copy: the bytes may lie at an odd address.
        transport.play(new Int16Array(Uint8Array.from(packet).buffer));
      },
      played() {},
      text: (text: string) => transport.notify({ type: 'reply', turn: 1, text: `You typed: ${text}` }),
      dtmf() {},
      close: (reason: string) => host.print(`call over: ${reason}`),
    };
    return { input, session: 'echo-1' };
  };
}

async function importAndPrint(host: Host, path: string): Promise<void> {
  try {
    const module = await host.importModule(path);
    host.print(JSON.stringify(module.default));
    host.exit(0);
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    host.print(JSON.stringify({ name, message, code }));
    host.exit(2);
  }
}

function printFacts(host: Host): void {
  const { facts } = host;
  host.print(
    JSON.stringify({
      name: host.name,
      memoryBytes: facts.memoryBytes(),
      memoryLimitBytes: facts.memoryLimitBytes(),
      cpuMicros: facts.cpuMicros(),
      cores: facts.cores(),
      loadAverage: facts.loadAverage(),
      diskUsage: facts.diskUsage('.'),
      nowhere: facts.diskUsage('/no/such/folder'),
    }),
  );
  host.exit(0);
}

/** Gives an answer up after `limitMs`, and reads its first 100 kB. */
async function postAndPrint(host: Host, url: string, limitMs: number): Promise<void> {
  try {
    const signal = AbortSignal.timeout(limitMs);
    const { status, headers, body } = await host.post(url, {
      headers: { 'x-sent': 'by a host' },
      body: 'héllo',
      signal,
    });
    const wait = headers.get('retry-after');
    let bytes = 0;
    const decoder = new TextDecoder();
    let text = '';
    for await (const part of body ?? []) {
      text += decoder.decode(part, { stream: true });
      bytes += part.byteLength;
      if (bytes > 100_000) break;
    }
    host.print(JSON.stringify({ status, wait, text: text.slice(0, 100), isLong: bytes > 100_000 }));
  } catch (error) {
    host.print(JSON.stringify({ error: error instanceof Error ? error.name : typeof error }));
  }
  host.exit(0);
}

/** Ends well when some of what nobody holds has been collected, though nothing is allocated any more. */
function tellCollected(host: Host): void {
  const end = (code: number) => () => host.exit(code);
  const registry = new FinalizationRegistry(end(0));
  // What the start left behind has been collected by then.
  setTimeout(() => {
    for (let i = 0; i < 100; i++) registry.register({ i }, i);
  }, 1000);
  setTimeout(end(1), 8000);
  // Held for as long as the process runs: a registry that is collected itself calls nobody.
  host.onSignal(() => registry.unregister(host));
}
