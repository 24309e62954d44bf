// Starts the server under test on one core of its own and asks it for its figures.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { bun, deno, node, root } from '../../scripts/steps.ts';
import type { Sample } from './server.ts';

export const HOSTS = ['bun', 'node', 'deno'] as const;
export type HostName = (typeof HOSTS)[number];

const COMMANDS: Readonly<Record<HostName, readonly string[]>> = {
  bun: [bun],
  node: [node, '--no-warnings'],
  deno: [deno, 'run', '-A', '--quiet'],
};

export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  sample(): Promise<Sample>;
  /** As `sample`, after collecting garbage where the runtime can be told to. */
  collect(): Promise<Sample>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly host: HostName;
  readonly mode: 'agent' | 'echo';
  readonly replyMs?: number | undefined;
  /** Niceness, below 0 only for root. */
  readonly nice?: number | undefined;
  /** More arguments for the runtime, such as `--cpu-prof`. */
  readonly runtimeArgs?: readonly string[] | undefined;
}

export const canPin = os.availableParallelism() > 1 && hasProgram('taskset');

/** Keeps this process off the server's core. */
export function pinCaller(nice = 0): void {
  if (canPin) execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' });
  if (nice === 0) return;
  try {
    os.setPriority(nice);
  } catch {
    console.error('The priority can not be raised: that needs root');
    return;
  }
  raiseGroup(nice);
}

/** Linux weighs whole sessions against each other first: alone, a process's own priority counts only within its terminal. */
function raiseGroup(nice: number): void {
  const file = '/proc/self/autogroup';
  try {
    const before = /nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '0';
    writeFileSync(file, String(nice));
    process.once('exit', () => writeFileSync(file, before));
  } catch {
    // Not Linux, not root, or no such groups: the process's own priority is all there is.
  }
}

export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { host, mode, replyMs, nice = 0, runtimeArgs = [] } = options;
  const [program, ...args] = [
    ...(canPin ? ['taskset', '-c', '0'] : []),
    ...(nice === 0 ? [] : ['nice', '-n', String(nice)]),
    ...COMMANDS[host],
    ...runtimeArgs,
    'benchmarks/websocket/server.ts',
    host,
    mode,
    ...(replyMs === undefined ? [] : [String(replyMs)]),
  ];
  const child = spawn(program as string, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: ((line: string) => void)[] = [];
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  createInterface({ input: child.stdout }).on('line', (line) => lines.shift()?.(line));
  const ask = (question: string | null): Promise<string> =>
    new Promise((resolve, reject) => {
      const gone = () => reject(new Error(`The ${mode} server on ${host} ended: exit code ${child.exitCode}`));
      if (child.exitCode !== null) {
        gone();
        return;
      }
      child.once('exit', gone);
      lines.push((line) => {
        child.off('exit', gone);
        resolve(line);
      });
      if (question !== null) child.stdin.write(`${question}\n`);
    });
  const port = Number((await ask(null)).replace('listening ', ''));
  return {
    port,
    pid: child.pid ?? 0,
    sample: async () => JSON.parse(await ask('sample')) as Sample,
    collect: async () => JSON.parse(await ask('collect')) as Sample,
    stop: () => stop(child, exited),
  };
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.stdin?.end('quit\n');
  const force = setTimeout(() => child.kill('SIGKILL'), 3000);
  await exited;
  clearTimeout(force);
}

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
