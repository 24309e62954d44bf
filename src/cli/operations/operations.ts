// What the server is told about the program: health, readiness, numbers and calls. Every value is measured or absent.
import type { Config } from '../../config/schema.ts';
import type { Host } from '../../hosts/port.ts';
import { createPrometheusPage, type Registry, takeSnapshot } from '../../metrics/index.ts';
import { type HealthMonitor, startHealthMonitor } from '../../ops/health/index.ts';
import { type Collecting, startCollecting } from '../../ops/telemetry/index.ts';
import {
  createWindows,
  dashboardData,
  jsonMetrics,
  Readings,
  rounded,
  toolUsage,
  WINDOW_METRICS,
  type WorkerStatus,
} from '../../ops/views/index.ts';
import type { Logger } from '../../ops/logs.ts';
import { systemClock } from '../../runner/clock.ts';
import { countOpenRequests } from '../../server/app.ts';
import type {
  AuthOptions,
  LiveKitRoutes,
  ReadyReport,
  RequestRecorder,
  RouteExtension,
  ServerOptions,
} from '../../server/options.ts';
import type { Admission } from '../admission/admission.ts';
import type { Runtime } from '../compose.ts';
import { createProgramHealth } from './health-report.ts';
import type { LiveKitView } from '../livekit/livekit.ts';
import { serviceChecks } from './service-checks.ts';

export interface OperationsOptions {
  readonly host: Host;
  readonly config: Config;
  readonly runtime: Runtime;
  readonly admission: Admission;
  readonly livekit?: { readonly view: LiveKitView; readonly routes: LiveKitRoutes } | null | undefined;
  readonly extensions?: readonly RouteExtension[] | undefined;
  readonly version: string;
  readonly startedAtMs: number;
  readonly auth: AuthOptions;
  /** `draining` when the program has been told to stop. */
  phase(): 'starting' | 'running' | 'draining';
  /** Open WebSockets. */
  sockets?(): number;
  readonly log: Logger;
  onError(error: unknown): void;
}

/** What runs beside the routes: looks at dependencies, asks collectors, remembers two windows for the dashboard. */
export interface Operations extends ServerOptions {
  start(): void;
  stop(): void;
}

const WINDOW_LOOK_MS = 5000;

