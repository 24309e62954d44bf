// Puts the history to work: the registry is read once a second, minutes go to the data directory, routes answer.
import type { Config } from '../../config/schema.ts';
import { nearest } from '../../config/nearest.ts';
import type { Host } from '../../hosts/port.ts';
import { createReader, type Registry } from '../../metrics/index.ts';
import { createHistoryInstruments, DEFAULT_HISTORY_LIMITS, History, sourceOf } from '../../ops/history/index.ts';
import type { Logger } from '../../ops/logs.ts';
import type { RouteExtension } from '../../server/options.ts';
import { historyRoutes } from '../../server/routes/history.ts';

export interface HistoryWiring {
  readonly host: Pick<Host, 'openDataFolder' | 'compression' | 'pause'>;
  readonly config: Config;
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: { now(): number; setTimer(run: () => void, delayMs: number): () => void };
  /** Until it resolves only memory is used: who else may refuse the data directory is asked first. */
  readonly ready?: Promise<unknown> | undefined;
  /** Whose history it is, in reports. */
  readonly origin?: string | undefined;
}

export interface RunningHistory {
  readonly routes: RouteExtension;
  /** Writes the open minute and lets the folder go. */
  stop(): Promise<void>;
}

const SAMPLE_MS = 1000;

/** Null where nothing is collected; then no timer runs. */
export function startHistory(wiring: HistoryWiring): RunningHistory | null {
  const { host, config, registry, log, clock, ready = Promise.resolve(), origin = config.agent.name } = wiring;
  const { enabled, dataDirectory, retentionHours, aggregatedRetentionDays } = config.telemetry;
  if (!enabled) return null;
  const instruments = createHistoryInstruments(registry);
  const pacing = { now: clock.now, pause: host.pause };
  const history = new History({
    openFolder: dataDirectory === undefined ? undefined : () => host.openDataFolder(`${dataDirectory}/history`),
    compression: host.compression,
    ...pacing,
    epochMs: Date.now,
    retentionHours,
    aggregatedRetentionDays,
    instruments,
    tell: (level, message, fields) => log[level](message, fields),
  });
  const read = createReader(registry, DEFAULT_HISTORY_LIMITS.maxSeries, instruments.seriesDropped);
  void ready.then(() => history.start());
  let dueMs = clock.now();
  let cancel = () => {};
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      log.error('history has no sample', { error });
    }
  };
  let keep = () => {};
  const sample = () => {
    // Numbers of one moment; they are kept in a turn of their own, and before the next ones, which are written over them.
    keep();
    attempt(() => {
      const [nowMs, epochMs, readings] = [clock.now(), Date.now(), read()];
      keep = () => {
        keep = () => {};
        attempt(() => history.sample(readings, nowMs, epochMs));
      };
    });
    void host.pause().then(() => keep());
    dueMs += SAMPLE_MS;
    // After a hold-up the rhythm starts anew: what was missed is a gap.
    if (clock.now() > dueMs) dueMs = clock.now() + SAMPLE_MS;
    cancel = clock.setTimer(sample, dueMs - clock.now());
  };
  sample();
  return {
    routes: historyRoutes({ now: Date.now, source: sourceOf(history, pacing), nearest, origin, pacing }),
    async stop() {
      cancel();
      keep();
      await history.stop();
    },
  };
}
