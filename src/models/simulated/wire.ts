// OpenAI's wire as the simulated server writes it: errors, JSON, streams.
import { hostClock } from './clock.ts';

/** A refusal with OpenAI's error body. */
export class WireError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: {
      type?: string | undefined;
      code?: string | undefined;
      param?: string | undefined;
      headers?: Readonly<Record<string, string>> | undefined;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.type = options.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
    this.code = options.code ?? null;
    this.param = options.param ?? null;
    this.headers = options.headers ?? {};
  }

  toResponse(): Response {
    const { message, type, param, code } = this;
    return Response.json({ error: { message, type, param, code } }, { status: this.status, headers: this.headers });
  }
}

export function missing(param: string): WireError {
  return new WireError(400, `Missing required parameter: '${param}'.`, { code: 'missing_required_parameter', param });
}

export function invalid(param: string, wanted: string): WireError {
  return new WireError(400, `Invalid value for '${param}': expected ${wanted}.`, { code: 'invalid_value', param });
}

/** Ends a stream as a broken connection does. */
class TornConnection extends Error {
  override readonly name = 'TornConnection';
  constructor() {
    super('The simulated connection was closed in the middle of the answer');
    // Servers print what breaks a body; this one was ordered and is nobody's defect.
    this.stack = String(this);
  }
}

/** The time, of the host and no other, in which what was sent before a break really leaves: servers hold back the first bytes for a moment. */
const LEAVE_MS = 5;

/** Tears the connection after what was sent so far has left. */
export async function tear(gone: AbortSignal): Promise<never> {
  await hostClock.sleep(LEAVE_MS, gone);
  throw new TornConnection();
}

/** A streamed answer. `write` is run once and ends the body by returning; `gone` aborts when the client has left. */
export function streamed(
  type: string,
  clientSignal: AbortSignal,
  write: (send: (bytes: Uint8Array) => void, gone: AbortSignal) => Promise<void>,
): Response {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  clientSignal.addEventListener('abort', leave, { once: true });
  if (clientSignal.aborted) leave();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (bytes: Uint8Array): void => {
        if (!gone.signal.aborted) controller.enqueue(bytes);
      };
      const run = async (): Promise<void> => {
        try {
          await write(send, gone.signal);
          controller.close();
        } catch (error) {
          controller.error(error);
        } finally {
          clientSignal.removeEventListener('abort', leave);
        }
      };
      // A body that the client has cancelled refuses `close` and `error`; there is nobody left to tell.
      run().catch(() => {});
    },
    cancel: leave,
  });
  return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-cache' } });
}

const encoder = new TextEncoder();
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);
export const sse = (value: unknown): Uint8Array =>
  utf8(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
