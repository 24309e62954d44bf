// What the server is told about the program: health, readiness, numbers and calls. Every value is measured or absent.
import type { Config } from '../config/schema.ts';
import type { Host } from '../hosts/port.ts';
import { createPrometheusPage, type Registry } from '../metrics/index.ts';
import type {
  AuthOptions,
  HealthReport,
  LiveKitRoutes,
  ReadyReport,
  RequestRecorder,
  ServerOptions,
  SessionInfo,
} from '../server/options.ts';
import type { Admission } from './admission.ts';
import { systemClock } from '../runner/clock.ts';
import type { RunningCall, Runtime } from './compose.ts';
import type { LiveKitView } from './livekit.ts';

export interface OperationsOptions {
  readonly host: Host;
  readonly config: Config;
  readonly runtime: Runtime;
  readonly admission: Admission;
  readonly livekit?: { readonly view: LiveKitView; readonly routes: LiveKitRoutes } | null | undefined;
  readonly version: string;
  readonly startedAtMs: number;
  readonly auth: AuthOptions;
  /** `draining` when the program has been told to stop. */
  phase(): 'starting' | 'running' | 'draining';
  onError(error: unknown): void;
}

const MEGABYTE = 1024 * 1024;

export function createOperations(options: OperationsOptions): ServerOptions {
  const { host, config, runtime, admission, livekit, version, startedAtMs, auth, phase } = options;
  const requests = countRequests(runtime.registry);
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
    const reason = phase() === 'running' ? (livekit?.view.notReady() ?? closed ?? undefined) : phase();
    return {
      ready: reason === undefined,
      services: [
        ...(livekit?.view.trouble() === null ? ['livekit'] : []),
        ...runtime
          .services()
          .filter((s) => s.state === 'closed')
          .map((s) => s.name),
      ],
      activeJobs: admission.gate.occupancy().sessions,
      maxJobs: config.capacity.maxSessions,
      reason,
    };
  };

  return {
    version,
    startedAtMs,
    now: Date.now,
    health: () => health(host, runtime, livekit?.view),
    ready,
    metricsText() {
      return page();
    },
    status: () => ({
      worker_id: `${runtime.agentName}-${host.pid}`,
      status: phase(),
      configuration: {
        agent_name: runtime.agentName,
        max_concurrent_jobs: config.capacity.maxSessions,
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
        queue_size: admission.held,
        memory_bytes: host.facts.memoryBytes(),
      },
      admission: admission.report(),
      livekit: livekit?.view.report(),
    }),
    sessions: {
      list: () => [...runtime.calls.values()].map(describe),
      get(id) {
        const running = runtime.calls.get(id);
        return running === undefined ? undefined : { ...describe(running), turns: running.call.ledger().turns };
      },
    },
    tools: () =>
      runtime.agent.tools.map(({ name, description, timeoutMs }) => ({
        name,
        description,
        timeout_ms: timeoutMs ?? 60_000,
      })),
    auth,
    requests,
    livekit: livekit?.routes,
    onError: options.onError,
  };
}

function health(host: Host, runtime: Runtime, livekit: LiveKitView | undefined): HealthReport {
  const trouble = livekit?.trouble() ?? null;
  const models = runtime
    .services()
    .map(({ name, state }) =>
      state === 'closed'
        ? ({ name, status: 'pass' } as const)
        : ({ name, status: 'warn', message: `resting after failures (${state})` } as const),
    );
  const line =
    trouble === null
      ? ({ name: 'livekit', status: 'pass' } as const)
      : ({ name: 'livekit', status: 'warn', message: trouble } as const);
  const checks = livekit === undefined ? models : [line, ...models];
  const bytes = host.facts.memoryBytes();
  const disk = host.facts.diskUsage(host.workingDirectory);
  return {
    status: checks.every((c) => c.status === 'pass') ? 'healthy' : 'degraded',
    checks,
    livekit: livekit?.report(),
    system: {
      memory_usage_mb: bytes === null ? null : Math.round((bytes / MEGABYTE) * 10) / 10,
      load_average: host.facts.loadAverage(),
      disk_usage_percent: disk === null ? null : Math.round(disk * 1000) / 10,
    },
  };
}

function describe({ call, transport, startedAtMs, state, turns }: RunningCall): SessionInfo {
  return {
    session_id: call.id,
    agent_id: call.ledger().session.agent,
    status: 'active',
    state,
    transport,
    started_at: new Date(startedAtMs).toISOString(),
    conversation_turns: turns,
  };
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
