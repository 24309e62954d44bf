// More processes of this very program: how one starts others, and how those stay in touch with it. Through `node:child_process`.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { ChildExit, ChildProcess } from './port.ts';

export function startAgain(more: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const [program = process.execPath, ...first] = ownCommand();
  // What stands behind `--` is no option.
  const end = first.indexOf('--');
  const args = end < 0 ? [...first, ...more] : [...first.slice(0, end), ...more, ...first.slice(end)];
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  let isOver = false;
  const exited = new Promise<ChildExit>((resolve) => {
    const over = (exit: ChildExit) => {
      isOver = true;
      resolve(exit);
    };
    child.once('error', (error) => over({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => over({ code, signal }));
  });
  // Whoever is gone reads nothing any more.
  child.stdin.on('error', () => {});
  return {
    pid: child.pid,
    exited,
    onLine: (handler) => void createInterface({ input: child.stdout }).on('line', handler),
    send: (line) => void (isOver || child.stdin.write(`${line}\n`)),
    kill(signal) {
      if (isOver || child.pid === undefined) return;
      try {
        // By its number: not every runtime lets a second signal through.
        process.kill(child.pid, signal);
      } catch {
        // It has just ended.
      }
    },
  };
}

/** Lines from the process that started this one; `gone` when it has ended or hung up. */
export function followParent(line: (text: string) => void, gone: () => void): void {
  process.stdin.on('error', () => {});
  createInterface({ input: process.stdin }).on('line', line).once('close', gone);
}

/** The command line of this process with all that the runtime was given. */
function ownCommand(): string[] {
  const own = process.argv.slice(2);
  try {
    const words = readFileSync('/proc/self/cmdline', 'utf8').split('\0').slice(0, -1);
    return [process.execPath, ...words.slice(1)];
  } catch {
    // Systems without /proc. Inside the single binary there is no script to name.
    const script = process.argv[1] ?? '';
    const isBinary = script.includes('$bunfs') || script.includes('~BUN');
    const flags = process.versions.deno === undefined ? process.execArgv : ['run', '-A', '--quiet'];
    return [process.execPath, ...(isBinary ? [] : [...flags, script]), ...own];
  }
}
