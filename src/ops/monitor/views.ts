// The monitor as JSON: names in snake_case, times as ISO 8601; null: not measured.
import { shown, SYSTEM_FIGURES } from './figures.ts';
import type { FigureReport } from './minute-log.ts';
import type { MonitorDesk } from './monitor-desk.ts';
import type { MonitorReport, MonitorSnapshot, RealtimeMonitor } from './realtime-monitor.ts';
import type { Health } from './score.ts';
import type { MonitorAlert } from './thresholds.ts';

type Json = Readonly<Record<string, unknown>>;

/** One line for each session, whatever there are of them. */
export function overview(desk: Pick<MonitorDesk, 'all' | 'system'>, atMs: number): Json {
  return {
    timestamp: iso(atMs),
    system: Object.fromEntries(SYSTEM_FIGURES.map((figure, i) => [figure, shown(desk.system[i])])),
    sessions: desk.all().map((monitor) => {
      const { latencyMs, qualityScore, responseMs, errorRate } = monitor.headline();
      return {
        session_id: monitor.sessionId,
        score: shown(monitor.health.score ?? Number.NaN),
        grade: monitor.health.grade,
        latency_ms: latencyMs,
        quality_score: qualityScore,
        response_ms: responseMs,
        error_rate: errorRate,
        alerts: monitor.alerts.map(({ metric }) => metric),
      };
    }),
  };
}

/** All that is known of one session now, and what its last minutes add up to. */
export function detailsView(monitor: RealtimeMonitor): Json {
  const snapshot = monitor.snapshot();
  return {
    session_id: monitor.sessionId,
    ...(snapshot === null ? { timestamp: null } : snapshotView(snapshot)),
    report: reportView(monitor.report()),
    history: monitor.history().map(({ atMs, components }) => ({ timestamp: iso(atMs), components })),
  };
}

export function snapshotView({ sessionId, atMs, components, system, alerts, health }: MonitorSnapshot): Json {
  return {
    session_id: sessionId,
    timestamp: iso(atMs),
    components,
    system,
    alerts: alerts.map(alertView),
    health: healthView(health),
  };
}

export function reportView({
  sessionId,
  fromMs,
  toMs,
  ticks,
  metrics,
  efficiency,
  health,
  alerts,
}: MonitorReport): Json {
  return {
    session_id: sessionId,
    from: ticks === 0 ? null : iso(fromMs),
    to: ticks === 0 ? null : iso(toMs),
    ticks,
    metrics: Object.fromEntries(Object.entries(metrics).map(([key, figure]) => [key, figureView(figure)])),
    efficiency,
    health: healthView(health),
    alerts: alerts.map(alertView),
  };
}

function figureView({ count, mean, min, max, trend }: FigureReport): Json {
  return { count, mean: shown(mean), min: shown(min), max: shown(max), trend };
}

export function healthView({ score, grade, parts }: Health): Json {
  return { score: shown(score ?? Number.NaN), grade, parts };
}

export function alertView({ sessionId, metric, state, level, value, threshold, raisedAtMs, atMs }: MonitorAlert): Json {
  return {
    session_id: sessionId,
    metric,
    state,
    level,
    value: shown(value ?? Number.NaN),
    threshold,
    raised_at: iso(raisedAtMs),
    timestamp: iso(atMs),
  };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
