// Bun as a host, and the program's entry on Bun and in the single binary.
import { dlopen } from 'bun:ffi';
import { lookup } from 'node:dns/promises';
import process from 'node:process';
import createBunSockets from 'crossws/adapters/bun';
import { compression } from './bun-compression.ts';
import { createProcessHost, importFile, runMain } from './node-process.ts';
import type { Host, RunningServer, ServeOptions } from './port.ts';
import { atMost, dismissPeers, GOODBYE_MS } from './stop-sockets.ts';

/** Longer than the 15 s between two comments of a silent event stream; Bun's own default of 10 s cuts such streams. */
const IDLE_SECONDS = 120;

/** As often as Bun itself while the heap grows and shrinks. */
const COLLECT_EVERY_MS = 1000;

export function createBunHost(): Host {
  collectRegularly();
  const shared = createProcessHost();
  return {
    ...shared,
    name: 'bun',
    version: Bun.version,
    compression,
    importModule(path) {
      provideSyrinx();
      return importFile(path, shared.files);
    },
    serve: (options) => serve(options).catch((error) => withCode(error, options.hostname)),
    setEnvironment(name, value) {
      if (process.env[name] !== undefined) return;
      shared.setEnvironment(name, value);
      setNativeVariable(name, value);
    },
  };
}

/**
 * Bun's own timer falls asleep when the heap has had one size for half a minute, calls or no calls. From then on garbage, 4 MB a second at 100
 * calls, may pile up to as much as the heap itself before anything collects it. This asks for the same collection beside the program.
 */
function collectRegularly(): void {
  setInterval(() => Bun.gc(false), COLLECT_EVERY_MS).unref();
}

/** Bun keeps its own copy of the environment: what is written there does not reach native libraries. */
function setNativeVariable(name: string, value: string): void {
  try {
    const library = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6';
    const { symbols } = dlopen(library, { setenv: { args: ['cstring', 'cstring', 'i32'], returns: 'i32' } });
    symbols.setenv(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`), 1);
  } catch {
    // No such library: the variable is seen by what is written in JavaScript only.
  }
}

/** Bun gives failed look-ups of a host name the code of another failure. */
async function withCode(error: unknown, hostname: string): Promise<never> {
  const isFound = await lookup(hostname).then(
    () => true,
    () => false,
  );
  if (isFound || !(error instanceof Error)) throw error;
  throw Object.assign(new Error(`Cannot find the host ${hostname}`, { cause: error }), { code: 'ENOTFOUND' });
}

let isProvided = false;
/** Makes `syrinx` in files on disk this very program; inside a compiled binary there is no folder to find it in. */
function provideSyrinx(): void {
  if (isProvided) return;
  isProvided = true;
  void Bun.plugin({
    name: 'syrinx',
    setup(build) {
      build.module('syrinx', async () => ({ exports: await import('../index.ts'), loader: 'object' }));
      build.module('syrinx/livekit', async () => ({ exports: await import('../livekit/index.ts'), loader: 'object' }));
      build.module('syrinx/audio', async () => ({ exports: await import('../audio/index.ts'), loader: 'object' }));
    },
  });
}

async function serve(options: ServeOptions): Promise<RunningServer> {
  const sockets = createBunSockets({ hooks: options.sockets, getNamespace: () => 'calls', idleTimeout: 30 });
  const server = Bun.serve({
    port: options.port,
    hostname: options.hostname,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: options.maxBodyBytes ?? 1 << 20,
    fetch(request, server) {
      if (request.headers.get('upgrade')?.toLowerCase() === 'websocket') return sockets.handleUpgrade(request, server);
      return options.fetch(request);
    },
    error: () => new Response('Internal Server Error', { status: 500 }),
    websocket: { ...sockets.websocket, maxPayloadLength: options.maxMessageBytes, perMessageDeflate: false },
  });
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    const drained = server.stop(false);
    await dismissPeers(sockets);
    await atMost(drained, GOODBYE_MS);
    await atMost(server.stop(true), GOODBYE_MS);
  };
  return {
    port: server.port ?? options.port,
    url: String(server.url),
    stop: () => (stopping ??= stop()),
  };
}

if (import.meta.main) runMain(createBunHost(), () => import('../cli/main.ts'), Bun.argv.slice(2));