export function createOperations(options: OperationsOptions): Operations {
  const { host, config, runtime, admission, livekit, version, startedAtMs, auth, phase, log } = options;
  const requests = countOpenRequests(countRequests(runtime.registry));
  const windows = createWindows();
  const snapshot = () => takeSnapshot(runtime.registry);
  let monitor: HealthMonitor | null = null;
  let collecting: Collecting | null = null;
  let cancelLook = () => {};
  const look = () => {
    windows.look(takeSnapshot(runtime.registry, WINDOW_METRICS), systemClock.now());
    cancelLook = systemClock.setTimer(look, WINDOW_LOOK_MS);
  };
  const health = createProgramHealth({
    host,
    registry: runtime.registry,
    monitor: {
      view: () => monitor?.view() ?? { status: 'healthy', checks: [] },
    },
    phase,
    closed: () => admission.gate.judge().reason,
    livekit: livekit?.view,
    models: () => runtime.services(),
  });
  const workerId = `${runtime.agentName}-${host.pid}`;
  const uptimeSeconds = () => (Date.now() - startedAtMs) / 1000;
  const page = createPrometheusPage(runtime.registry, systemClock.now);
  runtime.registry
    .gauge({ name: 'uptime', unit: 's', help: 'Time since this process began to serve.' })
    .labels()
    .observe(() => Math.floor(uptimeSeconds()));
  runtime.registry
    .gauge({ name: 'memory', unit: 'By', help: 'Resident memory of this process.' })
    .labels()
    .observe(() => host.facts.memoryBytes());
  const occupied = () => {
    const { sessions, pending } = admission.gate.occupancy();
    return sessions + pending;
  };

  const ready = (): ReadyReport => {
    const { reason: closed } = admission.gate.judge();
    const reason =
      phase() === 'running' ? (health.missing() ?? livekit?.view.notReady() ?? closed ?? undefined) : phase();
    return {
      ready: reason === undefined,
      services: health.services(),
      activeJobs: admission.gate.occupancy().sessions,
      maxJobs: config.capacity.maxSessions,
      reason,
    };
  };

  return {
    version,
    startedAtMs,
    now: Date.now,
    health: health.report,
    ready,
    metricsText() {
      return page();
    },
    metricsJson: () => jsonMetrics(snapshot(), { memoryBytes: host.facts.memoryBytes() }),
    dashboard() {
      windows.look(snapshot(), systemClock.now());
      return dashboardData(snapshot(), windows, {
        memoryBytes: host.facts.memoryBytes(),
        memoryLimitBytes: host.facts.memoryLimitBytes(),
        connections: { http: requests.open, websocket: options.sockets?.() ?? null, media: runtime.calls.size },
        workers: [workerStatus()],
      });
    },
    rate: (id, rating) => runtime.watch.rate(id, rating),
    status: () => ({
      worker_id: workerId,
      status: phase(),
      configuration: {
        agent_name: runtime.agentName,
        max_concurrent_jobs: config.capacity.maxSessions,
        server_url: livekit?.view.report().server_url,
        worker_type: livekit === null || livekit === undefined ? undefined : config.livekit.jobType,
        region: config.agent.region,
        health_check_port: config.healthServer.port,
      },
      runtime_info: {
        runtime: host.name,
        runtime_version: host.version,
        platform: host.platform,
        pid: host.pid,
        version,
      },
      metrics: {
        active_sessions: runtime.calls.size,
        load: Math.round((1000 * occupied()) / config.capacity.maxSessions) / 1000,
        scale_up: admission.report().scale_up,
        queue_size: new Readings(snapshot()).value('syrinx.queue.size'),
        memory_bytes: host.facts.memoryBytes(),
      },
      availability: availability(),
      ratings: {
        overall: rounded(runtime.watch.ratings.mean('overall'), 2),
        count: runtime.watch.ratings.count('overall'),
      },
      admission: admission.report(),
      livekit: livekit?.view.report(),
    }),
    sessions: {
      list: () => runtime.watch.records.list(),
      get: (id) =>
        runtime.watch.records.details(id, (running) => {
          const call = runtime.calls.get(running)?.call;
          if (call === undefined) return null;
          const { framesIn, framesLate, quality } = call.session;
          return { turns: call.ledger().turns, framesIn, framesLate, quality };
        }),
    },
    tools: toolList,
    auth,
    extensions: options.extensions,
    requests,
    livekit: livekit?.routes,
    onError: options.onError,
    start() {
      const { registry, telemetry } = runtime;
      const warn = (message: string, fields: Readonly<Record<string, unknown>>) => log.warn(message, { ...fields });
      const own = serviceChecks({ config, registry, resting: (stage) => isResting(runtime, stage) });
      monitor = startHealthMonitor({
        checks: () => [...own, ...telemetry.checks.list()],
        registry,
        clock: systemClock,
        epochNowMs: Date.now,
        unable: () => (phase() === 'running' ? null : phase()),
        warn,
      });
      look();
      if (!config.telemetry.enabled) return;
      const { metricsIntervalMs: intervalMs } = config.telemetry;
      collecting = startCollecting({ set: telemetry.collectors, registry, clock: systemClock, intervalMs, warn });
    },
    stop() {
      monitor?.stop();
      collecting?.stop();
      cancelLook();
    },
  };

  function availability(): Readonly<Record<string, unknown>> {
    const { ratio, probes, successful } = monitor?.availability() ?? { ratio: null, probes: 0, successful: 0 };
    return { ratio: rounded(ratio, 6), probes, successful };
  }

  function workerStatus(): WorkerStatus {
    const maxJobs = config.capacity.maxSessions;
    return {
      worker_id: workerId,
      status: phase(),
      health: health.report().status,
      active_jobs: admission.gate.occupancy().sessions,
      max_jobs: maxJobs,
      load: rounded(occupied() / maxJobs),
    };
  }

  function toolList() {
    const usage = new Map(toolUsage(new Readings(snapshot())).map((one) => [one.name, one]));
    return runtime.agent.tools.map(({ name, description, timeoutMs, run }) => {
      const { calls = 0, errors = 0, averageMs = null } = usage.get(name) ?? {};
      return {
        name,
        description,
        function: run.name === '' ? name : run.name,
        arity: run.length,
        timeout_ms: timeoutMs ?? 60_000,
        call_count: calls,
        error_count: errors,
        average_duration_ms: averageMs,
      };
    });
  }
}

function isResting(runtime: Runtime, stage: string): boolean {
  return runtime.services().some(({ name, state }) => name.endsWith(`.${stage}`) && state !== 'closed');
}

function countRequests(registry: Registry): RequestRecorder {
  const counter = registry.counter({
    name: 'http.requests',
    help: 'HTTP requests that were answered.',
    labels: ['method', 'route', 'status'],
  });
  let total = 0;
  return {
    record(method, route, status) {
      total++;
      counter.labels({ method, route, status: String(status) }).add(1);
    },
    total: () => total,
  };
}
