// The LiveKit worker of a process: registers its agents, takes the jobs that it has room for, and gives them up in order.
import type { Registry } from '../metrics/index.ts';
import type { AdmissionVerdict } from './admission.ts';
import { serverAddresses } from './addresses.ts';
import { DEFAULT_BACKOFF } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Gate } from './gate.ts';
import { createWorkerInstruments } from './instruments.ts';
import type { JobHandler, JobType, OfferHandler } from './job.ts';
import { DEFAULT_JOB_LIMITS, type JobEvents, type JobLimits, Jobs, type Line } from './jobs.ts';
import { Registration, type RegistrationState, type RegistrationTiming } from './registration.ts';
import type { OpenSocket } from './socket.ts';
import type { TokenSource } from './tokens.ts';
import { type AgentPermissions, DEFAULT_PERMISSIONS, type WireFormat } from './wire.ts';

/** One agent that this process answers for: one registration with the server. */
export interface AgentOptions {
  /** Empty: it is sent to every room by itself. Otherwise it must be asked for by this name. */
  readonly name: string;
  readonly namespace?: string | undefined;
  /** Default `room`. */
  readonly jobType?: JobType | undefined;
  readonly permissions?: Partial<AgentPermissions> | undefined;
  /** Default: the production deployment. */
  readonly deployment?: string | undefined;
  /** Default: every offer is taken while there is room. */
  readonly accept?: OfferHandler | undefined;
  /** Default: `WorkerOptions.runJob`. */
  readonly runJob?: JobHandler | undefined;
}

export interface WorkerLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface WorkerOptions {
  /** Address of the LiveKit server. */
  readonly server: string;
  readonly tokens: TokenSource;
  readonly agents: readonly AgentOptions[];
  readonly runJob: JobHandler;
  /** The process's door; calls that are no jobs of this worker are counted at it too. */
  readonly gate: Gate;
  /** The server refuses our key, and has never taken it before. Attempts go on. */
  readonly onRefused?: ((detail: string) => void) | undefined;
  readonly registry: Registry;
  readonly log: WorkerLog;
  readonly clock: Clock;
  readonly random: () => number;
  /** ms since 1970. */
  readonly epochMs: () => number;
  readonly openSocket: OpenSocket;
  /** Version of this program, for the server's log. */
  readonly version: string;
  /** `json` makes the socket readable. Default `binary`. */
  readonly format?: WireFormat | undefined;
  readonly timing?: Partial<WorkerTiming> | undefined;
}

export interface WorkerTiming extends RegistrationTiming, JobLimits {
  /** How often load is judged and told without a reason. */
  readonly statusMs: number;
  /** What a job is given to say goodbye when the drain is over. */
  readonly goodbyeMs: number;
}

export const DEFAULT_TIMING: WorkerTiming = {
  connectMs: 10_000,
  registerMs: 10_000,
  pingMs: 5000,
  silenceMs: 15_000,
  backoff: DEFAULT_BACKOFF,
  ...DEFAULT_JOB_LIMITS,
  statusMs: 2500,
  goodbyeMs: 5000,
};

export interface RegistrationStatus {
  readonly agent: string;
  readonly jobType: JobType;
  readonly state: RegistrationState;
  readonly workerId: string | null;
  readonly region: string | null;
  readonly lastLoss: string | null;
  /** When the server last answered a ping (ms since 1970), and how long that took; null before the first. */
  readonly pongAtMs: number | null;
  readonly pingMs: number | null;
}

export interface WorkerStatus {
  /** Every agent is registered and one more call is welcome. */
  readonly ready: boolean;
  /** Why not: `draining`, `not-registered`, `full`, `late-frames`, `loop-lag`, `buffer-bytes`. */
  readonly reason: string | null;
  readonly load: number;
  readonly scaleUp: boolean;
  readonly running: number;
  readonly reserved: number;
  readonly registrations: readonly RegistrationStatus[];
}

export interface Worker {
  start(): void;
  status(): WorkerStatus;
  /** Takes no further job, lets the running ones end until the limit, then ends them. Another call may shorten the limit. */
  drain(limitMs: number): Promise<void>;
}

interface Seat extends Line {
  readonly agent: AgentOptions;
  readonly jobType: JobType;
  readonly registration: Registration;
  told: string;
}

/** Throws `RangeError` when the address or the list of agents makes no sense. */
export function createWorker(options: WorkerOptions): Worker {
  return new LiveKitWorker(options);
}

