// Channel "slack": an incoming webhook, with blocks, and a text for those who see none.
import type { Notice, Notification } from '../alerts/notification.ts';
import type { AddressPolicy } from './address-guard.ts';
import type { Deliver } from './delivery.ts';
import { type HttpPort, post } from './http-post.ts';
import { cut, linkOf, summaryOf, time, title } from './wording.ts';

export interface SlackOptions extends AddressPolicy {
  /** The whole address is a secret. */
  readonly url: string;
}

/** Slack takes about one message in a second. */
export const SLACK_INTERVAL_MS = 1000;
const MAX_SECTIONS = 40;
const COLOURS: Readonly<Record<string, string>> = {
  critical: '#a30200',
  error: '#a30200',
  warning: '#daa038',
  info: '#439fe0',
};

/** Slack's own three; everything else is text. */
export const escapeSlack = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

export function slackBody(notification: Notification) {
  const { alerts, status, truncatedAlerts } = notification;
  const heading = title(notification);
  const shown = alerts.slice(0, MAX_SECTIONS);
  const hidden = alerts.length - shown.length + truncatedAlerts;
  const severity = alerts.find((alert) => alert.status === 'firing')?.labels['severity'] ?? 'error';
  const more = hidden === 0 ? [] : [`and ${hidden} more`];
  return {
    text: escapeSlack(cut(heading, 1000)),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(heading, 150), emoji: false } },
      ...shown.map(section),
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: escapeSlack([...more, notification.reason].join(' - ')) }],
      },
    ],
    attachments: [
      {
        color: status === 'resolved' ? '#2eb886' : (COLOURS[severity] ?? COLOURS['error']),
        fallback: escapeSlack(cut(heading, 1000)),
      },
    ],
  };
}

function section(alert: Notice) {
  const { status, labels, startsAtMs, endsAtMs, generatorUrl } = alert;
  const link = linkOf(generatorUrl);
  const state = status === 'resolved' ? `resolved ${time(endsAtMs)}` : `firing since ${time(startsAtMs)}`;
  const text = `*${escapeSlack(summaryOf(alert))}*\n${state}${link === undefined ? '' : `\n<${escapeSlack(link)}|details>`}`;
  const fields = Object.entries(labels)
    .slice(0, 10)
    .map(([name, value]) => ({ type: 'mrkdwn', text: cut(`*${escapeSlack(name)}*\n${escapeSlack(value)}`, 2000) }));
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, 3000) }, ...(fields.length > 0 ? { fields } : {}) };
}

export function slackChannel(options: SlackOptions, port: HttpPort): Deliver {
  return (notification, signal) => {
    const body = JSON.stringify(slackBody(notification));
    const judge = (text: string) => (text.trim() === 'ok' ? undefined : `Slack answered ${text.slice(0, 100)}`);
    return post(port, options, { url: options.url, headers: {}, body }, signal, judge);
  };
}
