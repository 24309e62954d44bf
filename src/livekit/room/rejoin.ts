// Joining again after the SDK has given up: attempts with growing pauses until one stands, time is out, or nobody wants it any more.
import type { LineClock } from './voice-line.ts';

export interface RejoinLimits {
  /** One attempt: a server that takes the connection and says nothing is given up after this. */
  readonly connectMs: number;
  /** All attempts together. */
  readonly rejoinForMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const DEFAULT_REJOIN_LIMITS: RejoinLimits = {
  connectMs: 10_000,
  rejoinForMs: 600_000,
  firstPauseMs: 500,
  longestPauseMs: 5000,
};

export interface RejoinSetup<T> {
  readonly clock: LineClock;
  readonly random: () => number;
  readonly limits: RejoinLimits;
  readonly attempt: () => Promise<T>;
  /** A result that came after its attempt was given up. */
  readonly discard: (late: T) => void;
  readonly failed: (attempt: number, error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Resolves with undefined when time is out or the signal came. */
export async function rejoin<T>(setup: RejoinSetup<T>): Promise<T | undefined> {
  const { clock, limits, signal, random } = setup;
  const endMs = clock.now() + limits.rejoinForMs;
  for (let n = 1; !signal.aborted; n++) {
    try {
      return await within(setup.attempt(), { ...setup, limitMs: limits.connectMs });
    } catch (error) {
      if (signal.aborted) return undefined;
      setup.failed(n, error);
    }
    const pauseMs = Math.min(limits.longestPauseMs, limits.firstPauseMs * 2 ** (n - 1)) * (0.5 + random() / 2);
    if (clock.now() + pauseMs >= endMs) return undefined;
    await rest(clock, pauseMs, signal);
  }
  return undefined;
}

/** Waits for a join at most `limitMs`: it can not be taken back, so what comes later is discarded. */
export function within<T>(
  join: Promise<T>,
  {
    clock,
    limitMs,
    discard,
    signal,
  }: Pick<RejoinSetup<T>, 'clock' | 'discard' | 'signal'> & { readonly limitMs: number },
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOpen = true;
    const giveUp = (message: string) => {
      if (!isOpen) return;
      isOpen = false;
      settle();
      reject(new Error(message));
    };
    const aborted = () => giveUp('No longer wanted');
    const cancel = clock.setTimer(() => giveUp(`No answer within ${limitMs} ms`), limitMs);
    const settle = () => {
      cancel();
      signal.removeEventListener('abort', aborted);
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted);
    join.then(
      (result) => {
        if (!isOpen) return discard(result);
        isOpen = false;
        settle();
        resolve(result);
      },
      (error) => giveUp(error instanceof Error ? error.message : String(error)),
    );
  });
}

function rest(clock: LineClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.setTimer(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
