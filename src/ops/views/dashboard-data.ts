// The dashboard's data in the specification's shape (DSH-01..11). Every value is measured; what is not known is null.
import type { MetricSnapshot } from '../../metrics/index.ts';
import { Readings, rounded } from './readings.ts';
import type { WindowView, Windows } from './window.ts';

export interface DashboardFacts {
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly connections: {
    /** Requests that are being answered. */
    readonly http: number | null;
    readonly websocket: number | null;
    /** Calls: lines that carry audio. */
    readonly media: number;
  };
  readonly workers: readonly WorkerStatus[];
}
export interface WorkerStatus {
  readonly worker_id: string;
  readonly status: string;
  readonly active_jobs: number;
  readonly max_jobs: number;
  /** 0..1 */
  readonly load: number | null;
  readonly [field: string]: unknown;
}

const TOP_ERRORS = 10;

export function dashboardData(
  snapshot: readonly MetricSnapshot[],
  windows: Windows,
  facts: DashboardFacts,
): Record<string, unknown> {
  const read = new Readings(snapshot);
  const current = windows.current();
  const { memoryBytes, memoryLimitBytes } = facts;
  return {
    overview: {
      active_sessions: read.value('syrinx.sessions.active'),
      success_rate: rounded(current.successRate, 4),
      avg_response_time: rounded(current.avgResponseMs, 1),
      error_rate: rounded(current.errorRate, 4),
    },
    system: {
      cpu_usage: {
        process: rounded(read.value('syrinx.process.cpu'), 4),
        system: rounded(read.value('syrinx.system.cpu'), 4),
      },
      memory_usage: {
        rss_bytes: memoryBytes,
        limit_bytes: memoryLimitBytes,
        share: memoryBytes === null || !memoryLimitBytes ? null : rounded(memoryBytes / memoryLimitBytes, 4),
      },
      active_connections: facts.connections,
      queue_size: read.value('syrinx.queue.size'),
    },
    performance_trends: trends(read, current, windows.previous()),
    top_errors: topErrors(read),
    worker_status: facts.workers,
  };
}

/** The window that is shown beside the one before it, and percentiles since the start. */
function trends(read: Readings, current: WindowView, previous: WindowView | null): Record<string, unknown> {
  const trend = (value: (view: WindowView) => number | null, digits = 1) => {
    const now = rounded(value(current), digits);
    const before = previous === null ? null : rounded(value(previous), digits);
    const change = now === null || before === null || before === 0 ? null : rounded((100 * (now - before)) / before, 1);
    return { current: now, previous: before, change_percent: change };
  };
  const response = read.all('syrinx.conversation.response').find((one) => one.kind === 'histogram');
  const ms = (seconds: number | null) => rounded(seconds === null ? null : seconds * 1000, 1);
  const percentiles =
    response?.kind === 'histogram'
      ? { p50: ms(response.p50), p90: ms(response.p90), p95: ms(response.p95), p99: ms(response.p99) }
      : null;
  return {
    window_seconds: rounded(current.seconds, 1),
    response_time_ms: { ...trend((view) => view.avgResponseMs), percentiles_since_start: percentiles },
    success_rate: trend((view) => view.successRate, 4),
    error_rate: trend((view) => view.errorRate, 4),
    sessions_started: trend((view) => view.sessionsStarted, 0),
    sessions_ended: trend((view) => view.sessionsEnded, 0),
    sessions_failed: trend((view) => view.sessionsFailed, 0),
    turns: trend((view) => view.turns, 0),
    responses: trend((view) => view.responses, 0),
    interruptions: trend((view) => view.interruptions, 0),
  };
}

/** Kinds of failure since the start, the most frequent first. */
function topErrors(read: Readings): readonly { readonly type: string; readonly count: number }[] {
  const byType = new Map<string, number>();
  for (const one of read.all('syrinx.failures')) {
    if (one.kind !== 'counter' || one.value === 0) continue;
    const type = `${one.labels.stage ?? ''}.${one.labels.kind ?? ''}`;
    byType.set(type, (byType.get(type) ?? 0) + one.value);
  }
  const tools = read.value('syrinx.tools.executed', { outcome: 'error' });
  if (tools !== null && tools > 0) byType.set('tool.error', tools);
  return [...byType]
    .map(([type, count]) => ({ type, count }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1))
    .slice(0, TOP_ERRORS);
}
