// Brings calls from LiveKit: the worker, the native rooms, and the session behind each job; and tells how it is with them.
import type { Agent } from '../../agent/define-agent.ts';
import type { Config } from '../../config/schema.ts';
import type { FileWriter, Host } from '../../hosts/port.ts';
import { serverAddresses } from '../../livekit/addresses.ts';
import { createLiveKitApi } from '../../livekit/api.ts';
import { openJob } from '../../livekit/open-jobs.ts';
import { openSocket } from '../../livekit/socket.ts';
import { createTokenSource } from '../../livekit/tokens.ts';
import { type AgentOptions, createWorker, type Worker } from '../../livekit/worker.ts';
import { nativeConnect } from '../../livekit/room/native-connection.ts';
import { disposeNative, loadNative, type Native } from '../../livekit/room/native.ts';
import { createRoomJobHandler } from '../../livekit/room/room-job.ts';
import type { Logger } from '../../ops/logs.ts';
import { systemClock } from '../../runner/clock.ts';
import type { Admission } from '../admission/admission.ts';
import type { Runtime } from '../compose.ts';
import { type RoomWatchOptions, watchRooms } from './room-watch.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

/** What probes and operators are told. */
export interface LiveKitView {
  /** Why no call can come from LiveKit at this moment, for readiness; null: they can, or never will on this host. */
  notReady(): string | null;
  /** For health: all is well, or what is wrong. */
  trouble(): string | null;
  report(): Readonly<Record<string, unknown>>;
}

export interface LiveKitService extends LiveKitView {
  /** Null where the native library can not be loaded: everything else runs. */
  readonly worker: Worker | null;
  start(): void;
  /** Resolves with the reason when the server refuses our key and has never taken it. */
  readonly refused: Promise<string>;
  /** Takes no further job and lets calls end; another call may shorten the limit. */
  drain(limitMs: number): Promise<void>;
}

export interface LiveKitOptions {
  readonly host: Pick<Host, 'setEnvironment'>;
  readonly config: Config;
  readonly runtime: Runtime;
  /** Who can be asked for, the runtime's own agent among them; default: that one alone. */
  readonly agents?: readonly Agent[] | undefined;
  readonly admission: Admission;
  readonly log: Logger;
  readonly version: string;
  /** Where the inputs of calls are written; undefined: nowhere. A throw ends the job as failed. */
  readonly record?: ((sessionId: string) => FileWriter) | undefined;
}

export type LiveKitCredentials = { readonly server: string; readonly apiKey: string; readonly apiSecret: string };

/** Null where no LiveKit server is configured; throws `UserError` where its key is missing. */
export function liveKitCredentialsOf({ livekit }: Config): LiveKitCredentials | null {
  const { serverUrl: server, apiKey, apiSecret } = livekit;
  if (server === undefined) return null;
  if (apiKey === undefined || apiSecret === undefined) {
    throw new UserError('LiveKit needs a key and a secret', {
      exitCode: EXIT.auth,
      problems: ['livekit.api_key, livekit.api_secret: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET'],
    });
  }
  return { server, apiKey: apiKey.reveal(), apiSecret: apiSecret.reveal() };
}

/** Null where no LiveKit server is configured. Nothing is asked of it before `start`. */
export async function createLiveKit(options: LiveKitOptions): Promise<LiveKitService | null> {
  const { config, log, host } = options;
  const credentials = liveKitCredentialsOf(config);
  if (credentials === null) return null;
  const { rooms } = serverAddresses(credentials.server);
  // The native library writes what it was refused with, tokens included; it must be told before it is loaded.
  host.setEnvironment('RUST_LOG', 'off');
  // Its JavaScript half writes a line for each event to standard output otherwise.
  host.setEnvironment('NODE_ENV', 'production');
  const support = await loadNative((message) => log.error('native library panicked', { reason: message }));
  if (!support.rtc) {
    // Its loader goes on with advice for a fault of package managers, which this rarely is.
    const [reason = support.reason] = support.reason.split('. ');
    log.error('calls from LiveKit are off', { rtc: false, reason });
    return withoutRtc(rooms, reason);
  }
  let refuse: (detail: string) => void = () => {};
  const refused = new Promise<string>((resolve) => {
    refuse = resolve;
  });
  const worker = workerOf(options, credentials, support.native, refuse);
  return {
    worker,
    refused,
    start: () => worker.start(),
    notReady() {
      const { reason } = worker.status();
      return reason === 'not-registered' ? 'livekit not registered' : null;
    },
    trouble() {
      const lost = worker.status().registrations.find(({ state }) => state !== 'registered');
      return lost === undefined ? null : (lost.lastLoss ?? lost.state);
    },
    report() {
      const { ready, reason, load, running, reserved, registrations } = worker.status();
      return {
        rtc: true,
        ...connectionOf(registrations),
        server_url: rooms,
        ready,
        reason,
        load: Math.round(load * 1000) / 1000,
        jobs_running: running,
        jobs_reserved: reserved,
        registrations: registrations.map(({ agent, jobType, state, workerId, region, lastLoss }) => ({
          agent_name: agent,
          job_type: jobType,
          state,
          worker_id: workerId,
          server_region: region,
          last_loss: lastLoss,
        })),
      };
    },
    async drain(limitMs) {
      await worker.drain(limitMs);
      await disposeNative(systemClock);
    },
  };
}

