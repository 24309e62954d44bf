// Gives each notification to its channel. Nothing waits here: what a channel does is its own affair.
import type { Notification } from '../alerts/notification.ts';
import type { ChannelQueue } from './channel-queue.ts';
import type { DeliveryRecord, Ending } from './delivery.ts';
import type { NotifyInstruments } from './instruments.ts';

export interface DispatcherOptions {
  readonly channels: readonly ChannelQueue[];
  /** Called for notifications to channels that are not there (any more); the channels report their own. */
  readonly onSettled?: ((notification: Notification, ending: Ending) => void) | undefined;
  readonly instruments?: NotifyInstruments | undefined;
}

export class Dispatcher {
  readonly #channels: ReadonlyMap<string, ChannelQueue>;
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#channels = new Map(options.channels.map((channel) => [channel.name, channel]));
  }

  names(): string[] {
    return [...this.#channels.keys()];
  }

  send(notifications: readonly Notification[]): void {
    for (const notification of notifications) {
      const channel = this.#channels.get(notification.channel);
      if (channel !== undefined) channel.push(notification);
      else {
        this.#options.instruments?.dropped(notification.channel, 'unknown channel');
        this.#options.onSettled?.(notification, 'unknown channel');
      }
    }
  }

  /** The last attempts of all channels, oldest first. */
  log(): DeliveryRecord[] {
    return [...this.#channels.values()].flatMap((channel) => channel.log()).sort((a, b) => a.atMs - b.atMs);
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel.stop(graceMs)));
  }
}
