// What the monitor tells of itself.
import type { Registry } from '../../metrics/index.ts';
import type { MonitorAlert } from './thresholds.ts';

export interface MonitorInstruments {
  alert(alert: MonitorAlert): void;
  subscriberFailed(): void;
  /** After each turn: time since it was due. */
  turned(tookMs: number): void;
  /** Says how many sessions are watched. */
  watch(sessions: () => number): void;
  /** Readers of `/monitor/stream`: one more or less, and one that was too slow. */
  readers(change: 1 | -1): void;
  readerDropped(): void;
}

export function createMonitorInstruments(registry: Registry): MonitorInstruments {
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    registry.counter({ name: `syrinx.monitor.${name}`, help, labels });
  const gauge = (name: string, help: string) => registry.gauge({ name: `syrinx.monitor.${name}`, help }).labels();
  const raised = counter('alerts', 'Limits of monitors that were exceeded, by metric.', ['metric']);
  const failed = counter('subscribers.failed', 'Subscribers of monitors that threw and are told no more.').labels();
  const dropped = counter('readers.dropped', 'Readers of the stream that were too slow and were cut off.').labels();
  const watched = gauge('sessions', 'Sessions that the monitor watches.');
  const readers = gauge('readers', 'Readers of the monitor as a stream.');
  const turn = registry
    .histogram({
      name: 'syrinx.monitor.turn',
      unit: 's',
      help: 'From the time at which a turn of all monitors was due to its end.',
    })
    .labels();
  readers.set(0);
  return {
    alert({ metric, state }) {
      if (state === 'raised') raised.labels({ metric }).add(1);
    },
    subscriberFailed: () => failed.add(1),
    turned: (tookMs) => turn.record(Math.max(0, tookMs) / 1000),
    watch: (sessions) => watched.observe(sessions),
    readers: (change) => readers.add(change),
    readerDropped: () => dropped.add(1),
  };
}
