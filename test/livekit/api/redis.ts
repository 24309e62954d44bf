// A real redis-server for tests, on a port of its own and without a disk; says in one line why there is none.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { freePort } from '../../../scripts/free-port.ts';
import { pause } from '../room/real-server.ts';

/** Undefined when there is one. */
export function whyNoRedis(): string | undefined {
  const { status } = spawnSync('redis-server', ['--version'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'no redis-server on the PATH';
}

export interface Redis {
  /** Line for the configuration of a LiveKit server. */
  readonly yaml: string;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  });
  for (let i = 0; i < 200 && !(await isOpen(port)); i++) await pause(25);
  return { yaml: `redis: { address: 127.0.0.1:${port} }\n`, stop: () => end(child) };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => tell(true));
    socket.once('error', () => tell(false));
  });
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((gone) => {
    child.once('exit', () => gone());
    // By the number: Deno's child processes take no second signal.
    if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
  });
}
