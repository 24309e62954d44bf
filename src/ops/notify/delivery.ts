// What a channel does with one notification, and what can come of it.
import type { Notification } from '../alerts/notification.ts';

export type Outcome =
  | { readonly kind: 'delivered'; readonly status?: number | undefined }
  /** Worth another attempt. */
  | {
      readonly kind: 'retry';
      readonly status?: number | undefined;
      readonly message: string;
      /** Not before, as the receiver said. */
      readonly retryAfterMs?: number | undefined;
      /** The receiver wants nothing at all for now, not only not this one. */
      readonly pause?: boolean | undefined;
    }
  /** No attempt will ever succeed. */
  | { readonly kind: 'rejected'; readonly status?: number | undefined; readonly message: string };

/** One attempt. May throw: that is a `retry`. `signal` is aborted when the attempt has taken too long. */
export type Deliver = (notification: Notification, signal: AbortSignal) => Promise<Outcome>;

/** Time for queues and attempts. Monotonic, so that a clock that is set makes nobody wait. */
export interface Clock {
  now(): number;
  /** Runs `run` once, `delayMs` from now; returns how to prevent it. */
  setTimer(run: () => void, delayMs: number): () => void;
}

/** How a notification ended: with its receiver, refused by it, too old, crowded out, or covered by a newer one. */
export type Ending = 'delivered' | 'rejected' | 'expired' | 'overflow' | 'superseded' | 'unknown channel';

/** One attempt, as people see it. Addresses are left out: they may hold secrets. */
export interface DeliveryRecord {
  readonly id: string;
  readonly channel: string;
  readonly reason: string;
  readonly attempt: number;
  /** Wall clock. */
  readonly atMs: number;
  readonly latencyMs: number;
  readonly outcome: Outcome['kind'] | Exclude<Ending, 'delivered' | 'rejected'>;
  readonly status: number | null;
  readonly message: string | null;
}
