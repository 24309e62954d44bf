// Opens the port: routes for people and probes, sockets for callers, and the way down when the program is told to stop.
import type { Config } from '../config/schema.ts';
import type { FileWriter, Host, RunningServer } from '../hosts/port.ts';
import type { Logger } from '../ops/logs.ts';
import { systemClock } from '../runner/clock.ts';
import { createApp } from '../server/app.ts';
import type { LiveKitRoutes, RouteExtension } from '../server/options.ts';
import { createSocketHooks } from '../server/sockets.ts';
import { createWebSocketCalls } from '../transports/websocket/calls.ts';
import { SERVER_STOPPING } from '../transports/websocket/protocol.ts';
import type { Transport } from '../transports/port.ts';
import { type Admission, createAdmission } from './admission/admission.ts';
import type { Runtime } from './compose.ts';
import type { LiveKitView } from './livekit/livekit.ts';
import { authOf, openPort, SPARE_SOCKETS } from './door.ts';
import { createOperations } from './operations/operations.ts';
import { countSockets } from './telemetry/socket-instruments.ts';
import { NUMBER_VARIABLE } from './processes/processes.ts';

/** What calls are given to say goodbye when the drain is over. */
const GOODBYE_MS = 5000;

export interface Service {
  /** Undefined where the configuration opens no port. */
  readonly server: RunningServer | undefined;
  /** Takes no new calls, lets the running ones end until the limit, has the agents of the others say goodbye, and ends what is left;
   *  at once when `hurry` resolves. The port stays open for as long as `others` take. */
  drain(limitMs: number, hurry: Promise<void>, others?: Promise<void>): Promise<void>;
}

export interface ServeCallsOptions {
  readonly host: Host;
  readonly config: Config;
  readonly runtime: Runtime;
  /** Shared with the LiveKit worker; without one it is made here. */
  readonly admission?: Admission | undefined;
  /** Undefined where no LiveKit server is configured. */
  readonly livekit?: { readonly view: LiveKitView; readonly routes: LiveKitRoutes } | null | undefined;
  /** Routes of other parts of the program. */
  readonly extensions?: readonly RouteExtension[] | undefined;
  readonly log: Logger;
  readonly version: string;
  /** Where the inputs of calls are written; undefined: nowhere. */
  readonly record: ((sessionId: string) => FileWriter) | undefined;
}

export async function serveCalls(options: ServeCallsOptions): Promise<Service> {
  const { host, config, runtime, livekit, log, version, record } = options;
  const admission = options.admission ?? createAdmission({ config, runtime, clock: systemClock });
  let phase: 'starting' | 'running' | 'draining' = 'starting';
  const auth = authOf(config);
  const operations = createOperations({
    host,
    config,
    runtime,
    admission,
    livekit,
    extensions: options.extensions,
    version,
    startedAtMs: Date.now(),
    auth,
    phase: () => phase,
    sockets: () => sockets.count(),
    log,
    onError: (error) => log.error('route failed', { error }),
  });
  // A supervisor finds the process of a call by it.
  const number = host.env[NUMBER_VARIABLE];
  const resumePrefix = number === undefined ? '' : `${number}.`;
  const calls = createWebSocketCalls({
    clock: systemClock,
    newToken: () => `${resumePrefix}${crypto.randomUUID()}${crypto.randomUUID()}`,
    start: (transport) => startCall(transport),
    limits: { resumeGraceMs: config.server.resumeGraceMs },
  });
  countSockets(runtime.registry, calls.counts);

  function startCall(transport: Transport): ReturnType<Parameters<typeof createWebSocketCalls>[0]['start']> {
    if (phase !== 'running') return { refused: 'The server is stopping' };
    const refused = admission.refusal(transport.name);
    if (refused !== null) return { refused };
    const id = crypto.randomUUID();
    let recording: FileWriter | undefined;
    try {
      recording = record?.(id);
    } catch (error) {
      // Whoever asked for recordings may have to have them.
      log.error('call refused: its recording can not be written', { error });
      return { refused: 'The call can not be recorded' };
    }
    try {
      const { inputRateHz, outputRateHz } = transport;
      const askedMs = systemClock.now();
      const call = runtime.open({ id, transport: transport.name, inputRateHz, outputRateHz, recording });
      call.attach(transport);
      runtime.watch.established(id, transport.name, systemClock.now() - askedMs);
      return { input: call.input, session: id };
    } catch (error) {
      recording?.close();
      if (error instanceof RangeError) return { refused: 'All sessions are in use' };
      throw error;
    }
  }

  const sockets = createSocketHooks({
    auth,
    now: Date.now,
    maxSockets: config.capacity.maxSessions + SPARE_SOCKETS,
    admit(url) {
      if (calls.isResume(url)) return null;
      if (phase !== 'running') return 'The server is stopping';
      return admission.refusal('websocket');
    },
    accept: (socket, url) => calls.accept(socket, url),
    record: (status) => operations.requests.record('GET', '/call', status),
    onError: (error) => log.error('socket failed', { error }),
  });
  const server = await openPort(host, config.healthServer, {
    fetch: createApp(operations).fetch,
    sockets: sockets.hooks,
  });
  phase = 'running';
  operations.start();
  return {
    server,
    async drain(limitMs, hurry, others) {
      phase = 'draining';
      log.info('draining', { calls: runtime.calls.size });
      const idle = Promise.all([...runtime.calls.values()].map(({ call }) => call.done)).then(() => true);
      const insisted = hurry.then(() => true);
      const patience = (ms: number) => new Promise<boolean>((go) => systemClock.setTimer(() => go(false), ms));
      if (!(await Promise.race([idle, insisted, patience(limitMs)]))) {
        const left = [...runtime.calls.values()];
        for (const { call } of left) call.farewell(SERVER_STOPPING);
        await Promise.race([Promise.all(left.map(({ call }) => call.done)), insisted, patience(GOODBYE_MS)]);
      }
      calls.stop();
      await Promise.all([runtime.closeAll(SERVER_STOPPING), others]);
      for (const extension of options.extensions ?? []) extension.close?.();
      await server?.stop();
      admission.stop();
      operations.stop();
    },
  };
}
