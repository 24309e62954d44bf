// The alerts of several processes: the supervisor judges what all of them measure, so that one cause is told once, and one silence is enough.
import type { LoadedConfig } from '../../config/load.ts';
import type { Host } from '../../hosts/port.ts';
import type { Registry } from '../../metrics/index.ts';
import { AlertRuleError, catalogueOf, RegistryFeed } from '../../ops/alerts/index.ts';
import type { Logger } from '../../ops/logs.ts';
import type { Clock } from '../../runner/clock.ts';
import { type Alerts, prepareAlerts } from '../alerts/alerts.ts';
import type { Measured } from '../alerts/measured.ts';
import { type ProcessReadings, REPORT_PATH } from '../alerts/process-report.ts';
import { MergedReadings } from './readings.ts';
import type { ProcessWatch } from './watch.ts';

export interface ProcessAlertsOptions extends Pick<LoadedConfig, 'config' | 'origins'> {
  readonly host: Host;
  readonly watch: Pick<ProcessWatch, 'ask' | 'reports'>;
  /** Of the supervisor: for the alerts' own instruments. */
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: Clock;
}

/** How often the processes are asked. */
const ASK_MS = 1000;

/** Null where the configuration switches alerts off. They begin when a process answers: only it knows its instruments and the
 *  rules of its user code. `failed` rejects when they cannot. */
export function watchAlertsOfAll(options: ProcessAlertsOptions): (Alerts & { readonly failed: Promise<never> }) | null {
  const { config, watch, registry, log, clock } = options;
  const merged = new MergedReadings();
  const rules = new Map<string, { readonly text: string; readonly rule: unknown }>();
  let agentName = config.agent.name;
  let taker: ((name: string, rule: unknown) => void) | undefined;
  const feed = new RegistryFeed();
  /** Instruments that somebody has asked for; before that, those that the specification's metrics are made of. */
  let names: ReadonlySet<string> = feed.sources(new Set());
  const measured: Measured = {
    metrics: () => catalogueOf(merged.facts()),
    *readings(instruments) {
      names = instruments;
      yield;
      return merged.readings(clock.now());
    },
    takeUserRules(take) {
      for (const [name, { rule }] of rules) take(name, rule);
      taker = take;
      return () => {
        taker = undefined;
      };
    },
  };
  const alerts = prepareAlerts({
    ...options,
    measured,
    get agentName() {
      return agentName;
    },
    registry,
    processNumber: undefined,
  });
  if (alerts === null) return null;
  let state: 'waiting' | 'watching' | 'stopped' = 'waiting';
  let cancel = (): void => {};
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits for nothing but the end hears of it all the same.
  failed.catch(() => {});

  async function ask(number: number): Promise<boolean> {
    const answer = await watch.ask(number, `${REPORT_PATH}?names=${encodeURIComponent([...names].join(','))}`);
    if (answer?.ok !== true) return false;
    const report = (await answer.json().catch(() => undefined)) as ProcessReadings | undefined;
    if (report === undefined) return false;
    agentName = report.agent;
    merged.take(number, report, clock.now());
    for (const [name, rule] of report.rules) takeRule(name, rule);
    return true;
  }

  /** All processes run the same user code: what one sets, the others set too. */
  function takeRule(name: string, rule: unknown): void {
    const text = JSON.stringify(rule);
    if (rules.get(name)?.text === text) return;
    rules.set(name, { text, rule });
    try {
      taker?.(name, rule);
    } catch (error) {
      if (!(error instanceof AlertRuleError)) throw error;
      log.error('alert rule is refused', { rule: name, problems: error.problems });
    }
  }

  async function turn(): Promise<void> {
    const numbers = watch.reports().flatMap(({ number, state: process }) => (process === 'running' ? [number] : []));
    const answers = await Promise.all(numbers.map(ask));
    if (state === 'waiting' && answers.includes(true)) {
      state = 'watching';
      await alerts?.start();
    }
  }

  function plan(): void {
    cancel = clock.setTimer(() => {
      void turn()
        .catch(fail)
        .finally(() => {
          if (state !== 'stopped') plan();
        });
    }, ASK_MS);
  }

  return {
    failed,
    routes: alerts.routes,
    waiting: () => alerts.waiting(),
    // oxlint-disable-next-line typescript/require-await -- as alerts of one process begin
    async start() {
      plan();
    },
    async stop(graceMs) {
      state = 'stopped';
      cancel();
      await alerts.stop(graceMs);
    },
  };
}
