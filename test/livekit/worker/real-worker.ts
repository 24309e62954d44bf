// A worker with real sockets against a server, jobs that only sign in to their room, and waiting for what must happen.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { until as untilWithin } from '../../e2e/until.ts';
import { createGate, type GateOptions } from '../../../src/livekit/gate.ts';
import { openSocket } from '../../../src/livekit/socket.ts';
import { createTokenSource, type Credentials } from '../../../src/livekit/tokens.ts';
import { createWorker, type Worker, type WorkerOptions } from '../../../src/livekit/worker.ts';
import { createRegistry } from '../../../src/metrics/index.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { FakeJob, metricOf } from './bench.ts';

const BINARY = fileURLToPath(new URL('../../../.cache/livekit-server/livekit-server', import.meta.url));
/** False where there is a server; otherwise why tests with one are skipped. */
export const noServer: string | false = existsSync(BINARY)
  ? false
  : 'no livekit-server: run `bun scripts/install-livekit-server.ts` (needs Go)';

export interface RealWorker {
  readonly worker: Worker;
  readonly jobs: FakeJob[];
  readonly log: string[];
  /** Value of a counter or gauge of the worker; undefined where it was never recorded. */
  metric(name: string, labels?: Record<string, string>): number | undefined;
  stop(): Promise<void>;
}

export interface RealWorkerOptions extends Partial<WorkerOptions> {
  readonly admission?: GateOptions['limits'];
  readonly measures?: GateOptions['measures'];
}

export function startWorker(server: string, credentials: Credentials, options: RealWorkerOptions = {}): RealWorker {
  const { admission = { maxSessions: 10 }, measures, ...more } = options;
  const jobs: FakeJob[] = [];
  const log: string[] = [];
  const registry = createRegistry();
  const write = (message: string, fields?: object) => {
    log.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const worker = createWorker({
    server,
    tokens: createTokenSource(credentials),
    agents: [{ name: 'judge' }],
    runJob(job) {
      const one = new FakeJob(job);
      jobs.push(one);
      return one;
    },
    gate: createGate({ limits: admission, measures, clock: systemClock }),
    registry,
    log: { info: write, warn: write, error: write },
    clock: systemClock,
    random: Math.random,
    epochMs: Date.now,
    openSocket,
    version: '0.0.0',
    ...more,
  });
  worker.start();
  return {
    worker,
    jobs,
    log,
    metric: (name, labels = {}) => metricOf(registry, name, labels),
    async stop() {
      const drained = worker.drain(0);
      for (const job of jobs) void job.end();
      await drained;
    },
  };
}

/** Signs in to a room as a client does, without media; returns how to leave. */
export async function signIn(url: string, token: string): Promise<() => void> {
  const address = new URL(`${url}/rtc`);
  address.search = new URLSearchParams({
    access_token: token,
    auto_subscribe: '0',
    protocol: '15',
    sdk: 'js',
  }).toString();
  const socket = new WebSocket(address);
  await new Promise<void>((resolve, reject) => {
    socket.once('message', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('sign-in was refused')));
  });
  return () => socket.close();
}

/** Resolves with the first value that is neither undefined nor false; rejects after the limit. */
export function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 8000,
): Promise<T> {
  return untilWithin(what, limitMs, async () => look());
}
