// The last writes of a program that ends.
import type { Logger } from '../ops/logs.ts';
import type { Clock } from '../runner/clock.ts';

/** Notifications under way have 3 s, the last full minute and the last lines of the alerts a few syncs. */
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
  if (await Promise.race([all, late])) {
    log.warn('the disk does not answer: the program ends, and what is not written is lost', { waitedMs: DISK_MS });
  }
  cancel();
}
