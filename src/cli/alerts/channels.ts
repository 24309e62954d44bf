// The channels of the configuration, each with a queue of its own.
import type { Config } from '../../config/schema.ts';
import type { Host } from '../../hosts/port.ts';
import type { Registry } from '../../metrics/index.ts';
import type { AlertWatch, Notification } from '../../ops/alerts/index.ts';
import {
  type Alertmanager,
  createAlertmanager,
  ChannelQueue,
  type Clock,
  createNotifyInstruments,
  type Deliver,
  type DeliveryRecord,
  Dispatcher,
  emailChannel,
  type Ending,
  type HttpPort,
  pagerdutyChannel,
  SLACK_INTERVAL_MS,
  slackChannel,
  smtpOptions,
  webhookChannel,
} from '../../ops/notify/index.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

export interface ChannelsOptions {
  readonly host: Pick<Host, 'files' | 'resolve' | 'post' | 'pause'>;
  readonly config: Config;
  readonly registry: Registry;
  readonly agentName: string;
  readonly clock: Clock;
  readonly onSettled: (notification: Notification, ending: Ending) => void;
  readonly onAttempt: (record: DeliveryRecord) => void;
}

export interface Channels {
  readonly dispatcher: Dispatcher;
  names(): string[];
  /** Notifications that wait or are under way, of all channels. */
  waiting(): number;
  /** Keeps told what must be told again and again. */
  startRefreshing(watch: AlertWatch): void;
  /** Lets what is under way end, at most for `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

interface Made {
  readonly name: string;
  readonly deliver: Deliver;
  readonly minIntervalMs?: number | undefined;
}

/** Throws a `UserError` that lists what is missing or wrong in the channels' settings. */
export async function createChannels(options: ChannelsOptions): Promise<Channels> {
  const { host, config, registry, clock, onSettled, onAttempt } = options;
  const http: HttpPort = {
    // A turn of its own: a request costs as much as the journal's answer that it waited for, and there may be several channels.
    post: async (url, request) => {
      await host.pause();
      return await host.post(url, request);
    },
    resolve: (hostname) => host.resolve(hostname),
    wallNow: Date.now,
  };
  const problems: string[] = [];
  const manager = alertmanager(config, http);
  const made = [
    await email(options, problems),
    ...attempt(problems, 'alerts.webhook', () => webhook(config, http)),
    ...attempt(problems, 'alerts.slack', () => slack(config, http)),
    ...attempt(problems, 'alerts.pagerduty', () => pagerduty(options, http)),
    manager === undefined ? undefined : { name: 'alertmanager', deliver: manager.deliver },
  ].filter((one) => one !== undefined);
  if (problems.length > 0) {
    throw new UserError('Alert channels are not valid', { exitCode: EXIT.config, problems });
  }
  const instruments = createNotifyInstruments(registry);
  const queues = made.map(
    (one) =>
      new ChannelQueue({
        ...one,
        clock,
        wallNow: Date.now,
        random: Math.random,
        onSettled,
        onAttempt,
        instruments,
      }),
  );
  const dispatcher = new Dispatcher({ channels: queues, onSettled, instruments });
  let stopRefreshing = (): void => {};
  return {
    dispatcher,
    names: () => dispatcher.names(),
    waiting: () => queues.reduce((sum, queue) => sum + queue.size, 0),
    startRefreshing(watch) {
      if (manager !== undefined) {
        stopRefreshing = manager.refresh(clock, () => watch.engine.standing('alertmanager'));
      }
    },
    async stop(graceMs) {
      stopRefreshing();
      await dispatcher.stop(graceMs);
    },
  };
}

function attempt(problems: string[], place: string, make: () => Made | undefined): (Made | undefined)[] {
  try {
    return [make()];
  } catch (error) {
    problems.push(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

async function email({ host, config }: ChannelsOptions, problems: string[]): Promise<Made | undefined> {
  const { to, from, host: server, port, security, caFile, user, password } = config.alerts.email;
  if (to.length === 0 && from === undefined && server === undefined) return undefined;
  const missing = [
    ...(to.length === 0 ? ['to'] : []),
    ...(from === undefined ? ['from'] : []),
    ...(server === undefined ? ['host'] : []),
  ];
  for (const key of missing) problems.push(`alerts.email.${key}: is missing; email needs to, from and host`);
  if (from === undefined || server === undefined || missing.length > 0) return undefined;
  let ca: string | undefined;
  if (caFile !== undefined) {
    const bytes = await host.files.read(caFile).catch(() => undefined);
    if (bytes === undefined) problems.push(`alerts.email.ca_file: ${caFile} cannot be read`);
    else ca = new TextDecoder().decode(bytes);
  }
  // Loaded where somebody is written to: most processes never need it.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport(
    smtpOptions({ host: server, port, security, user, password: password?.reveal(), ca }),
  );
  const sender = { sendMail: (message: object) => transport.sendMail(message) };
  return { name: 'email', deliver: emailChannel({ from, to }, sender) };
}

function webhook(config: Config, http: HttpPort): Made | undefined {
  const { allowPrivate, externalUrl, webhook } = config.alerts;
  const url = webhook.url?.reveal();
  if (url === undefined) return undefined;
  const secrets = webhook.signingSecret?.reveal().split(/\s+/) ?? [];
  const headers = authorization(webhook.authorization?.reveal());
  return { name: 'webhook', deliver: webhookChannel({ url, secrets, headers, externalUrl, allowPrivate }, http) };
}

function slack(config: Config, http: HttpPort): Made | undefined {
  const url = config.alerts.slack.url?.reveal();
  if (url === undefined) return undefined;
  const { allowPrivate } = config.alerts;
  return { name: 'slack', deliver: slackChannel({ url, allowPrivate }, http), minIntervalMs: SLACK_INTERVAL_MS };
}

function pagerduty({ config, agentName }: ChannelsOptions, http: HttpPort): Made | undefined {
  const { allowPrivate, externalUrl: clientUrl, pagerduty } = config.alerts;
  const routingKey = pagerduty.routingKey?.reveal();
  if (routingKey === undefined) return undefined;
  const { source = agentName, url } = pagerduty;
  return { name: 'pagerduty', deliver: pagerdutyChannel({ routingKey, source, url, clientUrl, allowPrivate }, http) };
}

function alertmanager(config: Config, http: HttpPort): Alertmanager | undefined {
  const { url, authorization: secret } = config.alerts.alertmanager;
  if (url === undefined) return undefined;
  const headers = authorization(secret?.reveal());
  return createAlertmanager({ url, headers, allowPrivate: config.alerts.allowPrivate }, http);
}

function authorization(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { authorization: value };
}
