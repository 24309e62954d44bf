// Channel "webhook": Alertmanager's webhook body and more, signed after Standard Webhooks.
import type { Notice, Notification } from '../alerts/notification.ts';
import type { AddressPolicy } from './address-guard.ts';
import type { Deliver } from './delivery.ts';
import { type HttpPort, post } from './http-post.ts';
import { keyOf, signatureHeaders } from './signature.ts';
import { common, time } from './wording.ts';

export interface WebhookOptions extends AddressPolicy {
  readonly url: string;
  /** `whsec_...`, several while one is being replaced. Without one the body is not signed. */
  readonly secrets?: readonly string[] | undefined;
  /** Further headers, such as an authorization. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly externalUrl?: string | undefined;
}

export function noticeBody(notice: Notice) {
  const { status, labels, annotations, startsAtMs, endsAtMs, generatorUrl: generatorURL, fingerprint } = notice;
  return { status, labels, annotations, startsAt: time(startsAtMs), endsAt: time(endsAtMs), generatorURL, fingerprint };
}

/** Version 4 of Alertmanager's body as of 0.34, with `id`, `timestamp` and each alert's `value` added. */
export function webhookBody(notification: Notification, externalURL: string) {
  const { id, channel, status, alerts, reason, groupLabels, groupKey, truncatedAlerts, atMs } = notification;
  return {
    receiver: channel,
    status,
    alerts: alerts.map((alert) => ({ ...noticeBody(alert), value: alert.value })),
    notification_reason: reason,
    groupLabels,
    commonLabels: common(alerts, ({ labels }) => labels),
    commonAnnotations: common(alerts, ({ annotations }) => annotations),
    routeLabels: {},
    externalURL,
    version: '4',
    groupKey,
    truncatedAlerts,
    id,
    timestamp: time(atMs),
  };
}

export function webhookChannel(options: WebhookOptions, port: HttpPort): Deliver {
  const { url, secrets = [], headers = {}, externalUrl = '' } = options;
  for (const secret of secrets) keyOf(secret);
  return async (notification, signal) => {
    const body = JSON.stringify(webhookBody(notification, externalUrl));
    const signed = await signatureHeaders(notification.id, port.wallNow(), body, secrets);
    return post(port, options, { url, headers: { ...headers, ...signed }, body }, signal);
  };
}
