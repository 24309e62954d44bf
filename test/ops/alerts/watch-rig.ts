// The watch with one rule about one gauge, on virtual time, and all that it sends and says.
import { createRegistry } from '../../../src/metrics/index.ts';
import {
  type AlertWatch,
  type AlertWatchOptions,
  createAlertWatch,
  readingsOf,
  registryCatalogue,
  type Notification,
  type WatchNews,
} from '../../../src/ops/alerts/index.ts';
import { VirtualClock } from '../notify/virtual-clock.ts';
import type { MemoryFolder } from './memory-folder.ts';

export const JOURNAL = 'alerts.journal';
export const RULE = {
  metric: 'heat',
  condition: '>',
  threshold: 50,
  duration_seconds: 60,
  notification_channels: ['webhook'],
};
export const WALL_MS = Date.UTC(2026, 0, 1);

export interface Rig {
  readonly clock: VirtualClock;
  readonly watch: AlertWatch;
  readonly sent: Notification[];
  readonly news: WatchNews[];
  readonly problems: () => string[];
  heat(value: number): void;
  /** Moves the wall clock and nothing else. */
  jump(ms: number): void;
}

export async function rig(
  folder: MemoryFolder | undefined,
  rule: object = RULE,
  change: Partial<AlertWatchOptions> = {},
): Promise<Rig> {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const heat = registry.gauge({ name: 'heat', help: 'x' }).labels();
  let jumpedMs = 0;
  const news: WatchNews[] = [];
  const sent: Notification[] = [];
  const watch = await createAlertWatch({
    engine: { channels: () => ['webhook'], metrics: () => registryCatalogue(registry) },
    readings: readingsOf(registry),
    clock,
    wallNow: () => WALL_MS + clock.now() + jumpedMs,
    intervalMs: 5000,
    folder,
    onNews: (one) => news.push(one),
    ...change,
  });
  watch.engine.setAlertRule('hot', rule);
  return {
    clock,
    watch,
    sent,
    news,
    problems: () => news.flatMap((one) => (one.kind === 'journal' ? [one.message] : [])),
    heat: (value) => heat.set(value),
    jump(ms) {
      jumpedMs += ms;
    },
  };
}
export function begin({ watch, sent }: Rig, settle = true): void {
  watch.start((notifications) => {
    sent.push(...notifications);
    if (settle) for (const one of notifications) watch.settled(one, 'delivered');
  });
}
export const told = ({ sent }: Rig): string[] => sent.map(({ status, atMs }) => `${status} ${(atMs - WALL_MS) / 1000}`);
export const states = ({ watch }: Rig): string[] => watch.engine.alerts().map(({ state }) => state);
