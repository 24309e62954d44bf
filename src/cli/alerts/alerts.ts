// Puts the alerts to work: rules of the program, of the configuration and of user code; channels, journal, and what the routes show.
import type { Config } from '../../config/schema.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { nearest } from '../../config/nearest.ts';
import type { DataFolder, Host } from '../../hosts/port.ts';
import type { Registry } from '../../metrics/index.ts';
import {
  type AlertRule,
  AlertRuleError,
  type AlertWatch,
  createAlertInstruments,
  createAlertWatch,
  type WatchNews,
} from '../../ops/alerts/index.ts';
import type { Logger } from '../../ops/logs.ts';
import type { RouteExtension } from '../../server/options.ts';
import { type AlertsApi, alertRoutes } from '../../server/routes/alerts.ts';
import { type Channels, createChannels } from './channels.ts';
import { type Measured, measuredHere } from './measured.ts';
import { lateFolder } from './late-folder.ts';
import { reportForAlerts } from './process-report.ts';
import { rulesOf } from './rules.ts';
import { readSimulation, simulateInSlices } from './simulation.ts';
import { EXIT } from '../exit-codes.ts';
import { UserError } from '../user-error.ts';

export interface AlertsOptions {
  readonly host: Host;
  readonly config: Config;
  readonly origins: LoadedConfig['origins'];
  /** Where the alerts' own instruments are. */
  readonly registry: Registry;
  /** What there is to judge. Default: what is in the registry, and the rules of user code in this process. */
  readonly measured?: Measured | undefined;
  readonly agentName: string;
  readonly log: Logger;
  readonly clock: { now(): number; setTimer(run: () => void, delayMs: number): () => void };
  /** Of several processes under one supervisor: it watches, and is told what there is to judge. */
  readonly processNumber?: string | undefined;
}

export interface Alerts {
  readonly routes: RouteExtension;
  /** Notifications that wait, of all channels. */
  waiting(): number;
  /** Begins to watch. Throws a `UserError` for rules and channels that are refused, and for a data directory that belongs to
   *  another process. To be called when all instruments are declared. */
  start(): Promise<void>;
  /** Lets what is being delivered end, and keeps the rest for the next process. */
  stop(graceMs: number): Promise<void>;
}

/** Null where the configuration switches alerts off: then nothing of them runs. */
export function prepareAlerts(options: AlertsOptions): Alerts | null {
  const { config, processNumber } = options;
  if (!config.alerts.enabled || !config.telemetry.enabled) return null;
  if (processNumber !== undefined) return reportForAlerts(options);
  let running: Running | undefined;
  return {
    routes: alertRoutes({ now: Date.now, api: () => running?.api }),
    waiting: () => running?.channels.waiting() ?? 0,
    async start() {
      running = await run(options);
    },
    async stop(graceMs) {
      await running?.stop(graceMs);
      running = undefined;
    },
  };
}

interface Running {
  readonly api: AlertsApi;
  readonly channels: Channels;
  stop(graceMs: number): Promise<void>;
}

