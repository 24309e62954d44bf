// Asks the application whether it wants a job, and takes every kind of silence for a no.
import type { Clock } from './clock.ts';
import type { JobDescription, OfferHandler } from './job.ts';
import type { Acceptance } from './wire.ts';

export type Judgement =
  | { readonly accept: true; readonly participant: Acceptance }
  | {
      readonly accept: false;
      readonly reason: 'declined' | 'handler-failed' | 'handler-timeout' | 'invalid-answer' | 'withdrawn';
      readonly done: boolean;
      readonly error?: unknown;
    };

/** What the server takes at most for each. */
const MAX_IDENTITY_CHARS = 256;
const MAX_METADATA_CHARS = 64_000;
const MAX_ATTRIBUTES = 100;

/** Calls `tell` exactly once: at once where the handler answers at once, at the limit at the latest. */
export function askHandler(
  handler: OfferHandler | undefined,
  offer: JobDescription,
  { clock, limitMs, withdrawn }: { clock: Clock; limitMs: number; withdrawn: AbortSignal },
  tell: (judgement: Judgement) => void,
): void {
  if (handler === undefined) return tell(judge(offer, { accept: true }));
  const controller = new AbortController();
  let isTold = false;
  const finish = (judgement: Judgement) => {
    if (isTold) return;
    isTold = true;
    cancelLimit();
    withdrawn.removeEventListener('abort', withdraw);
    controller.abort();
    tell(judgement);
  };
  const no = (reason: 'handler-failed' | 'handler-timeout' | 'withdrawn', error?: unknown) =>
    finish({ accept: false, reason, done: false, error });
  const withdraw = () => no('withdrawn');
  const cancelLimit = clock.setTimer(() => no('handler-timeout'), limitMs);
  withdrawn.addEventListener('abort', withdraw, { once: true });
  try {
    const answer = handler(offer, controller.signal);
    if (answer instanceof Promise) {
      answer.then(
        (late) => finish(judge(offer, late)),
        (error) => no('handler-failed', error),
      );
    } else finish(judge(offer, answer));
  } catch (error) {
    no('handler-failed', error);
  }
}

function judge(offer: JobDescription, answer: unknown): Judgement {
  const invalid: Judgement = { accept: false, reason: 'invalid-answer', done: false };
  if (typeof answer !== 'object' || answer === null || !('accept' in answer)) return invalid;
  const given: Record<string, unknown> = { ...answer };
  if (given.accept === false) return { accept: false, reason: 'declined', done: given.done === true };
  if (given.accept !== true) return invalid;
  const { identity = `agent-${offer.id}`, name = '', metadata = '', attributes = {} } = given;
  if (!isText(identity, MAX_IDENTITY_CHARS) || identity === '') return invalid;
  if (!isText(name, MAX_IDENTITY_CHARS) || !isText(metadata, MAX_METADATA_CHARS)) return invalid;
  if (typeof attributes !== 'object' || attributes === null) return invalid;
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES || !entries.every(([, value]) => isText(value, MAX_METADATA_CHARS))) {
    return invalid;
  }
  return {
    accept: true,
    participant: {
      identity,
      name,
      metadata,
      // LiveKit's clients look for this one; the server adds `lk.agent_name` by itself.
      attributes: { ...(attributes as Record<string, string>), 'lk.agent.name': offer.agentName },
    },
  };
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length <= maxChars;
}
