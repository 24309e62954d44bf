// Deno as a host, and the program's entry on Deno.
import createDenoSockets from 'crossws/adapters/deno';
import { ModuleError } from './module-error.ts';
import { giveBackFirstBuffer } from './node-compression.ts';
import { createProcessHost, importFile, runMain } from './node-process.ts';
import type { Host, RunningServer, ServeOptions } from './port.ts';
import { atMost, dismissPeers, GOODBYE_MS } from './stop-sockets.ts';

export function createDenoHost(): Host {
  giveBackFirstBuffer();
  const shared = createProcessHost();
  return {
    ...shared,
    name: 'deno',
    version: Deno.version.deno,
    importModule: (path) => importUserFile(path, shared.files),
    serve: (options) => serve(options).catch(withCode),
  };
}

/** Deno fixes its import map at start: `syrinx` in a user's file is found through this program's `deno.json`, which Deno
 *  reads unless told otherwise, or through the user's own `node_modules`. */
async function importUserFile(path: string, files: Host['files']): Promise<Record<string, unknown>> {
  try {
    return await importFile(path, files);
  } catch (error) {
    if (!(error instanceof ModuleError) || !/"syrinx(\/\w+)?" not a dependency/.test(error.message)) throw error;
    const config = new URL('../../deno.json', import.meta.url).pathname;
    throw new ModuleError(`${error.message}. Start Deno with --config=${config}`, error.code, error.cause);
  }
}

async function serve(options: ServeOptions): Promise<RunningServer> {
  const sockets = createDenoSockets({
    hooks: completed(options.sockets),
    getNamespace: () => 'calls',
    idleTimeout: 30,
  });
  const server = Deno.serve(
    { port: options.port, hostname: options.hostname, onListen() {} },
    async (request, info) => {
      if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return options.fetch(request);
      try {
        return await sockets.handleUpgrade(request, info);
      } catch {
        // Deno throws at handshakes without a key or with another version.
        return new Response('Bad WebSocket handshake', { status: 400 });
      }
    },
  );
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    await dismissPeers(sockets);
    await atMost(server.shutdown(), GOODBYE_MS);
    // An abort in the middle of an answer would be an uncaught BadResource: what is still being sent ends with the process.
    server.unref();
  };
  const host = options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname;
  return {
    port: server.addr.port,
    url: `http://${host}:${server.addr.port}/`,
    stop: () => (stopping ??= stop()),
  };
}

/** Deno gives failed look-ups of a host name no code. */
function withCode(error: unknown): never {
  if (error instanceof Error && !('code' in error)) Object.assign(error, { code: 'ENOTFOUND' });
  throw error;
}

/** Deno's sockets hand out Blobs unless told otherwise, and those can only be read asynchronously; and crossws does not
 *  pass on with which code a client closed. */
function completed(hooks: ServeOptions['sockets']): ServeOptions['sockets'] {
  const { close, ...others } = hooks;
  return {
    ...others,
    open(peer) {
      const socket = peer.websocket as WebSocket;
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('close', ({ code, reason }) => void close?.(peer, { code, reason }));
      return hooks.open?.(peer);
    },
  };
}

if (import.meta.main) runMain(createDenoHost(), () => import('../cli/main.ts'), Deno.args);