class LiveKitWorker implements Worker {
  readonly #o: WorkerOptions;
  readonly #timing: WorkerTiming;
  readonly #jobs: Jobs;
  readonly #seats: readonly Seat[];
  readonly #instruments: ReturnType<typeof createWorkerInstruments>;
  #wasRegistered = false;
  #leaveGate: () => void = () => {};
  #phase: 'new' | 'running' | 'draining' | 'over' = 'new';
  #cancelTick: () => void = () => {};
  #drainAtMs = Number.POSITIVE_INFINITY;
  #cancelDrain: () => void = () => {};
  #resolveDrained: () => void = () => {};
  readonly #drained = new Promise<void>((resolve) => {
    this.#resolveDrained = resolve;
  });

  constructor(options: WorkerOptions) {
    const keys = options.agents.map(({ name, namespace, jobType }) => JSON.stringify([name, namespace, jobType]));
    if (keys.length === 0) throw new RangeError('A worker needs an agent');
    if (new Set(keys).size < keys.length) throw new RangeError('Two agents have the same name, namespace and job type');
    this.#o = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    const { worker, rooms } = serverAddresses(options.server);
    this.#instruments = createWorkerInstruments(options.registry, {
      registered: () => this.#seats.filter(({ registration }) => registration.state === 'registered').length,
      running: () => this.#jobs.running,
      reserved: () => this.#jobs.reserved,
      load: () => this.#load(options.gate.judge()),
      scaleUp: () => options.gate.judge().scaleUp,
      draining: () => this.#isDraining,
    });
    this.#jobs = new Jobs({
      clock: options.clock,
      limits: this.#timing,
      events: this.#jobEvents(),
      roomsUrl: rooms,
      admit: () => (this.#isDraining ? 'draining' : options.gate.judge().reason),
    });
    const leave = options.gate.join(() => ({ sessions: this.#jobs.running, pending: this.#jobs.reserved }));
    // The server would go on offering for as long as it is not told.
    const unwatch = options.gate.watch(() => this.#tell());
    this.#leaveGate = () => {
      leave();
      unwatch();
    };
    this.#seats = options.agents.map((agent) => this.#seat(agent, worker));
  }

  start(): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'running';
    for (const { registration } of this.#seats) registration.start();
    this.#tick();
  }

  status(): WorkerStatus {
    const verdict = this.#o.gate.judge();
    const isRegistered = this.#seats.every(({ registration }) => registration.state === 'registered');
    const reason = this.#isDraining ? 'draining' : !isRegistered ? 'not-registered' : verdict.reason;
    return {
      ready: reason === null,
      reason,
      load: this.#load(verdict),
      scaleUp: verdict.scaleUp,
      running: this.#jobs.running,
      reserved: this.#jobs.reserved,
      registrations: this.#seats.map(
        ({ agent, jobType, registration: { state, facts, lastLoss, pongAtMs, pingMs } }) => ({
          agent: agent.name,
          jobType,
          state,
          workerId: facts?.workerId ?? null,
          region: facts?.region ?? null,
          lastLoss,
          pongAtMs,
          pingMs,
        }),
      ),
    };
  }

  drain(limitMs: number): Promise<void> {
    const { clock, log } = this.#o;
    if (!this.#isDraining) {
      log.info('livekit worker drains', { running: this.#jobs.running, reserved: this.#jobs.reserved });
      this.#phase = 'draining';
      this.#jobs.withdrawAsked();
      this.#tell();
      // A new registration would be offered jobs before it could say that it wants none.
      for (const { registration } of this.#seats) if (registration.state !== 'registered') registration.stop();
    }
    const atMs = clock.now() + limitMs;
    if (this.#phase === 'draining' && atMs < this.#drainAtMs) {
      this.#drainAtMs = atMs;
      this.#cancelDrain();
      this.#cancelDrain = clock.setTimer(() => this.#jobs.stopAll('server stopped', this.#timing.goodbyeMs), limitMs);
    }
    this.#endWhenIdle();
    return this.#drained;
  }

  get #isDraining(): boolean {
    return this.#phase === 'draining' || this.#phase === 'over';
  }

  #endWhenIdle(): void {
    if (this.#phase !== 'draining' || this.#jobs.running + this.#jobs.reserved > 0) return;
    this.#phase = 'over';
    this.#cancelTick();
    this.#cancelDrain();
    this.#leaveGate();
    for (const { registration } of this.#seats) registration.stop();
    this.#resolveDrained();
  }

  // ---- load ----

  #load(verdict: AdmissionVerdict): number {
    return this.#isDraining ? 1 : verdict.load;
  }

  /** Tells the server what has changed; `always` also what has not. */
  #tell(always = false): void {
    const verdict = this.#o.gate.judge();
    const available = verdict.open && !this.#isDraining;
    const load = Math.round(this.#load(verdict) * 1000) / 1000;
    for (const seat of this.#seats) {
      const jobCount = this.#jobs.runningOn(seat);
      const told = `${available} ${load} ${jobCount}`;
      if (!always && told === seat.told) continue;
      if (seat.send({ type: 'status', available, load, jobCount })) seat.told = told;
    }
  }

  #tick(): void {
    this.#cancelTick = this.#o.clock.setTimer(() => {
      this.#tick();
      this.#tell(true);
    }, this.#timing.statusMs);
  }

  // ---- registrations ----

  #seat(agent: AgentOptions, url: string): Seat {
    const { tokens, openSocket, clock, random, epochMs, log, version } = this.#o;
    const jobType = agent.jobType ?? 'room';
    const permissions = { ...DEFAULT_PERMISSIONS, ...agent.permissions };
    const registration = new Registration({
      url,
      register: {
        type: 'register',
        agentName: agent.name,
        jobType,
        namespace: agent.namespace,
        deployment: agent.deployment ?? '',
        version,
        pingIntervalMs: this.#timing.pingMs,
        permissions,
      },
      token: () => tokens.worker(),
      openSocket,
      clock,
      random,
      epochMs,
      timing: this.#timing,
      format: this.#o.format ?? 'binary',
      events: {
        registered: (facts, outageMs) => {
          this.#wasRegistered = true;
          if (outageMs > 0) {
            this.#instruments.reconnects.add(1);
            this.#instruments.outage.add(outageMs / 1000);
          }
          log.info('livekit agent registered', { agent: agent.name, ...facts, outageMs: Math.round(outageMs) });
          seat.told = '';
          this.#jobs.lineRegistered(seat);
          this.#tell();
        },
        lost: (cause, detail, wasRegistered) => {
          this.#instruments.lost(cause);
          const fields = { agent: agent.name, cause, detail, running: this.#jobs.running };
          log.warn(wasRegistered ? 'livekit server lost; calls go on' : 'livekit server not reached', fields);
          if (this.#isDraining) registration.stop();
          this.#jobs.lineLost(seat);
          if (cause === 'unauthorized' && !this.#wasRegistered) this.#o.onRefused?.(detail);
        },
        news: (news) => this.#jobs.news(seat, news),
        ignored: (what) => this.#instruments.ignored(what),
        roundTrip: (ms) => this.#instruments.roundTrip.record(ms / 1000),
      },
    });
    const seat: Seat = {
      agent,
      jobType,
      registration,
      told: '',
      accept: agent.accept,
      run: agent.runJob ?? this.#o.runJob,
      freshToken: (room, participant) => tokens.agent(room, agent.name, participant, permissions),
      send: (news) => registration.send(news),
    };
    return seat;
  }

  #jobEvents(): JobEvents {
    const { log } = this.#o;
    const instruments = () => this.#instruments;
    return {
      offered: () => instruments().offers.add(1),
      refused(job, reason, error) {
        instruments().refused(reason);
        if (error !== undefined) log.error('livekit offer handler failed', { job, error });
        else log.info('livekit offer refused', { job, reason });
      },
      accepted: () => instruments().accepted.add(1),
      assigned(job, waitMs) {
        instruments().assignmentWait.record(waitMs / 1000);
        log.info('livekit job assigned', { job: job.id, agent: job.agentName, waitMs: Math.round(waitMs) });
      },
      assignmentMissing(job) {
        instruments().assignmentsMissing.add(1);
        log.warn('livekit job was accepted and not assigned', { job });
      },
      ended(job, outcome, durationMs) {
        instruments().ended(outcome.status);
        instruments().jobDuration.record(durationMs / 1000);
        log.info('livekit job ended', { job, ...outcome });
      },
      abandoned(job) {
        instruments().abandoned.add(1);
        log.error('livekit job did not stop in its time and is given up', { job });
      },
      ignored: (what) => instruments().ignored(what),
      changed: () => {
        this.#tell();
        this.#endWhenIdle();
      },
    };
  }
}
