// A program that is started and watched from outside: time to its first answer, memory, processor time. Linux tells the latter two.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import { freePort } from '../scripts/free-port.ts';

export interface RunningProgram {
  readonly pid: number;
  readonly port: number;
  /** From before the process was made to the last byte of the first 200. */
  readonly firstAnswerMs: number;
  /** Null where /proc is missing. */
  rssBytes(): number | null;
  /** User and system time so far. */
  cpuSeconds(): number | null;
  stop(): Promise<void>;
}

export interface ProgramOptions {
  /** `PORT` in an argument stands for the port that it shall open. */
  readonly command: readonly string[];
  readonly path?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
}

const LIMIT_MS = 20_000;

export async function startProgram({ command, path = '/health', env, cwd }: ProgramOptions): Promise<RunningProgram> {
  const port = await freePort();
  const [program = '', ...args] = command.map((part) => part.replaceAll('PORT', String(port)));
  const fromMs = performance.now();
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const pid = child.pid ?? 0;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(force);
  };
  while (!(await answers(port, path))) {
    if (child.exitCode !== null || performance.now() - fromMs > LIMIT_MS) {
      if (child.exitCode === null) await stop();
      throw new Error(`${program} gave no answer at ${path}: ${said}`);
    }
  }
  const firstAnswerMs = performance.now() - fromMs;
  return { pid, port, firstAnswerMs, rssBytes: () => rssBytes(pid), cpuSeconds: () => cpuSeconds(pid), stop };
}

function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('end', () => resolve(text.startsWith('HTTP/1.1 200')));
    // Not listening yet: soon again, without keeping the processor from the program.
    socket.on('error', () => setTimeout(() => resolve(false), 1));
  });
}

function rssBytes(pid: number): number | null {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(procFile(pid, 'status'))?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** The kernel counts in hundredths of a second on every machine that Linux has run on for twenty years. */
function cpuSeconds(pid: number): number | null {
  const fields = procFile(pid, 'stat').split(') ')[1]?.split(' ');
  return fields === undefined ? null : (Number(fields[11]) + Number(fields[12])) / 100;
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
