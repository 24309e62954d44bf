// Notifications as the engine makes them, for tests of the channels.
import type { Notice, Notification } from '../../../src/ops/alerts/index.ts';

/** The alert of the golden payloads that were captured from Alertmanager 0.33. */
export const NOTICE: Notice = {
  status: 'firing',
  labels: { alertname: 'TurnLatencyHigh', severity: 'critical' },
  annotations: { summary: 'P95 turn latency 342ms' },
  startsAtMs: Date.parse('2026-11-22T11:47:47.731Z'),
  endsAtMs: null,
  fingerprint: '7de688aef981ab61',
  value: 0.342,
  generatorUrl: 'http://prometheus.example:9090/graph?g0.expr=x',
};

export function notification(change: Partial<Notification> = {}): Notification {
  return {
    id: '0123456789abcdef-1',
    channel: 'all',
    groupKey: '{}:{alertname="TurnLatencyHigh"}',
    groupLabels: { alertname: 'TurnLatencyHigh' },
    status: 'firing',
    reason: 'first notification',
    alerts: [NOTICE],
    truncatedAlerts: 0,
    atMs: Date.parse('2026-11-22T11:47:48.000Z'),
    ...change,
  };
}

export function resolved(): Notification {
  const endsAtMs = Date.parse('2026-11-22T11:50:00.000Z');
  return notification({
    id: '0123456789abcdef-2',
    status: 'resolved',
    reason: 'all alerts resolved',
    alerts: [{ ...NOTICE, status: 'resolved', endsAtMs }],
  });
}
