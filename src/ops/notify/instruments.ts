// What the channels say about themselves.
import type { Registry } from '../../metrics/index.ts';
import type { Ending, Outcome } from './delivery.ts';

export interface NotifyInstruments {
  /** A channel's series begin at zero: its first notification is a rise that a query of rates sees. */
  opened(channel: string): void;
  attempted(channel: string, outcome: Outcome['kind'], latencyMs: number): void;
  dropped(channel: string, ending: Ending): void;
  queued(channel: string, size: number): void;
}

export function createNotifyInstruments(registry: Registry): NotifyInstruments {
  const attempts = registry.counter({
    name: 'syrinx.notify.attempts',
    help: 'Attempts to deliver notifications, by channel and outcome.',
    labels: ['channel', 'outcome'],
  });
  const dropped = registry.counter({
    name: 'syrinx.notify.dropped',
    help: 'Notifications that nobody will get by this channel, by cause.',
    labels: ['channel', 'cause'],
  });
  const queued = registry.gauge({
    name: 'syrinx.notify.queued',
    help: 'Notifications that wait or are under way.',
    labels: ['channel'],
  });
  const duration = registry.histogram({
    name: 'syrinx.notify.duration',
    unit: 's',
    help: 'Time of one attempt to deliver a notification.',
    labels: ['channel'],
  });
  return {
    opened(channel) {
      attempts.labels({ channel, outcome: 'delivered' });
      duration.labels({ channel });
      queued.labels({ channel }).set(0);
    },
    attempted(channel, outcome, latencyMs) {
      attempts.labels({ channel, outcome }).add(1);
      duration.labels({ channel }).record(latencyMs / 1000);
      if (outcome === 'rejected') dropped.labels({ channel, cause: outcome }).add(1);
    },
    dropped: (channel, cause) => dropped.labels({ channel, cause }).add(1),
    queued: (channel, size) => queued.labels({ channel }).set(size),
  };
}
