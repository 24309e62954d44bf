// A worker on virtual time with in-memory connections, and jobs that end when a test says so.
import { createRegistry, type Registry } from '../../../src/metrics/index.ts';
import type { AdmissionMeasures } from '../../../src/livekit/admission.ts';
import { createGate, type Gate, type GateOptions } from '../../../src/livekit/gate.ts';
import type { AssignedJob, JobOutcome, RunningJob } from '../../../src/livekit/job.ts';
import type { AgentOptions, Worker, WorkerOptions } from '../../../src/livekit/worker.ts';
import { createWorker } from '../../../src/livekit/worker.ts';
import { createFakeLinks, type FakeLink, type FakeLinks } from './fake-link.ts';
import { createVirtualClock, settle, type VirtualClock } from './virtual-clock.ts';

/** One job that runs, and what it was told. */
export class FakeJob implements RunningJob {
  readonly job: AssignedJob;
  readonly stops: { reason: string; graceMs: number }[] = [];
  #resolve: (outcome: JobOutcome) => void = () => {};
  #reject: (error: Error) => void = () => {};
  readonly done = new Promise<JobOutcome>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor(job: AssignedJob) {
    this.job = job;
  }
  stop(reason: string, graceMs: number): void {
    this.stops.push({ reason, graceMs });
  }
  end(outcome: JobOutcome = { status: 'success' }): Promise<void> {
    this.#resolve(outcome);
    return settle();
  }
  fail(error: Error): Promise<void> {
    this.#reject(error);
    return settle();
  }
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly links: FakeLinks;
  readonly worker: Worker;
  readonly gate: Gate;
  readonly jobs: FakeJob[];
  readonly registry: Registry;
  readonly log: string[];
  measures: AdmissionMeasures & { otherSessions: number };
  readonly tokensMinted: () => number;
  /** The worker started, its connection open and registered. */
  registered(): Promise<FakeLink>;
  /** Value of a metric with these labels; undefined where it was never recorded. */
  metric(name: string, labels?: Record<string, string>): number | undefined;
}

export interface BenchOptions extends Partial<WorkerOptions> {
  readonly agent?: Partial<AgentOptions>;
  readonly admission?: GateOptions['limits'];
}

export function createBench(more: BenchOptions = {}): Bench {
  const clock = createVirtualClock();
  const links = createFakeLinks();
  const registry = createRegistry();
  const jobs: FakeJob[] = [];
  const log: string[] = [];
  let minted = 0;
  const write = (level: string) => (message: string, fields?: object) => {
    log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const { agent, admission = { maxSessions: 6 }, ...options } = more;
  const gate = createGate({ limits: admission, measures: () => bench.measures, clock });
  gate.join(() => ({ sessions: bench.measures.otherSessions, pending: 0 }));
  const bench: Bench = {
    clock,
    links,
    registry,
    jobs,
    log,
    measures: { lateFrameShare: null, loopLagMs: null, bufferBytes: null, otherSessions: 0 },
    tokensMinted: () => minted,
    gate,
    worker: createWorker({
      server: 'ws://livekit.example',
      tokens: {
        worker: async () => `worker-token-${++minted}`,
        agent: async (room, name, participant) => `agent-token ${room} ${name} ${participant.identity}`,
      },
      agents: [{ name: 'judge', ...agent }],
      runJob(job) {
        const one = new FakeJob(job);
        jobs.push(one);
        return one;
      },
      gate,
      registry,
      log: { info: write('info'), warn: write('warn'), error: write('error') },
      clock,
      random: () => 0.5,
      epochMs: () => 1_800_000_000_000 + clock.now(),
      openSocket: links.open,
      version: '0.0.0',
      ...options,
    }),
    async registered() {
      bench.worker.start();
      await settle();
      return links.last.open().register();
    },
    metric: (name, labels = {}) => metricOf(registry, name, labels),
  };
  return bench;
}

/** Value of a counter or gauge of the worker. */
export function metricOf(registry: Registry, name: string, labels: Record<string, string>): number | undefined {
  const family = registry.families().find((one) => one.name === `syrinx.livekit.${name}`);
  const wanted = JSON.stringify(labels);
  const handle = family?.series.find((one) => JSON.stringify(one.labels) === wanted)?.handle;
  return handle !== undefined && 'value' in handle ? (handle.value ?? undefined) : undefined;
}
