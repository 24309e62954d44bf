// All jobs of a worker, from the offer to the last report: a slot is taken when we accept, and every path gives it back.
import type { Clock } from './clock.ts';
import type { AssignedJob, JobDescription, JobHandler, JobOutcome, OfferHandler, RunningJob } from './job.ts';
import { askHandler, type Judgement } from './offers.ts';
import type { Acceptance, ServerNews, WorkerNews } from './wire.ts';

/** One registration, as its jobs see it. */
export interface Line {
  readonly accept: OfferHandler | undefined;
  readonly run: JobHandler;
  freshToken(room: string, participant: Acceptance): Promise<string>;
  /** False where there is nobody to tell. */
  send(news: WorkerNews): boolean;
}

export type Refusal =
  | Extract<Judgement, { accept: false }>['reason']
  | 'draining'
  | 'busy'
  | 'unsupported'
  | (string & {});

export interface JobLimits {
  /** The server waits 10 s for an answer and never asks again. */
  readonly handlerMs: number;
  readonly assignmentMs: number;
  /** How long a job that the server has ended may take to wind up. */
  readonly terminationMs: number;
  /** How much longer than its grace a job is waited for before its slot is taken back. */
  readonly overtimeMs: number;
  /** Offers whose answer is not decided yet. */
  readonly maxAsked: number;
}

export const DEFAULT_JOB_LIMITS: JobLimits = {
  handlerMs: 5000,
  assignmentMs: 7500,
  terminationMs: 15_000,
  overtimeMs: 2000,
  maxAsked: 256,
};

export interface JobEvents {
  offered(): void;
  refused(job: string, reason: Refusal, error?: unknown): void;
  accepted(job: string): void;
  assigned(job: JobDescription, waitMs: number): void;
  assignmentMissing(job: string): void;
  ended(job: string, outcome: JobOutcome, durationMs: number): void;
  /** It did not stop in its time; what it holds is lost. */
  abandoned(job: string): void;
  ignored(what: 'repeated-offer' | 'unknown-assignment' | 'repeated-assignment' | 'unknown-termination'): void;
  /** A slot was taken or given back. */
  changed(): void;
}

export interface JobsOptions {
  readonly clock: Clock;
  readonly limits: JobLimits;
  readonly events: JobEvents;
  /** Default address of the rooms. */
  readonly roomsUrl: string;
  /** Why no further job is welcome at this moment; null: it is. */
  admit(): string | null;
}

interface Entry {
  readonly id: string;
  readonly line: Line;
  phase: 'asked' | 'reserved' | 'running';
  readonly sinceMs: number;
  readonly withdrawn: AbortController;
  readonly terminate: AbortController;
  participant: Acceptance | null;
  running: RunningJob | null;
  isReported: boolean;
  dueAtMs: number;
  cancelTimer: () => void;
}

/** Results that could not be told during an outage. */
const MAX_UNTOLD = 256;
const MAX_ERROR_CHARS = 300;

export class Jobs {
  readonly #o: JobsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #untold = new Map<string, { line: Line; outcome: JobOutcome }>();
  #reserved = 0;
  #running = 0;

  constructor(options: JobsOptions) {
    this.#o = options;
  }

  get reserved(): number {
    return this.#reserved;
  }
  get running(): number {
    return this.#running;
  }
  runningOn(line: Line): number {
    return this.#idsOn(line).length;
  }

  // ---- what the server says ----

  news(line: Line, news: Extract<ServerNews, { type: 'offer' | 'assignment' | 'termination' }>): void {
    if (news.type === 'offer') this.#offered(line, news.jobId, news.job);
    else if (news.type === 'assignment') this.#assigned(line, news);
    else this.#terminated(line, news.jobId);
  }