async function run(options: AlertsOptions): Promise<Running> {
  const { host, config, origins, registry, agentName, log, clock } = options;
  const measured = options.measured ?? measuredHere(registry);
  // The channels report to the watch, which is made after them since rules name channels.
  let watch: AlertWatch | undefined;
  const channels = await createChannels({
    host,
    config,
    registry,
    agentName,
    clock,
    onSettled: (notification, ending) => {
      // A reminder that is covered by a newer notification is no loss.
      if (ending !== 'delivered' && ending !== 'superseded') {
        log.error('nobody is told by this channel', { channel: notification.channel, ending });
      }
      watch?.settled(notification, ending);
    },
    onAttempt: (record) => {
      if (record.outcome !== 'delivered') {
        const { channel, outcome, status, message } = record;
        log.warn('notification not delivered', { channel, outcome, status, reason: message });
      }
      watch?.attempted(record);
    },
  });
  const folder = await openFolder(options);
  try {
    const url = config.alerts.externalUrl?.replace(/\/+$/, '');
    watch = await createAlertWatch({
      engine: {
        metrics: measured.metrics,
        channels: () => channels.names(),
        nearest,
        instruments: createAlertInstruments(registry),
        generatorUrl: (rule) => (url === undefined ? '' : `${url}/api/alerts/rules#${encodeURIComponent(rule)}`),
      },
      readings: measured.readings,
      clock,
      wallNow: Date.now,
      intervalMs: config.alerts.intervalMs,
      folder,
      onNews: (news) => tell(news, log),
    });
    for (const warning of rulesOf({ config, origins }, watch.engine)) log.warn('alert rule is odd', { warning });
    const { engine } = watch;
    const leave = measured.takeUserRules((name, rule) => {
      for (const warning of engine.setAlertRule(name, rule)) log.warn('alert rule is odd', { warning });
    });
    const rules = engine.rules().length;
    const mute = engine.rules().filter((rule) => rule.enabled && rule.channels.length === 0);
    // Who has configured no channel at all knows that nobody is told.
    if (mute.length > 0 && channels.names().length > 0) {
      log.warn('alert rules tell nobody: none of their channels is configured', {
        rules: mute.map(({ name }) => name),
      });
    }
    log.info('alert rules are watched', { rules, channels: channels.names(), persistent: watch.persistent });
    watch.start((notifications) => channels.dispatcher.send(notifications));
    channels.startRefreshing(watch);
    return { api: apiOf(watch, channels, measured, clock), channels, stop: (graceMs) => stop(graceMs, leave) };
  } catch (error) {
    await folder?.release();
    if (!(error instanceof AlertRuleError)) throw error;
    throw new UserError('Alert rules are not valid', { exitCode: EXIT.config, problems: error.problems, cause: error });
  }

  async function stop(graceMs: number, leave: () => void): Promise<void> {
    leave();
    watch?.stop();
    await channels.stop(graceMs);
    await watch?.close();
    await folder?.release();
  }
}

/** Undefined where none is configured. One that cannot be written is said, and tried again for as long as the program runs. */
async function openFolder({ host, config, log }: AlertsOptions): Promise<DataFolder | undefined> {
  const { dataDirectory } = config.telemetry;
  if (dataDirectory === undefined) return undefined;
  const path = `${dataDirectory}/alerts`;
  try {
    return await host.openDataFolder(path);
  } catch (error) {
    if (error instanceof Error && error.name === 'FolderInUseError') {
      throw new UserError('Data directory is in use', {
        exitCode: EXIT.resource,
        problems: [`telemetry.data_directory: ${error.message}; give each process its own`],
        cause: error,
      });
    }
    log.error('alert state is kept in memory alone until the data directory can be written', { path, error });
    return lateFolder({ path, open: () => host.openDataFolder(path), read: () => host.readFolder(path) });
  }
}

function tell(news: WatchNews, log: Logger): void {
  if (news.kind === 'transition') {
    const { rule, labels, from, to, value } = news.transition;
    const line = { rule, labels, from, to, value };
    if (to === 'firing') log.warn('alert fires', line);
    else if (to === 'resolved') log.info('alert is over', line);
    else log.debug('alert changes', line);
  } else if (news.kind === 'problem') {
    const { rule, kind, message } = news.problem;
    log.warn('alert rule has a problem', { rule, kind, reason: message });
  } else if (news.error === undefined) log.warn(news.message);
  else log.error(news.message, { error: news.error });
}

function apiOf(watch: AlertWatch, channels: Channels, measured: Measured, clock: AlertsOptions['clock']): AlertsApi {
  const { engine } = watch;
  const pause = () => new Promise<void>((go) => clock.setTimer(go, 0));
  const changed = <T>(result: T): T => {
    watch.changed();
    return result;
  };
  const ruleOf = (name: string): AlertRule | undefined => engine.rules().find((rule) => rule.name === name);
  return {
    alerts: () => engine.alerts(),
    rules: () => engine.ruleViews(),
    silences: () => engine.silences(),
    deliveries: () => engine.deliveries(),
    persistent: () => watch.persistent,
    channels: () => channels.names(),
    silence: (silence) => changed(engine.silence(silence, watch.hostMs)),
    endSilence: (id) => changed(engine.endSilence(id, watch.hostMs)),
    acknowledge: (print, by) => changed(engine.acknowledge(print, by, watch.hostMs, Date.now())),
    test: (name) =>
      ruleOf(name) === undefined ? undefined : watch.test(name).map(({ id, channel }) => ({ id, channel })),
    simulate: async (request) => {
      const context = { ruleOf, metrics: measured.metrics(), channels: channels.names() };
      return simulateInSlices(readSimulation(request, context), () => clock.now(), pause);
    },
  };
}