/** Round trips of pings, in ms; above it is poor. */
const EXCELLENT_MS = 50;
const GOOD_MS = 100;

/** The contract's `LiveKitHealth`, by the worst of the registrations; null: not known before the first ping. */
function connectionOf(registrations: ReturnType<Worker['status']>['registrations']) {
  const connected = registrations.every(({ state }) => state === 'registered');
  const pongs = registrations.map(({ pongAtMs }) => pongAtMs).filter((at) => at !== null);
  const pings = registrations.map(({ pingMs }) => pingMs).filter((ms) => ms !== null);
  const worst = Math.max(...pings);
  const quality = pings.length === 0 ? null : worst < EXCELLENT_MS ? 'excellent' : worst < GOOD_MS ? 'good' : 'poor';
  return {
    connected,
    last_heartbeat: pongs.length === 0 ? null : new Date(Math.min(...pongs)).toISOString(),
    connection_quality: connected ? quality : 'disconnected',
  };
}

function workerOf(
  { config, runtime, agents = [runtime.agent], admission, log, version, record }: LiveKitOptions,
  credentials: LiveKitCredentials,
  native: Native,
  onRefused: (detail: string) => void,
): Worker {
  const { e2eeKey } = config.livekit;
  const { registry } = runtime;
  const { region } = config.agent;
  const onSample: RoomWatchOptions['onSample'] = (id, sample) => runtime.meters?.line(id, sample);
  const rooms = watchRooms({ registry, region, log, onSample });
  const api = createLiveKitApi(credentials);
  const sharedKey = e2eeKey === undefined ? undefined : new TextEncoder().encode(e2eeKey.reveal());
  return createWorker({
    server: credentials.server,
    tokens: createTokenSource(credentials),
    agents: agents.map((agent, i) => registrationOf(config, agent, agent.name ?? runtime.agentName, i === 0)),
    runJob: createRoomJobHandler({
      connect: nativeConnect(native),
      clock: systemClock,
      random: Math.random,
      sharedKey: () => sharedKey,
      region,
      findRoom: async (name) => (await api.rooms.list([name]))[0]?.sid,
      observer: (job) => rooms.observer(job),
      openCall(transport, job) {
        const { inputRateHz, outputRateHz } = transport;
        // A job of automatic dispatch names nobody: it is the first one's.
        const agent = agents.find(({ name }) => name === job.agentName) ?? agents[0];
        const call = rooms.open(job, transport, (id) => {
          // Its hooks find the job already.
          const forget = openJob(id, job);
          try {
            const recording = record?.(id);
            const opened = runtime.open({ id, agent, transport: 'livekit', inputRateHz, outputRateHz, recording });
            void opened.done.then(forget);
            return opened;
          } catch (error) {
            forget();
            throw error;
          }
        });
        call.attach(transport);
        return call;
      },
    }),
    gate: admission.gate,
    onRefused,
    registry: runtime.registry,
    log,
    clock: systemClock,
    random: Math.random,
    epochMs: Date.now,
    openSocket,
    version,
  });
}

/** One agent can be sent to every room by itself; the others of a process are asked for by their names. */
function registrationOf({ livekit }: Config, agent: Agent, agentName: string, isFirst: boolean): AgentOptions {
  const { dispatch, namespace, jobType, deployment } = livekit;
  const name = isFirst && dispatch === 'automatic' ? '' : agentName;
  return { name, namespace, jobType, deployment, accept: agent.accept };
}

function withoutRtc(serverUrl: string, reason: string): LiveKitService {
  return {
    worker: null,
    refused: new Promise(() => {}),
    start() {},
    // Waiting would not help: probes would keep a pod out for ever that takes its other calls well.
    notReady: () => null,
    trouble: () => reason,
    report: () => ({ rtc: false, connected: false, server_url: serverUrl, ready: false, reason }),
    drain: () => Promise.resolve(),
  };
}
