// What LiveKit and its clients ask over HTTP: tokens for callers, and webhooks. The work is done by what is handed in.
import type { Hono } from 'hono';
import { failure } from '../answers.ts';

/** What a client asks for, in the words of LiveKit's own token endpoints. */
export interface TokenRequest {
  readonly room: string;
  readonly identity: string;
  readonly name: string | undefined;
  readonly metadata: string | undefined;
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

export interface LiveKitTokenOptions {
  /** Epoch time, ms. */
  now(): number;
  /** Address of the rooms. */
  readonly roomsUrl: string;
  /** Mints a token; a `RangeError` says what is wrong with the request. */
  mint(request: TokenRequest): Promise<string>;
  /** Text for names that the client leaves open; must not repeat. */
  newName(): string;
}

export interface LiveKitWebhookOptions {
  /** Takes the raw body and the header; answers with a status and a reason. */
  receive(body: string, authorization: string | null): Promise<{ readonly status: number; readonly reason: string }>;
  /** Longest body in bytes that is read at all. */
  readonly maxBodyBytes: number;
  /** Epoch time, ms. */
  now(): number;
}

export const TOKEN_PATH = '/livekit/token';
export const WEBHOOK_PATH = '/livekit/webhook';

/** `POST /livekit/token`, for LiveKit's client SDKs. To be added behind the door that checks the operator's token. */
export function addLiveKitToken(app: Hono, options: LiveKitTokenOptions): void {
  app.post(TOKEN_PATH, async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined);
    const wanted = readTokenRequest(body, options.newName);
    if (typeof wanted === 'string') return failure(options, 400, 'invalid_request', wanted);
    try {
      const token = await options.mint(wanted);
      return c.json({ server_url: options.roomsUrl, participant_token: token, room_name: wanted.room }, 201);
    } catch (error) {
      if (error instanceof RangeError) return failure(options, 400, 'invalid_request', error.message);
      throw error;
    }
  });
}

/** `POST /livekit/webhook`. Carries its own signature: to be added before that door, and before anything that reads bodies. */
export function addLiveKitWebhook(app: Hono, options: LiveKitWebhookOptions): void {
  app.post(WEBHOOK_PATH, async (c) => {
    const body = await readAtMost(c.req.raw, options.maxBodyBytes);
    if (body === null) return failure(options, 413, 'body_too_large', `Send at most ${options.maxBodyBytes} bytes`);
    const { status, reason } = await options.receive(body, c.req.header('authorization') ?? null);
    if (status === 200) return c.json({ status: 'ok' });
    return failure(options, status, 'webhook_refused', reason);
  });
}

/** Text of the body as it came; null when it is longer. Never holds more than the limit and one piece. */
async function readAtMost(request: Request, maxBytes: number): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return null;
  if (request.body === null) return '';
  const decoder = new TextDecoder();
  const reader = request.body.getReader();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The request, or what is wrong with it. */
function readTokenRequest(body: unknown, newName: () => string): TokenRequest | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'Send a JSON object';
  const fields = body as Record<string, unknown>;
  const text = (key: string) => fields[key] ?? undefined;
  const names = ['room_name', 'participant_identity', 'participant_name', 'participant_metadata'] as const;
  const wrong = names.find((key) => text(key) !== undefined && typeof text(key) !== 'string');
  if (wrong !== undefined) return `"${wrong}" must be a text`;
  const attributes = fields.participant_attributes ?? undefined;
  if (attributes !== undefined && !isTexts(attributes)) return '"participant_attributes" must be an object of texts';
  const [room, identity, name, metadata] = names.map((key) => text(key) as string | undefined);
  return {
    room: room ?? `call-${newName()}`,
    identity: identity ?? `caller-${newName()}`,
    name,
    metadata,
    attributes: attributes as Record<string, string> | undefined,
  };
}

function isTexts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((one) => typeof one === 'string');
}
