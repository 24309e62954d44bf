// Channel "alertmanager": hands alerts to an Alertmanager (API v2), which then groups, silences and routes them itself.
import type { Notice } from '../alerts/notification.ts';
import type { AddressPolicy } from './address-guard.ts';
import type { Clock, Deliver, Outcome } from './delivery.ts';
import { type HttpPort, post } from './http-post.ts';
import { linkOf, time } from './wording.ts';

export interface AlertmanagerOptions extends AddressPolicy {
  /** Without path: `https://alertmanager.example:9093`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How often standing alerts are sent again. */
export const REFRESH_MS = 60_000;
const FIRST_REFRESH_MS = 1000;
/** An alert that is not sent again is over by then: this process is gone. */
const STANDS_MS = 4 * REFRESH_MS;

export function alertmanagerBody(alerts: readonly Notice[], wallMs: number) {
  return alerts.map(({ labels, annotations, startsAtMs, endsAtMs, generatorUrl }) => {
    const link = linkOf(generatorUrl);
    return {
      labels,
      annotations,
      startsAt: time(startsAtMs),
      endsAt: time(endsAtMs ?? wallMs + STANDS_MS),
      ...(link === undefined ? {} : { generatorURL: link }),
    };
  });
}

export function alertmanagerChannel(options: AlertmanagerOptions, port: HttpPort): Deliver {
  return ({ alerts }, signal) => send(options, port, alerts, signal);
}

function send(options: AlertmanagerOptions, port: HttpPort, alerts: readonly Notice[], signal: AbortSignal) {
  const url = `${options.url.replace(/\/+$/, '')}/api/v2/alerts`;
  const body = JSON.stringify(alertmanagerBody(alerts, port.wallNow()));
  return post(port, options, { url, headers: options.headers ?? {}, body }, signal);
}

/** Sends what stands again each minute. Returns how to end that. */
export function refreshAlertmanager(
  options: AlertmanagerOptions,
  port: HttpPort,
  clock: Clock,
  standing: () => readonly Notice[],
  onOutcome: (outcome: Outcome) => void = () => {},
): () => void {
  let stopped = false;
  // Soon after the start too: what an earlier process told would be over for want of a refresh.
  let cancel = clock.setTimer(() => void refresh(), FIRST_REFRESH_MS);
  const refresh = async (): Promise<void> => {
    const alerts = standing();
    if (alerts.length > 0) {
      const controller = new AbortController();
      const stopWaiting = clock.setTimer(() => controller.abort(), REFRESH_MS / 4);
      try {
        onOutcome(await send(options, port, alerts, controller.signal));
      } catch (error) {
        onOutcome({ kind: 'retry', message: error instanceof Error ? error.message : String(error) });
      }
      stopWaiting();
    }
    if (!stopped) cancel = clock.setTimer(() => void refresh(), REFRESH_MS);
  };
  return () => {
    stopped = true;
    cancel();
  };
}
