// A process of a benchmark that reads commands as JSON lines, answers each with a line `@{...}`, and tells what happens with `!{...}`.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { bun, deno, node, root } from '../../scripts/steps.ts';

export const HOSTS: Readonly<Record<string, readonly string[]>> = {
  bun: [bun],
  node: [node, '--no-warnings', '--expose-gc'],
  deno: [deno, 'run', '-A', '--quiet', '--v8-flags=--expose-gc'],
};

export interface Asked {
  readonly pid: number;
  ask<T>(command: object): Promise<T>;
  end(): Promise<void>;
}

/** Starts `benchmarks/livekit/FILE`, and waits until it is ready. */
export function startScript(host: string, file: string, ...args: string[]): Promise<Asked> {
  const command = HOSTS[host];
  if (command === undefined) throw new Error(`Unknown host "${host}": use ${Object.keys(HOSTS).join(', ')}`);
  return startAsked([...command, `${root}/benchmarks/livekit/${file}`, ...args]);
}

const ANSWER_MS = 30_000;

export async function startAsked(
  command: readonly string[],
  happened: (event: never) => void = () => {},
): Promise<Asked> {
  const [program = '', ...args] = command;
  const child: ChildProcess = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', RUST_LOG: 'off' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: ((answer: never) => void)[] = [];
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    if (line.startsWith('@')) waiting.shift()?.(JSON.parse(line.slice(1)) as never);
    else if (line.startsWith('!')) happened(JSON.parse(line.slice(1)) as never);
  });
  const next = <T>() =>
    new Promise<T>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${command.join(' ')} does not answer`)), ANSWER_MS);
      waiting.push((answer) => {
        clearTimeout(limit);
        const { error } = answer as { error?: string };
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
    });
  await next();
  return {
    pid: child.pid ?? 0,
    ask(question) {
      child.stdin?.write(`${JSON.stringify(question)}\n`);
      return next();
    },
    async end() {
      child.stdin?.end();
      const limit = setTimeout(() => child.kill('SIGKILL'), 3000);
      await gone;
      clearTimeout(limit);
    },
  };
}

/** A measurement takes the time that it takes. */
export function wait(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}
