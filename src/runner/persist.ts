// Makes one request to a model until it answers: time limits, a second try beside a silent first one, retries, fallbacks.
import { ModelError } from '../models/port.ts';
import type { Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import type { Scope } from './scope.ts';

export interface PersistPolicy {
  /** Attempts in all, hedges not counted. */
  readonly attempts: number;
  /** Limit of one attempt to its first sign of life, in ms. */
  readonly attemptMs: number;
  /** After this long without a sign of life a second request runs beside the first; 0: never. */
  readonly hedgeAfterMs: number;
  /** After this long without a sign of life the caller is told something; 0: never. */
  readonly stalledAfterMs: number;
  /** Limit of everything together, in ms. */
  readonly totalMs: number;
  /** First pause between attempts; doubles each time, up to 10 % jitter (requirements F-29). */
  readonly baseDelayMs: number;
}

export const DEFAULT_PERSIST_POLICY: PersistPolicy = {
  attempts: 3,
  attemptMs: 6000,
  hedgeAfterMs: 1000,
  stalledAfterMs: 1400,
  totalMs: 10_000,
  baseDelayMs: 100,
};

/** One model of an ordered list; the first is asked first. */
export interface Candidate<T> {
  readonly name: string;
  readonly breaker: Breaker;
  /** Resolves at the first sign of life (a whole transcript, the first token, the first audio). */
  readonly ask: (signal: AbortSignal) => Promise<T>;
  /** Gives an answer back that came too late to be wanted. */
  readonly discard?: ((answer: T) => void) | undefined;
}

export interface PersistContext {
  readonly clock: Clock;
  readonly policy: PersistPolicy;
  readonly random: () => number;
  readonly scope: Scope;
  readonly onStalled?: (() => void) | undefined;
  /** An attempt failed; others may follow. */
  readonly onFailure?: ((name: string, error: ModelError) => void) | undefined;
  /** An attempt gave its first sign of life, so long after it was made. */
  readonly onAnswer?: ((name: string, tookMs: number) => void) | undefined;
}

/** Resolves with the first answer and the scope it lives in, which the receiver closes. Rejects with a `ModelError`. */
export async function persist<T>(
  candidates: readonly Candidate<T>[],
  context: PersistContext,
): Promise<{ answer: T; scope: Scope & { close(): void } }> {
  const { clock, policy } = context;
  const untilMs = clock.now() + policy.totalMs;
  const cancelStalled =
    policy.stalledAfterMs > 0 && context.onStalled !== undefined
      ? clock.setTimer(context.onStalled, policy.stalledAfterMs)
      : () => {};
  let last = new ModelError(
    'unavailable',
    candidates[0]?.name ?? 'models',
    'Cannot ask any model: all of them are resting after failures',
  );
  try {
    let at = 0;
    for (let attempt = 0; attempt < policy.attempts && at < candidates.length; ) {
      const candidate = candidates[at] as Candidate<T>;
      // The last one failed in its last moment: a request without time would only count against the model.
      if (clock.now() >= untilMs) break;
      if (!candidate.breaker.allows()) {
        at++;
        continue;
      }
      attempt++;
      const askedMs = clock.now();
      try {
        const found = await race(candidate, context, Math.min(policy.attemptMs, untilMs - clock.now()));
        candidate.breaker.succeeded();
        context.onAnswer?.(candidate.name, clock.now() - askedMs);
        return found;
      } catch (error) {
        last = asModelError(error, candidate.name);
        if (last.kind === 'aborted') {
          candidate.breaker.undecided();
          throw last;
        }
        // A request that is itself wrong says nothing about the model's health.
        if (last.kind === 'invalid-request') candidate.breaker.undecided();
        else candidate.breaker.failed();
        context.onFailure?.(candidate.name, last);
      }
      const another = at + 1 < candidates.length;
      if (another) {
        at++;
        continue;
      }
      if (!last.retryable) break;
      const pauseMs = last.retryAfterMs ?? policy.baseDelayMs * 2 ** (attempt - 1) * (1 + 0.1 * context.random());
      if (clock.now() + pauseMs >= untilMs || attempt >= policy.attempts) break;
      await pause(pauseMs, clock, context.scope.signal, candidate.name);
    }
    throw last;
  } finally {
    cancelStalled();
  }
}

/** A model that throws at once fails like any other. */
async function asked<T>(candidate: Candidate<T>, signal: AbortSignal): Promise<T> {
  return candidate.ask(signal);
}

/** One attempt, and a second beside it when the first stays silent. */
function race<T>(
  candidate: Candidate<T>,
  context: PersistContext,
  limitMs: number,
): Promise<{ answer: T; scope: Scope & { close(): void } }> {
  const { clock, policy } = context;
  return new Promise((resolve, reject) => {
    const scopes: (Scope & { close(): void })[] = [];
    let running = 0;
    let settled = false;
    const timers: (() => void)[] = [];
    const settle = (winner: Scope | null) => {
      settled = true;
      for (const cancel of timers) cancel();
      for (const scope of scopes) if (scope !== winner) scope.close();
      context.scope.signal.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown) => {
      if (settled) return;
      settle(null);
      reject(error);
    };
    const aborted = () => fail(new ModelError('aborted', candidate.name, 'Request was given up'));
    const start = () => {
      const scope = context.scope.child();
      scopes.push(scope);
      running++;
      asked(candidate, scope.signal).then(
        (answer) => {
          if (settled) return candidate.discard?.(answer);
          settle(scope);
          resolve({ answer, scope });
        },
        (error) => {
          running--;
          // A failed attempt waits for the other one, if that still runs.
          if (running === 0) fail(error);
        },
      );
    };
    if (context.scope.signal.aborted) return aborted();
    context.scope.signal.addEventListener('abort', aborted);
    timers.push(
      clock.setTimer(
        () => fail(new ModelError('timeout', candidate.name, `Gave no sign of life within ${Math.round(limitMs)} ms`)),
        limitMs,
      ),
    );
    if (policy.hedgeAfterMs > 0 && policy.hedgeAfterMs < limitMs)
      timers.push(clock.setTimer(() => !settled && start(), policy.hedgeAfterMs));
    start();
  });
}

function pause(ms: number, clock: Clock, signal: AbortSignal, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      signal.removeEventListener('abort', stop);
      resolve();
    };
    const cancel = clock.setTimer(done, ms);
    const stop = () => {
      cancel();
      reject(new ModelError('aborted', name, 'Request was given up'));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

export function asModelError(error: unknown, source: string): ModelError {
  if (error instanceof ModelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ModelError('internal', source, `Failed unexpectedly: ${message}`, { cause: error });
}