  #offered(line: Line, id: string, job: JobDescription | undefined): void {
    const { events, limits, clock } = this.#o;
    events.offered();
    if (this.#entries.has(id)) return events.ignored('repeated-offer');
    const refuse = (reason: Refusal, done = false, error?: unknown) => {
      line.send({ type: 'refuse', jobId: id, done });
      events.refused(id, reason, error);
    };
    if (job === undefined) return refuse('unsupported');
    const full = this.#o.admit();
    if (full !== null) return refuse(full);
    if (this.#entries.size - this.#reserved - this.#running >= limits.maxAsked) return refuse('busy');

    const entry: Entry = {
      id,
      line,
      phase: 'asked',
      sinceMs: clock.now(),
      withdrawn: new AbortController(),
      terminate: new AbortController(),
      participant: null,
      running: null,
      isReported: false,
      dueAtMs: Number.POSITIVE_INFINITY,
      cancelTimer: () => {},
    };
    this.#entries.set(id, entry);
    const asking = { clock, limitMs: limits.handlerMs, withdrawn: entry.withdrawn.signal };
    askHandler(line.accept, job, asking, (judgement) => {
      // While the application thought about it, others may have taken the last slot.
      const why = judgement.accept ? this.#o.admit() : judgement.reason;
      if (judgement.accept && why === null) return this.#reserve(entry, judgement.participant);
      this.#entries.delete(id);
      refuse(why ?? 'declined', !judgement.accept && judgement.done, judgement.accept ? undefined : judgement.error);
    });
  }

  #reserve(entry: Entry, participant: Acceptance): void {
    const { events, limits, clock } = this.#o;
    if (!entry.line.send({ type: 'accept', jobId: entry.id, participant })) {
      this.#entries.delete(entry.id);
      return events.refused(entry.id, 'withdrawn');
    }
    entry.phase = 'reserved';
    entry.participant = participant;
    this.#reserved++;
    entry.cancelTimer = clock.setTimer(() => {
      this.#release(entry);
      events.assignmentMissing(entry.id);
      events.changed();
    }, limits.assignmentMs);
    events.accepted(entry.id);
    events.changed();
  }

