// The workers that are compared, each as the program that a user would start, and the models that they share.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AgentDispatchClient } from 'livekit-server-sdk';
import { freePort } from '../../scripts/free-port.ts';
import { node, root } from '../../scripts/steps.ts';
import { KEY, type RealServer, SECRET } from '../../test/livekit/room/real-server.ts';
import { startCallers } from './room-callers.ts';
import { HOSTS, wait } from './process.ts';
import { family } from './system.ts';

/** `bare`: the echo; `session`: `syrinx start`; `strict`: the same with nothing begun before the turn's end; `agents-js`: LiveKit's framework. */
export type WorkerKind = 'bare' | 'session' | 'strict' | 'agents-js';
export const KINDS: readonly WorkerKind[] = ['bare', 'session', 'strict', 'agents-js'];

export interface Worker {
  readonly kind: WorkerKind;
  readonly agentName: string;
  readonly pid: number;
  end(): Promise<void>;
}

export interface Models {
  readonly url: string;
  end(): Promise<void>;
}

const RIVAL = `${root}/benchmarks/rivals/agents-js`;
export const RIVAL_MISSING = existsSync(`${RIVAL}/node_modules/@livekit/agents`)
  ? undefined
  : 'agents-js is not installed: npm install --prefix benchmarks/rivals/agents-js';

function collectLines(child: ChildProcess, line: (text: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(line);
  });
}

export async function startModels(): Promise<Models> {
  const child = spawn(node, ['--no-warnings', `${root}/benchmarks/livekit/models-server.ts`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const url = await new Promise<string>((resolve, reject) => {
    collectLines(child, (line) => line.startsWith('@') && resolve(JSON.parse(line.slice(1)).url));
    void gone.then(() => reject(new Error('The models did not start')));
  });
  return {
    url,
    async end() {
      child.stdin.end();
      await gone;
    },
  };
}

/** Starts it and waits until jobs reach it, all its warm processes are there, and the server knows it for good. */
export async function startWorker(
  kind: WorkerKind,
  server: RealServer,
  models: Models,
  host = 'node',
): Promise<Worker> {
  const agentName = `bench-${kind}`;
  const hosted = HOSTS[host] ?? [];
  const syrinx = [...hosted, `${root}/src/hosts/${host}.ts`, 'start', '--agent-name', agentName, '--port', '0'];
  const commands: Readonly<Record<WorkerKind, readonly string[]>> = {
    bare: [...hosted, `${root}/benchmarks/livekit/control-worker.ts`, agentName],
    session: syrinx,
    strict: syrinx,
    'agents-js': [node, '--no-warnings', `${RIVAL}/worker.ts`, 'start'],
  };
  const [program = '', ...args] = commands[kind];
  const { OPENAI_API_KEY: _, ...environment } = process.env;
  const child = spawn(program, args, {
    cwd: kind === 'agents-js' ? RIVAL : root,
    env: {
      ...environment,
      NODE_ENV: 'production',
      RUST_LOG: 'off',
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: KEY,
      LIVEKIT_API_SECRET: SECRET,
      OPENAI_BASE_URL: models.url,
      OPENAI_API_KEY: 'simulated',
      ...(kind === 'agents-js' ? { AGENT_NAME: agentName, AGENT_PORT: String(await freePort()) } : {}),
      ...(kind === 'strict' ? { SYRINX_TURNS_EARLY: 'off' } : {}),
    },
    // What they say of themselves is for whoever looks for a fault.
    stdio: [
      'ignore',
      ...(process.env.SHOW_WORKERS === undefined ? (['ignore', 'ignore'] as const) : ([2, 2] as const)),
    ],
  });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const worker: Worker = {
    kind,
    agentName,
    pid: child.pid ?? 0,
    async end() {
      const pids = family(child.pid ?? 0);
      const kill = () => pids.forEach((pid) => tryKill(pid));
      const limit = setTimeout(kill, 3000);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(limit);
      kill();
    },
  };
  try {
    await reach(worker, server);
  } catch (error) {
    await worker.end();
    throw error;
  }
  return worker;
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

const REACH_MS = 40_000;
/** After a worker has registered, the server takes 5 s to know its jobs; warm processes come back within as long. */
const KNOWN_MS = 8000;

async function reach(worker: Worker, server: RealServer): Promise<void> {
  const dispatches = new AgentDispatchClient(server.http, KEY, SECRET);
  const room = `probe-${worker.kind}`;
  const limitMs = performance.now() + REACH_MS;
  const callers = await startCallers();
  try {
    await callers.ask({ do: 'join', url: server.url, token: await server.token('caller', room) });
    for (;;) {
      await dispatches.createDispatch(room, worker.agentName);
      for (let looks = 0; looks < 10; looks++) {
        await wait(300);
        if ((await server.rooms.listParticipants(room)).length > 1) {
          await server.rooms.deleteRoom(room);
          return await wait(KNOWN_MS);
        }
      }
      if (performance.now() > limitMs) throw new Error(`${worker.kind} took no job within ${REACH_MS / 1000} s`);
    }
  } finally {
    await callers.end();
  }
}
