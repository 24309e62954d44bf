// Health and readiness of the whole program, out of what was last seen: probes never wait for anything.
import type { Host } from '../../hosts/port.ts';
import { takeSnapshot, type Registry } from '../../metrics/index.ts';
import type { CheckView, HealthMonitor } from '../../ops/health/index.ts';
import { percent, Readings, rounded } from '../../ops/views/index.ts';
import type { HealthCheck, HealthReport, SystemReport } from '../../server/options.ts';

export interface HealthReportOptions {
  readonly host: Pick<Host, 'facts' | 'workingDirectory'>;
  readonly registry: Registry;
  readonly monitor: Pick<HealthMonitor, 'view'>;
  phase(): 'starting' | 'running' | 'draining';
  /** Why no further call is taken at the moment; null: it is. */
  closed(): string | null;
  /** Undefined where LiveKit is not configured. */
  readonly livekit?: { trouble(): string | null; report(): Readonly<Record<string, unknown>> } | undefined;
  /** The models by name, and whether requests go to them. */
  models(): readonly { readonly name: string; readonly state: string }[];
}

const MEGABYTE = 1024 * 1024;
/** Limits of the specification: RES-05, RES-09, ALR-11. */
const MEMORY_PERCENT = 80;
const CPU_PERCENT = 70;
const DISK_PERCENT = 90;

export interface ProgramHealth {
  report(): HealthReport;
  /** Why a required dependency keeps this process from serving; null: none does. */
  missing(): string | null;
  /** Names of the services that answered when they were last looked at. */
  services(): string[];
}

export function createProgramHealth(options: HealthReportOptions): ProgramHealth {
  const { host, registry, monitor, livekit } = options;

  const lines = (): HealthCheck[] => {
    const trouble = livekit?.trouble() ?? null;
    const line: HealthCheck[] =
      livekit === undefined
        ? []
        : [{ name: 'livekit', status: trouble === null ? 'pass' : 'warn', message: trouble ?? undefined }];
    const models = options
      .models()
      .map(
        ({ name, state }): HealthCheck =>
          state === 'closed'
            ? { name, status: 'pass' }
            : { name, status: 'warn', message: `resting after failures (${state})` },
      );
    return [...line, ...models];
  };

  function report(): HealthReport {
    const { status, checks } = monitor.view();
    const phase = options.phase();
    const all = [...checks.map(contractOf), ...lines()];
    const closed = options.closed();
    if (closed !== null) all.push({ name: 'capacity', status: 'warn', message: closed });
    if (phase !== 'running') all.unshift({ name: 'phase', status: 'fail', message: phase });
    const isDown = status === 'unhealthy' || phase !== 'running';
    const isIll = status === 'degraded' || all.some((one) => one.status === 'warn');
    return {
      status: isDown ? 'unhealthy' : isIll ? 'degraded' : 'healthy',
      checks: all,
      services: external(checks),
      system: systemReport(host, new Readings(takeSnapshot(registry))),
      livekit: livekit?.report(),
    };
  }

  /** HLT-08: the three that the specification names are always told, the others as they are registered. */
  function external(checks: readonly CheckView[]): Record<string, string> {
    const names = { pass: 'healthy', warn: 'degraded', fail: 'unhealthy', pending: 'not checked yet' } as const;
    const trouble = livekit?.trouble() ?? null;
    const known: Record<string, string> = {
      livekit: livekit === undefined ? 'not configured' : trouble === null ? 'healthy' : 'unhealthy',
      openai: 'not configured',
      database: 'not configured',
    };
    for (const { name, status } of checks) known[name] = names[status];
    return known;
  }

  return {
    report,
    missing() {
      const down = monitor.view().checks.find(({ required, status }) => required && status === 'fail');
      return down === undefined ? null : `${down.name} is down`;
    },
    services: () => [
      ...(livekit !== undefined && livekit.trouble() === null ? ['livekit'] : []),
      ...monitor
        .view()
        .checks.filter(({ status }) => status === 'pass')
        .map(({ name }) => name),
      ...options
        .models()
        .filter(({ state }) => state === 'closed')
        .map(({ name }) => name),
    ],
  };
}

function contractOf({ name, required, status, message, durationMs, checkedAtMs }: CheckView): HealthCheck {
  return {
    name,
    // What was not looked at yet is no failure, and no success either: its message says so.
    status: status === 'pending' ? 'pass' : status,
    duration_ms: rounded(durationMs, 1),
    message: message ?? undefined,
    time: checkedAtMs === null ? null : new Date(checkedAtMs).toISOString(),
    required,
  };
}

/** HLT-07: shares of 0 to 100, measured or null. */
export function systemReport(host: Pick<Host, 'facts' | 'workingDirectory'>, read: Readings): SystemReport {
  const bytes = host.facts.memoryBytes();
  const disk = host.facts.diskUsage(host.workingDirectory);
  const memory = percent(read.value('syrinx.system.memory'));
  const cpu = percent(read.value('syrinx.system.cpu'));
  const diskPercent = percent(disk);
  const above = (value: number | null, limit: number) => value !== null && value > limit;
  const isIll = above(memory, MEMORY_PERCENT) || above(cpu, CPU_PERCENT) || above(diskPercent, DISK_PERCENT);
  return {
    status: isIll ? 'degraded' : 'healthy',
    memory_usage: memory,
    cpu_usage: cpu,
    disk_usage: diskPercent,
    memory_usage_mb: bytes === null ? null : rounded(bytes / MEGABYTE, 1),
    cpu_usage_percent: percent(read.value('syrinx.process.cpu')),
    disk_usage_percent: diskPercent,
    load_average: host.facts.loadAverage(),
  };
}
