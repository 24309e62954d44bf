// The edge as a host: `{ fetch }` out of web standards alone, for Workers and their like. No files, signals or native code there.
import { VERSION } from '../cli/commands/version.ts';
import { createApp } from '../server/app.ts';
import { createRequestCounter } from '../server/requests.ts';
import type { SocketHooks } from '../server/sockets.ts';
import { createSocketHooks } from '../server/sockets.ts';
import { createWebSocketCalls } from '../transports/websocket/calls.ts';
import type { StartCall } from '../transports/websocket/socket.ts';

export interface EdgeOptions {
  readonly version: string;
  /** Without one only the probes are open: an edge is never on loopback. */
  readonly token?: string | undefined;
  /** Takes the calls; without it there are none, and the readiness probe says so. */
  readonly start?: StartCall | undefined;
  readonly maxCalls?: number | undefined;
  /** How this platform upgrades a request; default: `WebSocketPair` where there is one. Null: it cannot. */
  readonly upgrade?: ((request: Request) => Upgraded | null) | undefined;
}
/** The server's end of the socket, and the response that tells the client. */
export interface Upgraded {
  readonly socket: EdgeSocket;
  readonly response: Response;
}
export type EdgeSocket = Pick<WebSocket, 'send' | 'close' | 'addEventListener'> &
  Partial<Pick<WebSocket, 'bufferedAmount' | 'binaryType'>>;

export interface Edge {
  fetch(request: Request): Promise<Response>;
}

export function createEdge(options: EdgeOptions): Edge {
  const auth = { token: options.token, loopback: false };
  const maxJobs = options.start ? (options.maxCalls ?? 10) : 0;
  const calls = createWebSocketCalls({
    clock: { now: () => performance.now(), setTimer },
    newToken,
    start: options.start ?? (() => ({ refused: 'This deployment takes no calls' })),
  });
  const requests = createRequestCounter();
  const isFull = () => calls.size >= maxJobs;
  const sockets = createSocketHooks({
    auth,
    now: Date.now,
    maxSockets: maxJobs,
    admit: (url) => (isFull() && !calls.isResume(url) ? 'all sessions are taken' : null),
    accept: calls.accept,
    record: (status) => requests.record('GET', '/call', status),
  });
  const startedAtMs = Date.now();
  const app = createApp({
    version: options.version,
    startedAtMs,
    now: Date.now,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({
      ready: !isFull(),
      services: options.start ? ['websocket'] : [],
      activeJobs: calls.size,
      maxJobs,
      reason: options.start ? (isFull() ? 'full' : undefined) : 'no calls here',
    }),
    metricsText: () => requests.text(),
    status: () => ({ worker_id: 'edge', status: 'running', runtime_info: { runtime: 'edge' } }),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    auth,
    requests,
  });
  const upgrade = options.upgrade ?? upgradeByPair;
  return {
    async fetch(request) {
      if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return app.fetch(request);
      const refused = await sockets.hooks.upgrade?.(request);
      if (refused instanceof Response) return refused;
      const upgraded = upgrade(request);
      if (!upgraded) return new Response('No WebSockets on this platform', { status: 501 });
      connect(upgraded.socket, request, sockets);
      return upgraded.response;
    },
  };
}

/** Joins a standard socket to the hooks, which know crossws' peers. */
function connect(socket: EdgeSocket, request: Request, sockets: SocketHooks): void {
  if ('binaryType' in socket) socket.binaryType = 'arraybuffer';
  const peer = {
    context: {},
    request: { url: request.url },
    send: (data: string | Uint8Array<ArrayBuffer>) => socket.send(data),
    close: (code?: number, reason?: string) => socket.close(code, reason),
    // Workers do not tell; then slow readers cannot be seen.
    get bufferedAmount() {
      return socket.bufferedAmount ?? 0;
    },
  };
  type Hook = (peer: unknown, detail?: unknown) => unknown;
  const { open, message, close, error } = sockets.hooks as unknown as Record<
    'open' | 'message' | 'close' | 'error',
    Hook
  >;
  socket.addEventListener('message', (event) => {
    const { data } = event as MessageEvent<string | ArrayBuffer>;
    message(peer, { rawData: data, uint8Array: () => new Uint8Array(data as ArrayBuffer) });
  });
  socket.addEventListener('close', (event) => close(peer, { code: (event as CloseEvent).code }));
  socket.addEventListener('error', (event) => error(peer, event));
  // A socket that is still connecting must not be written to.
  if ((socket as { readyState?: number }).readyState === 0) socket.addEventListener('open', () => open(peer));
  else open(peer);
}

/** Cloudflare's way: a pair of sockets, one kept and one given to the client. */
function upgradeByPair(): Upgraded | null {
  type Accepted = EdgeSocket & { accept(): void };
  const Pair = (globalThis as { WebSocketPair?: new () => readonly [unknown, Accepted] }).WebSocketPair;
  if (!Pair) return null;
  const pair = new Pair();
  const [client, server] = [pair[0], pair[1]];
  server.accept();
  return { socket: server, response: new Response(null, { status: 101, webSocket: client } as ResponseInit) };
}

function setTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

/** 256 bits, as hexadecimal digits. */
function newToken(): string {
  let text = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(32))) text += byte.toString(16).padStart(2, '0');
  return text;
}

let instance: Edge | null = null;
/** What an edge deployment exports: probes, and nothing else open unless `SYRINX_TOKEN` is set there. */
export default {
  // Made with the first request: clocks and random numbers may not work before it.
  fetch(request: Request, env?: { SYRINX_TOKEN?: string | undefined }): Promise<Response> {
    instance ??= createEdge({ version: VERSION, token: env?.SYRINX_TOKEN });
    return instance.fetch(request);
  },
};
