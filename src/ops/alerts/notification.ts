// What a channel is given to deliver.
import type { Labels } from './labels.ts';

export interface Notice {
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  /** Wall clock, ms since 1970. */
  readonly startsAtMs: number;
  /** Null while it fires. */
  readonly endsAtMs: number | null;
  readonly fingerprint: string;
  /** Null where it is no finite number. */
  readonly value: number | null;
  readonly generatorUrl: string;
}

export type Reason =
  | 'first notification'
  | 'new alerts in group'
  | 'some alerts resolved'
  | 'all alerts resolved'
  | 'repeat interval elapsed'
  | 'test';

/** Plain data. Every attempt to deliver it, also after a restart, carries the same `id`. */
export interface Notification {
  readonly id: string;
  readonly channel: string;
  /** Equal for everything about the same group: what receivers deduplicate by. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly status: 'firing' | 'resolved';
  readonly reason: Reason;
  readonly alerts: readonly Notice[];
  /** How many more there are than are listed. */
  readonly truncatedAlerts: number;
  /** Wall clock when it was decided. */
  readonly atMs: number;
}
