// Channel "pagerduty": Events API v2. One incident for each group, opened and closed under the same key.
import type { Notification } from '../alerts/notification.ts';
import type { AddressPolicy } from './address-guard.ts';
import type { Deliver } from './delivery.ts';
import { type HttpPort, post } from './http-post.ts';
import { sha256Hex } from './signature.ts';
import { cut, linkOf, summaryOf, title } from './wording.ts';
import { noticeBody } from './webhook.ts';

export interface PagerdutyOptions extends AddressPolicy {
  /** 32 characters, of a service's integration. */
  readonly routingKey: string;
  /** What reports: two deployments with one key and one source would close each other's incidents. */
  readonly source: string;
  /** Accounts in the EU: https://events.eu.pagerduty.com/v2/enqueue */
  readonly url?: string | undefined;
  readonly clientUrl?: string | undefined;
}

const URL_US = 'https://events.pagerduty.com/v2/enqueue';
const MAX_BYTES = 512_000;
const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;

export function pagerdutyBody(notification: Notification, options: PagerdutyOptions, dedupKey: string) {
  const { status, alerts, reason, groupKey } = notification;
  const of = (wanted: 'firing' | 'resolved') => alerts.filter((alert) => alert.status === wanted);
  const [firing, resolved] = [of('firing'), of('resolved')];
  const [first] = [...firing, ...resolved];
  const worst = SEVERITIES.find((one) => firing.some(({ labels }) => labels['severity'] === one));
  const heading = title(notification);
  const summary = first === undefined || alerts.length > 1 ? heading : `${heading}: ${summaryOf(first)}`;
  const link = first === undefined ? undefined : linkOf(first.generatorUrl);
  const body = (listed: number) => ({
    routing_key: options.routingKey,
    dedup_key: dedupKey,
    event_action: status === 'firing' ? 'trigger' : 'resolve',
    payload: {
      summary: cut(summary, 1024),
      source: options.source,
      severity: reason === 'test' ? 'info' : (worst ?? 'error'),
      group: cut(groupKey, 1024),
      custom_details: {
        firing: firing.slice(0, listed).map(noticeBody),
        resolved: resolved.slice(0, listed).map(noticeBody),
        num_firing: firing.length,
        num_resolved: resolved.length,
      },
    },
    ...(link === undefined ? {} : { links: [{ href: link, text: 'details' }] }),
    client: 'Syrinx',
    ...(options.clientUrl === undefined ? {} : { client_url: options.clientUrl }),
  });
  let listed = alerts.length;
  while (listed > 0 && new TextEncoder().encode(JSON.stringify(body(listed))).length > MAX_BYTES) {
    listed = Math.floor(listed / 2);
  }
  return body(listed);
}

/** Equal for a group's firing and its end, after a restart too. */
export function dedupKey(groupKey: string, source: string): Promise<string> {
  return sha256Hex(`${source}\n${groupKey}`);
}

export function pagerdutyChannel(options: PagerdutyOptions, port: HttpPort): Deliver {
  if (!/^[\w-]{32}$/.test(options.routingKey)) throw new TypeError("PagerDuty's routing key has 32 characters");
  return async (notification, signal) => {
    const key = await dedupKey(notification.groupKey, options.source);
    const body = JSON.stringify(pagerdutyBody(notification, options, key));
    return post(port, options, { url: options.url ?? URL_US, headers: {}, body }, signal);
  };
}
