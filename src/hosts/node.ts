// Node as a host, and the program's entry on Node.
import { realpathSync } from 'node:fs';
import module from 'node:module';
import process from 'node:process';
import v8 from 'node:v8';
import { createAdaptorServer } from '@hono/node-server';
import createNodeSockets from 'crossws/adapters/node';
import { giveBackFirstBuffer } from './node-compression.ts';
import { post } from './node-post.ts';
import { createProcessHost, importFile, runMain } from './node-process.ts';
import type { Host, RunningServer, ServeOptions } from './port.ts';
import { atMost, dismissPeers, GOODBYE_MS } from './stop-sockets.ts';

export function createNodeHost(): Host {
  accountBuffersAsHeap();
  keepBytecode();
  giveBackFirstBuffer();
  const shared = createProcessHost();
  return {
    ...shared,
    name: 'node',
    version: process.versions.node,
    importModule(path) {
      provideSyrinx();
      return importFile(path, shared.files);
    },
    post,
    serve,
  };
}

/**
 * From 64 MiB of buffers on, V8 would collect everything again and again (twice a second at 400 calls, with pauses that
 * callers hear): sample memory counts as a part of the heap's own growth instead.
 */
function accountBuffersAsHeap(): void {
  const [major = 0] = process.versions.v8.split('.').map(Number);
  // Older engines do not know the flag and would say so on every start.
  if (major >= 13) v8.setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/** What runs once a minute or an hour would be thrown away in between, and be compiled again amid the calls: two milliseconds for zlib's streams alone. */
function keepBytecode(): void {
  v8.setFlagsFromString('--no-flush-bytecode');
}

let isProvided = false;
/** Makes `syrinx` in files on disk this very program. */
function provideSyrinx(): void {
  if (isProvided) return;
  isProvided = true;
  // The sources are .ts, a published package holds .js; both keep their names.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const targets: Record<string, string> = {
    syrinx: new URL(`../index${extension}`, import.meta.url).href,
    'syrinx/livekit': new URL(`../livekit/index${extension}`, import.meta.url).href,
    'syrinx/audio': new URL(`../audio/index${extension}`, import.meta.url).href,
  };
  module.registerHooks({
    resolve(specifier, context, next) {
      const target = targets[specifier];
      if (target !== undefined) return { url: target, shortCircuit: true };
      return next(specifier, context);
    },
  });
}

async function serve(options: ServeOptions): Promise<RunningServer> {
  const sockets = createNodeSockets({
    hooks: options.sockets,
    getNamespace: () => 'calls',
    idleTimeout: 30,
    serverOptions: { maxPayload: options.maxMessageBytes, perMessageDeflate: false },
  });
  const server = createAdaptorServer({
    fetch: options.fetch,
    hostname: options.hostname,
  }) as import('node:http').Server;
  server.on('upgrade', (request, socket, head) => {
    // Between the handshake's arrival and its answer nobody else listens for errors of this socket.
    socket.on('error', () => socket.destroy());
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head).catch(() => socket.destroy());
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(options.port, options.hostname, () => {
      server.off('error', fail);
      done();
    });
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : options.port;
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    server.closeIdleConnections();
    await dismissPeers(sockets);
    await atMost(closed, GOODBYE_MS);
    server.closeAllConnections();
    await sockets.close();
    await atMost(closed, GOODBYE_MS);
  };
  const host = options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname;
  return { port, url: `http://${host}:${port}/`, stop: () => (stopping ??= stop()) };
}

/** `import.meta.main` came with Node 24.2. */
function isEntry(): boolean {
  const { main, filename } = import.meta as { main?: boolean; filename: string };
  if (main !== undefined) return main;
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === filename;
}

if (isEntry()) runMain(createNodeHost(), () => import('../cli/main.ts'), process.argv.slice(2));
