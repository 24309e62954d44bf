// How long to wait before the next attempt: doubling, capped, and spread so that many processes do not come back at once.

export interface BackoffPolicy {
  readonly firstMs: number;
  readonly capMs: number;
}

export const DELIVERY_BACKOFF: BackoffPolicy = { firstMs: 1000, capMs: 300_000 };

/** `failures` so far, from 1; `random` in [0, 1). Between half of the step and all of it. */
export function backoffMs(failures: number, random: number, { firstMs, capMs }: BackoffPolicy): number {
  const step = Math.min(capMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return step * (0.5 + 0.5 * random);
}

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Seconds or a date; undefined where it says nothing useful. */
export function retryAfterMs(header: string | null, wallMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const dateMs = /^[A-Z][a-z]{2,8}, \d/.test(text) ? Date.parse(text) : Number.NaN;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : dateMs - wallMs;
  return Number.isFinite(waitMs) && waitMs > 0 ? Math.min(waitMs, MAX_RETRY_AFTER_MS) : undefined;
}
