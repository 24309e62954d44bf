// A real livekit-server for tests, on ports of its own; says in one line why there is none.
// real time: outages of a real server and speech between real processes last as long as they last.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AccessToken, RoomServiceClient, type VideoGrant } from 'livekit-server-sdk';
import { loadNative } from '../../../src/livekit/room/native.ts';

const BINARY = fileURLToPath(new URL('../../../.cache/livekit-server/livekit-server', import.meta.url));
export const KEY = 'testkey';
export const SECRET = 'testsecrettestsecrettestsecrettest';

/** Undefined when the real parts are there. */
export async function whyNot(): Promise<string | undefined> {
  if (!existsSync(BINARY)) return 'no livekit-server: run `bun scripts/install-livekit-server.ts`';
  const support = await loadNative();
  return support.rtc ? undefined : support.reason;
}

/** Free for TCP and UDP, and below the ports that the system gives to outgoing connections: a server that is started anew must find
 *  its own free again. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const socket = createSocket('udp4');
    const isFree = await Promise.all([
      opened(server, (done) => server.listen(port, '127.0.0.1', done)),
      opened(socket, (done) => socket.bind(port, '127.0.0.1', done)),
    ]);
    if (server.listening) server.close();
    socket.close();
    if (isFree.every(Boolean)) return port;
  }
}

function opened(what: NodeJS.EventEmitter, open: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    what.once('error', () => resolve(false));
    open(() => resolve(true));
  });
}

export interface RealServer {
  readonly url: string;
  readonly http: string;
  readonly rooms: RoomServiceClient;
  readonly pid: number;
  token(identity: string, room: string, grant?: VideoGrant): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Ends the process and waits for it. */
  kill(): Promise<void>;
  /** Starts it again on the same ports. */
  start(): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
}

/** `stun`: an address that clients are told instead of the public ones. */
export async function startRealServer(extra = '', stun?: string): Promise<RealServer> {
  const [port, tcp, udp] = [await freePort(), await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'livekit-'));
  const file = join(folder, 'server.yaml');
  writeFileSync(
    file,
    `port: ${port}\nbind_addresses: [127.0.0.1]\n` +
      `rtc: { udp_port: ${udp}, tcp_port: ${tcp}, node_ip: 127.0.0.1, use_external_ip: false, enable_loopback_candidate: true, interfaces: { includes: [lo] }${stun === undefined ? '' : `, stun_servers: ["${stun}"]`} }\n` +
      `keys: { ${KEY}: ${SECRET} }\nlogging: { level: error }\n${extra}`,
  );
  const http = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    child = spawn(BINARY, ['--config', file], { stdio: 'ignore' });
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      if (child.exitCode !== null) child = spawn(BINARY, ['--config', file], { stdio: 'ignore' });
      const up = await fetch(http, { signal: AbortSignal.timeout(2000) }).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) return;
      await pause(50);
    }
    throw new Error('livekit-server did not start');
  }
  async function kill(): Promise<void> {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((done) => running.once('exit', done));
    process.kill(running.pid as number, 'SIGKILL');
    await gone;
  }
  await start();
  return {
    url: `ws://127.0.0.1:${port}`,
    http,
    rooms: new RoomServiceClient(http, KEY, SECRET),
    get pid() {
      return child?.pid ?? 0;
    },
    async token(identity, room, grant = {}) {
      const token = new AccessToken(KEY, SECRET, { identity, ttl: '1h' });
      token.addGrant({ roomJoin: true, room, canPublish: true, canSubscribe: true, canPublishData: true, ...grant });
      if (grant.agent) token.kind = 'agent';
      return token.toJwt();
    },
    // By the number: Deno's child processes take no second signal.
    signal: (name) => void (child?.pid !== undefined && process.kill(child.pid, name)),
    kill,
    start,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Real parts need real time: this is for waiting on other processes. */
export function pause(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}

/** Waits until `check` gives something. */
export async function until<T>(what: string, limitMs: number, check: () => T | undefined | false): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited ${limitMs} ms in vain for: ${what}`);
    await pause(5);
  }
}

/** What `promise` gives; an error that says what was waited for when it has given nothing in time. */
export async function inTime<T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`Waited ${limitMs} ms in vain for: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
