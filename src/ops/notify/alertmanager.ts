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

export interface Alertmanager {
  readonly deliver: Deliver;
  /** Sends what stands again each minute. Returns how to end that. */
  refresh(clock: Clock, standing: () => readonly Notice[], onOutcome?: (outcome: Outcome) => void): () => void;
}

export function createAlertmanager(options: AlertmanagerOptions, port: HttpPort): Alertmanager {
  const url = `${options.url.replace(/\/+$/, '')}/api/v2/alerts`;
  // One request at a time: what stood when a refresh began must not arrive behind its end, and stand again.
  let last: Promise<unknown> = Promise.resolve();
  const send = (alerts: () => readonly Notice[], signal: AbortSignal): Promise<Outcome | undefined> => {
    const request = last.then(async () => {
      signal.throwIfAborted();
      const now = alerts();
      if (now.length === 0) return undefined;
      const body = JSON.stringify(alertmanagerBody(now, port.wallNow()));
      return post(port, options, { url, headers: options.headers ?? {}, body }, signal);
    });
    // What is given up holds nobody up, whether or not it ever ends.
    const givenUp = new Promise<never>((_, fail) => {
      signal.addEventListener('abort', () => fail(new Error('no answer in time')), { once: true });
    });
    const turn = Promise.race([request, givenUp]);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    deliver: async ({ alerts }, signal) => (await send(() => alerts, signal)) ?? { kind: 'delivered' },
    refresh(clock, standing, onOutcome = () => {}) {
      let stopped = false;
      // Soon after the start too: what an earlier process told would be over for want of a refresh.
      let cancel = clock.setTimer(() => void again(), FIRST_REFRESH_MS);
      const again = async (): Promise<void> => {
        const controller = new AbortController();
        const stopWaiting = clock.setTimer(() => controller.abort(), REFRESH_MS / 4);
        try {
          const outcome = await send(standing, controller.signal);
          if (outcome !== undefined) onOutcome(outcome);
        } catch (error) {
          onOutcome({ kind: 'retry', message: error instanceof Error ? error.message : String(error) });
        }
        stopWaiting();
        if (!stopped) cancel = clock.setTimer(() => void again(), REFRESH_MS);
      };
      return () => {
        stopped = true;
        cancel();
      };
    },
  };
}
