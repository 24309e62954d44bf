// The last writes of a program that ends.
import type { Logger } from '../ops/logs.ts';
import type { Clock } from '../runner/clock.ts';

/** For notifications that are under way when the program ends. */
export const ALERTS_GRACE_MS = 3000;
/** Those, and a few syncs of the last full minute and of the alerts. */
const DISK_MS = 10_000;

/** Waits for what writes to the data directory to end, and no longer than a supervisor waits before it kills. */
export async function lastWrites(
  parts: readonly (Promise<void> | undefined)[],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<boolean>((done) => {
    cancel = clock.setTimer(() => done(true), DISK_MS);
  });
  const all = Promise.all(parts.filter((part) => part !== undefined)).then(() => false);
  try {
    if (await Promise.race([all, late])) {
      log.warn('the disk does not answer: the program ends, and what is not written is lost', { waitedMs: DISK_MS });
    }
  } finally {
    cancel();
  }
}
