// What the supervisor knows of its processes: each is asked once a second, and who stays silent for long is given up.
import type { Clock } from '../../runner/clock.ts';
import type { ProcessView, Supervisor } from './processes.ts';

/** What a process said when it was asked last. */
export interface ProcessReport {
  readonly number: number;
  readonly state: ProcessView['state'];
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly ready: boolean;
  /** Why not. */
  readonly reason: string | undefined;
  readonly services: readonly string[];
  readonly activeJobs: number;
  readonly maxJobs: number;
  /** Whole body of its `/status` and `/health`; undefined where it did not answer. */
  readonly status: Readonly<Record<string, unknown>> | undefined;
  readonly health: Readonly<Record<string, unknown>> | undefined;
}

export interface ProcessWatchOptions {
  readonly supervisor: Pick<Supervisor, 'views' | 'unanswered'>;
  /** What opens the doors of the processes. */
  readonly token: string;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

export interface ProcessWatch {
  reports(): readonly ProcessReport[];
  /** Sends a request to one process; null where it does not answer in time. */
  ask(number: number, path: string, init?: RequestInit): Promise<Response | null>;
  /** Where a further call has most room, and counts it there until the next look; null: nowhere. */
  pick(): number | null;
  urlOf(number: number): string | undefined;
  stop(): void;
}

const LOOK_MS = 1000;
export const ANSWER_MS = 2000;
/** Silent for so many looks: about 24 s. A loop that is blocked for so long has lost its calls already. */
const MAX_MISSED = 8;

interface Memory {
  status: Record<string, unknown> | undefined;
  health: Record<string, unknown> | undefined;
  ready: Record<string, unknown> | undefined;
  missed: number;
  /** Calls that were sent there since the last look. */
  sent: number;
  pid: number | undefined;
}

export function watchProcesses({ supervisor, token, clock, fetch }: ProcessWatchOptions): ProcessWatch {
  const memories = new Map<number, Memory>();
  let isStopped = false;
  let cancel = clock.setTimer(look, 100);

  function memoryOf({ number, pid }: ProcessView): Memory {
    const old = memories.get(number);
    // What another process said is nothing that this one said.
    if (old !== undefined && old.pid === pid) return old;
    const memory = { status: undefined, health: undefined, ready: undefined, missed: 0, sent: 0, pid };
    memories.set(number, memory);
    return memory;
  }

  function look(): void {
    void Promise.all(supervisor.views().map(lookAt)).then(() => {
      if (!isStopped) cancel = clock.setTimer(look, LOOK_MS);
    });
  }

  async function lookAt(view: ProcessView): Promise<void> {
    const memory = memoryOf(view);
    if (view.url === undefined) return;
    const sent = memory.sent;
    const [status, health, ready] = await Promise.all(
      ['/status', '/health', '/health/ready'].map(async (path) => json(await ask(view.number, path))),
    );
    if (status === undefined) {
      if (++memory.missed < MAX_MISSED) return;
      memory.missed = 0;
      return supervisor.unanswered(view.number);
    }
    memory.missed = 0;
    memory.sent -= sent;
    Object.assign(memory, { status, health, ready });
  }

  function reports(): ProcessReport[] {
    return supervisor.views().map((view) => {
      const { number, state, pid, restarts } = view;
      const { status, health, ready, missed } = memoryOf(view);
      const answers = state === 'running' && missed < 2;
      return {
        number,
        state,
        pid,
        restarts,
        ready: answers && ready?.ready === true,
        reason: !answers ? (state === 'running' ? 'no answer' : state) : (text(ready?.reason) ?? undefined),
        services: answers && Array.isArray(ready?.services) ? ready.services.map(String) : [],
        activeJobs: answers ? count(ready?.active_jobs) : 0,
        maxJobs: answers ? count(ready?.max_jobs) : 0,
        status: answers ? status : undefined,
        health: answers ? health : undefined,
      };
    });
  }

  const urlOf = (number: number) => supervisor.views().find((one) => one.number === number)?.url;

  async function ask(number: number, path: string, init: RequestInit = {}): Promise<Response | null> {
    const url = urlOf(number);
    if (url === undefined) return null;
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
    const signal = init.signal ?? AbortSignal.timeout(ANSWER_MS);
    return await fetch(new URL(path, url).href, { ...init, headers, signal }).catch(() => null);
  }

  return {
    reports,
    ask,
    pick() {
      let best: { number: number; free: number } | null = null;
      for (const { number, ready, activeJobs, maxJobs } of reports()) {
        const free = maxJobs - activeJobs - (memories.get(number)?.sent ?? 0);
        if (ready && free > 0 && (best === null || free > best.free)) best = { number, free };
      }
      if (best === null) return null;
      const memory = memories.get(best.number);
      if (memory !== undefined) memory.sent++;
      return best.number;
    },
    urlOf,
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

async function json(answer: Response | null): Promise<Record<string, unknown> | undefined> {
  if (answer === null) return undefined;
  // Not ready and unhealthy are answers too.
  return await answer.json().then(
    (body: unknown) => (typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined),
    () => undefined,
  );
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