  #assigned(line: Line, { jobId, job, url, token }: Extract<ServerNews, { type: 'assignment' }>): void {
    const { events, clock, roomsUrl } = this.#o;
    const entry = this.#entries.get(jobId);
    if (entry?.phase === 'running' && entry.line === line) return events.ignored('repeated-assignment');
    if (entry?.phase !== 'reserved' || entry.line !== line || entry.participant === null) {
      // Too late, or never accepted: the server must not believe that it runs.
      line.send({ type: 'job-ended', jobId, outcome: { status: 'failed', error: 'assignment was not expected' } });
      return events.ignored('unknown-assignment');
    }
    entry.cancelTimer();
    entry.phase = 'running';
    this.#reserved--;
    this.#running++;
    const address = url ?? roomsUrl;
    const flaw =
      job === undefined
        ? 'assignment without a room'
        : token === ''
          ? 'assignment without a token'
          : addressFlaw(address);
    if (job === undefined || flaw !== undefined) {
      return this.#finish(entry, { status: 'failed', error: flaw ?? 'assignment without a room' });
    }
    events.assigned(job, clock.now() - entry.sinceMs);
    line.send({ type: 'job-running', jobId });
    this.#launch(entry, job, address, token, entry.participant);
    events.changed();
  }

  #launch(entry: Entry, job: JobDescription, url: string, token: string, participant: Acceptance): void {
    const assigned: AssignedJob = {
      ...job,
      identity: participant.identity,
      url,
      token,
      freshToken: () => entry.line.freshToken(job.room.name, participant),
      terminate: entry.terminate.signal,
      report: (outcome) => this.#report(entry, outcome),
    };
    try {
      entry.running = entry.line.run(assigned);
      entry.running.done.then(
        (outcome) => this.#finish(entry, outcome),
        (error) => this.#finish(entry, failed('job failed', error)),
      );
    } catch (error) {
      this.#finish(entry, failed('launch failed', error));
    }
  }

  #terminated(line: Line, id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.line !== line) return this.#o.events.ignored('unknown-termination');
    if (entry.phase === 'asked') return entry.withdrawn.abort();
    if (entry.phase === 'reserved') {
      this.#release(entry);
      return this.#o.events.changed();
    }
    if (entry.terminate.signal.aborted) return;
    const { clock, limits } = this.#o;
    entry.terminate.abort('ended by the server');
    const dueAtMs = clock.now() + limits.terminationMs;
    if (dueAtMs >= entry.dueAtMs || this.#entries.get(id) !== entry) return;
    entry.cancelTimer();
    entry.dueAtMs = dueAtMs + limits.overtimeMs;
    entry.cancelTimer = clock.setTimer(() => {
      entry.dueAtMs = Number.POSITIVE_INFINITY;
      this.#stop(entry, 'ended by the server', 0);
    }, limits.terminationMs);
  }

  // ---- what becomes of the connection ----

  /** What was accepted on a lost connection is not assigned on another one; what runs goes on. */
  lineLost(line: Line): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.line !== line) continue;
      if (entry.phase === 'asked') entry.withdrawn.abort();
      if (entry.phase === 'reserved') this.#release(entry);
    }
    this.#o.events.changed();
  }

  lineRegistered(line: Line): void {
    const jobIds = this.#idsOn(line);
    if (jobIds.length > 0) line.send({ type: 'migrate', jobIds });
    for (const [jobId, { line: own, outcome }] of [...this.#untold]) {
      if (own === line && line.send({ type: 'job-ended', jobId, outcome })) this.#untold.delete(jobId);
    }
  }

  // ---- the way down ----

  /** Takes back every offer that is not answered yet. */
  withdrawAsked(): void {
    for (const { phase, withdrawn } of [...this.#entries.values()]) if (phase === 'asked') withdrawn.abort();
  }

  /** Asks every job to end within `graceMs`; those that do not are given up a little later. What is not assigned yet is not
   *  launched any more. */
  stopAll(reason: string, graceMs: number): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.phase === 'running') this.#stop(entry, reason, graceMs);
      else if (entry.phase === 'reserved') this.#release(entry);
    }
    this.#o.events.changed();
  }

  #stop(entry: Entry, reason: string, graceMs: number): void {
    this.#expect(entry, graceMs);
    try {
      entry.running?.stop(reason, graceMs);
    } catch (error) {
      this.#finish(entry, failed('stop failed', error));
    }
  }

  /** From now on the job has a time by which it must be over; an earlier one is not put off. */
  #expect(entry: Entry, graceMs: number): void {
    const { clock, limits, events } = this.#o;
    const dueAtMs = clock.now() + graceMs + limits.overtimeMs;
    if (dueAtMs >= entry.dueAtMs) return;
    entry.dueAtMs = dueAtMs;
    entry.cancelTimer();
    entry.cancelTimer = clock.setTimer(() => {
      if (!this.#entries.has(entry.id)) return;
      events.abandoned(entry.id);
      this.#finish(entry, { status: 'failed', error: 'job did not stop in time' });
    }, dueAtMs - clock.now());
  }

  // ---- the end of a job ----

  #report(entry: Entry, outcome: JobOutcome): void {
    if (entry.isReported) return;
    entry.isReported = true;
    if (entry.line.send({ type: 'job-ended', jobId: entry.id, outcome })) return;
    if (this.#untold.size < MAX_UNTOLD) this.#untold.set(entry.id, { line: entry.line, outcome });
  }

  #finish(entry: Entry, given: JobOutcome): void {
    if (this.#entries.get(entry.id) !== entry) return;
    const outcome = isOutcome(given) ? given : failed('job gave no outcome', undefined);
    this.#report(entry, outcome);
    this.#release(entry);
    this.#o.events.ended(entry.id, outcome, this.#o.clock.now() - entry.sinceMs);
    this.#o.events.changed();
  }

  #release(entry: Entry): void {
    entry.cancelTimer();
    if (!this.#entries.delete(entry.id)) return;
    if (entry.phase === 'reserved') this.#reserved--;
    if (entry.phase === 'running') this.#running--;
  }

  #idsOn(line: Line): string[] {
    return [...this.#entries.values()].filter((e) => e.line === line && e.phase === 'running').map((e) => e.id);
  }
}

function isOutcome(value: unknown): value is JobOutcome {
  return typeof value === 'object' && value !== null && 'status' in value;
}

function failed(what: string, error: unknown): JobOutcome {
  const why = error === undefined ? '' : `: ${error instanceof Error ? error.message : String(error)}`;
  return { status: 'failed', error: `${what}${why}`.slice(0, MAX_ERROR_CHARS) };
}

function addressFlaw(url: string): string | undefined {
  const isFit = URL.canParse(url) && /^(?:ws|http)s?:$/.test(new URL(url).protocol);
  return isFit ? undefined : 'assignment with an unusable address';
}
