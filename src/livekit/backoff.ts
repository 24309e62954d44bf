// How long to wait before the next attempt: doubling, capped, and spread so that a thousand workers do not come back at once.

export interface BackoffPolicy {
  readonly firstMs: number;
  readonly capMs: number;
}

export const DEFAULT_BACKOFF: BackoffPolicy = { firstMs: 500, capMs: 10_000 };

/** `failures` in a row so far (from 0); `random` in [0, 1). The result lies between half of the step and all of it. */
export function backoffMs(failures: number, random: number, policy: BackoffPolicy = DEFAULT_BACKOFF): number {
  const step = Math.min(policy.capMs, policy.firstMs * 2 ** Math.min(failures, 30));
  return step * (0.5 + 0.5 * random);
}
