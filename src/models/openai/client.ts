// One stage's connection to a server that speaks OpenAI's API, and the life of a request on it: time limit, abort, one error class.
import type OpenAI from 'openai';
import { toModelError, abortedError } from './errors.ts';

export const DEFAULT_BASE_URL = 'https://api.openai.com/v1';
/** The client's own limit is switched off by the longest one a timer can hold: ours covers bodies too. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Where a stage's server is and how it is asked. */
export interface OpenAiConnection {
  readonly apiKey: string;
  /** Default: `https://api.openai.com/v1`. */
  readonly baseUrl?: string | undefined;
  /** Longest wait in ms for the first byte of an answer, and then for each next piece of it. */
  readonly timeoutMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  /** Instead of the host's `fetch`: a simulated server in this process, a proxy, a connection pool of its own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Instead of `setTimeout` (tests on virtual time). */
  readonly timer?: Timer | undefined;
  /** Instead of `openai.stt` and so on, where several servers are told apart in logs and metrics. */
  readonly name?: string | undefined;
}

/** Calls `run` once after `delayMs`, unless the returned function is called before. */
export type Timer = (run: () => void, delayMs: number) => () => void;

const hostTimer: Timer = (run, delayMs) => {
  const id = setTimeout(run, delayMs);
  return () => clearTimeout(id);
};

/** A stage's client and what its requests need. */
export interface StageClient {
  readonly name: string;
  /** The client. Its package is loaded at the first use: that takes 30 to 100 ms, which a server's start should not wait for. */
  openai(): Promise<OpenAI>;
  /** Starts the life of one request. Throws `ModelError` when `signal` is already aborted. */
  open(signal: AbortSignal): OpenRequest;
  /** Opens a connection ahead of need by asking for the list of models. Never throws; false when there was no answer. */
  warm(signal: AbortSignal): Promise<boolean>;
}

export interface OpenRequest {
  /** Aborts with the caller's signal, at the time limit, and at `close`. */
  readonly signal: AbortSignal;
  /** Waiting for the provider begins (it does with the request): the time limit runs. */
  waiting(): void;
  /** Something arrived: the limit rests, so that a slow reader is not taken for a dead provider. */
  arrived(): void;
  /** Translates an error of this request. */
  failure(error: unknown): Error;
  /** Throws when the request was aborted or timed out; readers that end quietly on an abort need it. */
  check(): void;
  /** Ends it. `finished` false stops the HTTP request as well. */
  close(finished: boolean): void;
}

export function createStageClient(connection: OpenAiConnection, stage: string, defaultTimeoutMs: number): StageClient {
  const name = connection.name ?? `openai.${stage}`;
  const timer = connection.timer ?? hostTimer;
  const timeoutMs = connection.timeoutMs ?? defaultTimeoutMs;
  if (!(timeoutMs > 0 && timeoutMs <= LONGEST_TIMER_MS)) {
    throw new RangeError(
      `Cannot use a time limit of ${timeoutMs} ms for ${name}: it must be from 1 to ${LONGEST_TIMER_MS}`,
    );
  }
  const baseURL = connection.baseUrl ?? DEFAULT_BASE_URL;
  if (!/^https?:$/.test(URL.parse(baseURL)?.protocol ?? '')) {
    throw new TypeError(`Cannot use the base URL '${baseURL}' for ${name}: it must begin with http:// or https://`);
  }
  if (!connection.apiKey) {
    throw new TypeError(`Cannot use ${name} without an API key: give 'apiKey' (any text where the server wants none)`);
  }
  // Everything the client would read from the environment is given: configuration decides, and Deno asks for nothing.
  const load = async (): Promise<OpenAI> => {
    const { OpenAI } = await import('openai');
    return new OpenAI({
      apiKey: connection.apiKey,
      adminAPIKey: null,
      baseURL,
      organization: connection.organization ?? null,
      project: connection.project ?? null,
      webhookSecret: null,
      maxRetries: 0,
      timeout: LONGEST_TIMER_MS,
      logLevel: 'off',
      ...(connection.headers ? { defaultHeaders: { ...connection.headers } } : {}),
      ...(connection.fetch ? { fetch: connection.fetch } : {}),
    });
  };
  let client: Promise<OpenAI> | undefined;
  const openai = (): Promise<OpenAI> => {
    client ??= load();
    return client;
  };
  const open = (signal: AbortSignal): OpenRequest => openRequest(name, connection.apiKey, signal, timer, timeoutMs);
  return {
    name,
    openai,
    open,
    async warm(signal) {
      if (signal.aborted) return false;
      const request = open(signal);
      try {
        const api = await openai();
        await api.models.list({ signal: request.signal });
        return true;
      } catch {
        return false;
      } finally {
        request.close(true);
      }
    },
  };
}

function openRequest(
  source: string,
  apiKey: string,
  signal: AbortSignal,
  timer: Timer,
  timeoutMs: number,
): OpenRequest {
  if (signal.aborted) throw abortedError(source);
  const controller = new AbortController();
  let timedOutAfterMs: number | undefined;
  let stopTimer: (() => void) | undefined;
  const onAbort = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const failure = (error: unknown): Error => toModelError(error, { source, signal, timedOutAfterMs, apiKey });
  const disarm = (): void => {
    stopTimer?.();
    stopTimer = undefined;
  };
  const arm = (): void => {
    disarm();
    stopTimer = timer(() => {
      timedOutAfterMs = timeoutMs;
      controller.abort();
    }, timeoutMs);
  };
  arm();
  return {
    signal: controller.signal,
    waiting: arm,
    arrived: disarm,
    failure,
    check() {
      if (signal.aborted || timedOutAfterMs !== undefined) throw failure(undefined);
    },
    close(finished) {
      disarm();
      signal.removeEventListener('abort', onAbort);
      if (!finished) controller.abort();
    },
  };
}
