// The bodies that Alertmanager sends for the same alert: ours must have every field of them, with a value of the same kind.
import type { Arrival } from './receivers.ts';

const LABELS = { alertname: 'TurnLatencyHigh', severity: 'critical' };
const ALERT = {
  status: 'firing',
  labels: LABELS,
  annotations: {},
  startsAt: '2026-11-22T11:47:47.731Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus.example:9090/graph?g0.expr=...',
  fingerprint: '7de688aef981ab61',
};
const WEBHOOK = {
  receiver: 'all',
  status: 'firing',
  alerts: [ALERT],
  notification_reason: 'first notification',
  groupLabels: { alertname: 'TurnLatencyHigh' },
  commonLabels: LABELS,
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  version: '4',
  groupKey: '{}:{alertname="TurnLatencyHigh"}',
  truncatedAlerts: 0,
};
const PAGERDUTY = {
  routing_key: 'R0123456789abcdef0123456789abcdef',
  dedup_key: 'fdd9efd6721b29cb254055fe5ba0cb5790f72bd874d8618a9cd9ab0ddab2ac15',
  event_action: 'trigger',
  payload: {
    summary: '[FIRING:1] TurnLatencyHigh (critical)',
    source: 'Alertmanager',
    severity: 'error',
    custom_details: { num_firing: 1, num_resolved: 0, resolved: [], firing: [ALERT] },
  },
  client: 'Alertmanager',
};
/** Blocks instead of Alertmanager's old attachments, and a text for those who see none. */
const SLACK = {
  text: '[FIRING:1] TurnLatencyHigh (critical)',
  blocks: [{ type: 'header', text: { type: 'plain_text', text: '' } }],
  attachments: [{ color: '', fallback: '' }],
};
const BODIES: Readonly<Record<string, object>> = { webhook: WEBHOOK, pagerduty: PAGERDUTY, slack: SLACK };

/** What is missing or of another kind; empty: the shape is right. */
export function goldenDifferences(receiver: string, arrival: Arrival): string[] {
  return receiver === 'email'
    ? mail(arrival)
    : [...body(BODIES[receiver] ?? {}, arrival.body, ''), ...meaning(receiver, arrival)];
}

function body(golden: unknown, given: unknown, path: string): string[] {
  if (Array.isArray(golden)) {
    if (!Array.isArray(given)) return [`${path} is no list`];
    // An empty list is as good: nothing has fired, or nothing is over.
    return given.length === 0 || golden.length === 0 ? [] : body(golden[0], given[0], `${path}[0]`);
  }
  if (typeof golden !== 'object' || golden === null) {
    return typeof given === typeof golden ? [] : [`${path} is ${typeof given}, not ${typeof golden}`];
  }
  if (typeof given !== 'object' || given === null) return [`${path} is missing`];
  return Object.entries(golden).flatMap(([key, value]) =>
    body(value, (given as Record<string, unknown>)[key], `${path}.${key}`),
  );
}

function meaning(receiver: string, { body: given, status, headers }: Arrival): string[] {
  const problems: string[] = [];
  const want = (right: boolean, what: string): void => {
    if (!right) problems.push(what);
  };
  want(headers['content-type'] === 'application/json', 'content-type');
  if (receiver === 'webhook') {
    const [alert] = given['alerts'] as (typeof ALERT)[];
    want((alert?.endsAt === ALERT.endsAt) === (status === 'firing'), 'endsAt');
    want(alert?.status === status, 'status of the alert');
    want(/^v1,[A-Za-z0-9+/=]+$/.test(String(headers['webhook-signature'])), 'signature');
    want(
      given['notification_reason'] === (status === 'firing' ? 'first notification' : 'all alerts resolved'),
      'reason',
    );
  }
  if (receiver === 'pagerduty') {
    want(given['event_action'] === (status === 'firing' ? 'trigger' : 'resolve'), 'event_action');
    want(String(given['dedup_key']).length <= 255, 'dedup_key');
    want(String(given['routing_key']).length === 32, 'routing_key');
  }
  return problems;
}

function mail({ headers, body: given, status }: Arrival): string[] {
  const problems: string[] = [];
  const subject = String(headers['subject']);
  const heading = status === 'firing' ? /^\[FIRING:1\] \w+ \(.+\)$/ : /^\[RESOLVED\] \w+ \(.+\)$/;
  if (!heading.test(subject)) problems.push(`subject ${subject}`);
  if (!String(headers['content-type']).startsWith('multipart/alternative')) problems.push('no multipart/alternative');
  if (!/^<.+@.+>$/.test(String(headers['message-id']))) problems.push('message-id');
  if (headers['auto-submitted'] !== 'auto-generated') problems.push('auto-submitted');
  if (given['secure'] !== true) problems.push('without TLS');
  return problems;
}
