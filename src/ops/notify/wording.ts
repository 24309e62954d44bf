// What every channel says of a notification: its title, what its alerts have in common, times and lengths.
import type { Labels } from '../alerts/labels.ts';
import type { Notice, Notification } from '../alerts/notification.ts';

/** How JSON receivers spell "not over yet". */
const NEVER = '0001-01-01T00:00:00Z';

export function time(ms: number | null): string {
  if (ms === null) return NEVER;
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? NEVER : date.toISOString();
}

/** Alertmanager's own: `[FIRING:1] TurnLatencyHigh (critical)`. */
export function title({ status, alerts, groupLabels, truncatedAlerts, reason }: Notification): string {
  const firing =
    alerts.filter((alert) => alert.status === 'firing').length + (status === 'firing' ? truncatedAlerts : 0);
  const rest = Object.entries(common(alerts, ({ labels }) => labels)).filter(([name]) => !(name in groupLabels));
  const group = Object.values(groupLabels).join(' ');
  const more = rest.map(([, value]) => value).join(' ');
  const head = status === 'firing' ? `[FIRING:${firing}]` : '[RESOLVED]';
  const text = [reason === 'test' ? '[TEST]' : '', head, group, more === '' ? '' : `(${more})`];
  return oneLine(text.filter((part) => part !== '').join(' '));
}

/** What all of them share. */
export function common(alerts: readonly Notice[], of: (alert: Notice) => Labels): Record<string, string> {
  const [first, ...others] = alerts.map(of);
  return Object.fromEntries(
    Object.entries(first ?? {}).filter(([name, value]) => others.every((labels) => labels[name] === value)),
  );
}

export function summaryOf({ annotations, labels }: Notice): string {
  return annotations['summary'] ?? annotations['description'] ?? labels['alertname'] ?? '';
}

/** Cut by characters that people see, so that no emoji is torn. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const chars = [...text];
  return chars.length <= length ? text : `${chars.slice(0, length - 3).join('')}...`;
}

/** No line break, so that nothing in it can begin a new header or block. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

/** Only what a browser opens as a page. */
export function linkOf(url: string): string | undefined {
  return /^https?:\/\/[^\s<>"|]+$/.test(url) ? url : undefined;
}
