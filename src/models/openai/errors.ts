// Translates whatever the openai client throws into the one error of the model port.
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai/error';
import { ModelError, type ModelErrorKind } from '../port.ts';

/** Longest piece of a provider's own message that is kept. */
const MAX_MESSAGE_CHARS = 300;

/** What the translation must know besides the error. */
export interface FailureContext {
  /** Who failed, e.g. `openai.stt`. */
  readonly source: string;
  /** The caller's own signal: when it is aborted, nothing else matters. */
  readonly signal: AbortSignal;
  /** Set when our own time limit ended the request. */
  readonly timedOutAfterMs: number | undefined;
  /** Never shown, even where a provider repeats it. */
  readonly apiKey: string;
  readonly nowMs?: number | undefined;
}

/** One `ModelError` for anything thrown during a request. A `ModelError` passes through. */
export function toModelError(error: unknown, context: FailureContext): ModelError {
  const { source, signal } = context;
  if (signal.aborted) return abortedError(source);
  if (context.timedOutAfterMs !== undefined) {
    return new ModelError('timeout', source, `No answer within ${context.timedOutAfterMs} ms`);
  }
  if (error instanceof ModelError) return error;
  if (error instanceof APIConnectionTimeoutError) return new ModelError('timeout', source, 'The connection timed out');
  if (error instanceof APIUserAbortError) return abortedError(source);
  if (error instanceof APIConnectionError) {
    return new ModelError('unavailable', source, 'No connection to the provider', { cause: error.cause ?? error });
  }
  if (error instanceof APIError) return fromStatus(error, context);
  // Anything else was thrown while a body was read: a torn connection or bytes that are no JSON. The client's
  // SyntaxErrors of V8 quote the body, which may hold words of a person, so only the name is kept.
  const name = error instanceof Error ? error.name : typeof error;
  return new ModelError('protocol', source, `The answer broke off or can not be read: ${name}`);
}

export function abortedError(source: string): ModelError {
  return new ModelError('aborted', source, 'The request was aborted');
}

function fromStatus(error: APIError, context: FailureContext): ModelError {
  const status = error.status as number | undefined;
  const code = typeof error.code === 'string' ? error.code : undefined;
  const type = typeof error.type === 'string' ? error.type : undefined;
  const kind = status === undefined ? kindOfCode(code, type) : kindOfStatus(status, code, type);
  const facts = [status === undefined ? undefined : `HTTP ${status}`, code, type, param(error)].filter(Boolean);
  // A refused request may be quoted in its refusal; the other messages are about keys, limits and servers.
  const detail = kind === 'invalid-request' && status !== 404 ? undefined : providerMessage(error, context.apiKey);
  return new ModelError(kind, context.source, `${facts.join(', ') || 'Error event'}${detail ? `: ${detail}` : ''}`, {
    retryAfterMs: retryAfterMs(error.headers, context.nowMs ?? Date.now()),
  });
}

/** The kind of an HTTP status; `code` and `type` are those of OpenAI's error body. */
export function kindOfStatus(status: number, code?: string | undefined, type?: string | undefined): ModelErrorKind {
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'quota';
  if (status === 429) return code === 'insufficient_quota' || type === 'insufficient_quota' ? 'quota' : 'rate-limit';
  if (status === 408) return 'timeout';
  if (status === 409 || status >= 500) return 'unavailable';
  if (status >= 400) return 'invalid-request';
  return 'protocol';
}

/** Errors inside a stream carry no status. */
function kindOfCode(code: string | undefined, type: string | undefined): ModelErrorKind {
  const either = (value: string): boolean => code === value || type === value;
  if (either('insufficient_quota')) return 'quota';
  if (either('rate_limit_exceeded') || either('rate_limit_error')) return 'rate-limit';
  if (either('invalid_api_key') || either('authentication_error')) return 'auth';
  if (either('invalid_request_error')) return 'invalid-request';
  return 'unavailable';
}

/** `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; undefined when absent or unreadable. */
export function retryAfterMs(headers: Headers | undefined, nowMs: number): number | undefined {
  const exact = numberOf(headers?.get('retry-after-ms'));
  if (exact !== undefined) return exact;
  const text = headers?.get('retry-after');
  const seconds = numberOf(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function numberOf(text: string | null | undefined): number | undefined {
  if (!text?.trim()) return undefined;
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function param(error: APIError): string | undefined {
  return typeof error.param === 'string' ? `parameter '${error.param.slice(0, 80)}'` : undefined;
}

function providerMessage(error: APIError, apiKey: string): string | undefined {
  const message = (error.error as { message?: unknown } | undefined)?.message;
  if (typeof message !== 'string' || message === '') return undefined;
  const hidden = apiKey.length >= 4 ? message.replaceAll(apiKey, '***') : message;
  return hidden.replace(/\bsk-[\w*-]+/g, 'sk-***').slice(0, MAX_MESSAGE_CHARS);
}
