// What goes wrong with the HTTP API of a LiveKit server, in one class with a closed kind.

/** What kind of failure it was; a closed list. */
export type LiveKitErrorKind =
  /** The key or the secret is refused, or has not the right. */
  | 'auth'
  /** No answer, or not in time. */
  | 'connection'
  | 'not-found'
  /** The server does not take what was asked. */
  | 'invalid'
  /** The telephone call failed at the far end (then with `sipStatus`), or there is no SIP service. */
  | 'sip'
  | 'server';

/** Thrown by everything that asks a LiveKit server. No message repeats a token. */
export class LiveKitApiError extends Error {
  override readonly name = 'LiveKitApiError';
  readonly kind: LiveKitErrorKind;
  /** SIP response code of a failed call, such as 486 (busy). */
  readonly sipStatus: number | undefined;

  constructor(
    kind: LiveKitErrorKind,
    message: string,
    options: { cause?: unknown; sipStatus?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.sipStatus = options.sipStatus;
  }
}

const MAX_MESSAGE_CHARS = 300;
/** The server repeats a token that it refuses. */
const TOKENS = /\bey[\w-]+\.[\w-]+\.[\w-]+/g;
/** What it answers for a room that nobody knows: it asks its nodes, and none of them has it. */
const NOBODY_KNOWS = 'no response from servers';
/** How a server says that it can not do telephone at all. */
const NO_REDIS = 'sip not connected';

/** The SDK's errors are told by their fields: its classes exist twice where a bundle and a package meet. */
export function asApiError(error: unknown): LiveKitApiError {
  if (error instanceof LiveKitApiError) return error;
  if (!(error instanceof Error)) return new LiveKitApiError('server', String(error).slice(0, MAX_MESSAGE_CHARS));
  const message = error.message
    .replace(/^twirp error \w+: /, '')
    .replace(TOKENS, '***')
    .replace(/\s+/g, ' ')
    .slice(0, MAX_MESSAGE_CHARS);
  const { status, code, sipStatusCode } = error as { status?: unknown; code?: unknown; sipStatusCode?: unknown };
  if (typeof sipStatusCode === 'number')
    return new LiveKitApiError('sip', message, { cause: error, sipStatus: sipStatusCode });
  if (message === NOBODY_KNOWS) return new LiveKitApiError('not-found', 'room is not known', { cause: error });
  if (typeof status === 'number') return new LiveKitApiError(kindOf(status, code), message, { cause: error });
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return new LiveKitApiError('connection', 'no answer in time', { cause: error });
  }
  // `fetch` of each runtime spells "no connection" in its own way; none of them is an answer of the server.
  const cause = error.cause instanceof Error ? error.cause : error;
  const reason = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return new LiveKitApiError('connection', reason.slice(0, MAX_MESSAGE_CHARS), { cause: error });
}

/** The same for telephone: there the server waits for a SIP service, which is a program of its own. */
export function asSipError(error: unknown): LiveKitApiError {
  const known = asApiError(error);
  const said = error instanceof Error ? error.message : '';
  const missing = said.endsWith(NOBODY_KNOWS)
    ? 'no SIP service answers: run livekit-sip with the same Redis as the LiveKit server'
    : said.includes(NO_REDIS)
      ? 'the LiveKit server has no Redis, and telephone needs one: set `redis` in its configuration and run livekit-sip'
      : undefined;
  return missing === undefined ? known : new LiveKitApiError('sip', missing, { cause: error });
}

function kindOf(status: number, code: unknown): LiveKitErrorKind {
  if (status === 401 || status === 403 || code === 'unauthenticated' || code === 'permission_denied') return 'auth';
  if (code === 'not_found') return 'not-found';
  // A 404 without a code is another server, or another path.
  if (status === 404) return 'connection';
  if (status >= 400 && status < 500) return 'invalid';
  return code === 'unavailable' || code === 'deadline_exceeded' ? 'connection' : 'server';
}
