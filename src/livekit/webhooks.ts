// Takes LiveKit's webhooks: signature over the raw body, age, and each event once, with a bounded memory.
import { type WebhookEvent, WebhookReceiver } from 'livekit-server-sdk';
import type { Credentials } from './tokens.ts';

/** What `createWebhookGate` is given: the key that signs, who is told, and how much is remembered. */
export interface WebhookGateOptions extends Credentials {
  /** ms since 1970. */
  readonly now: () => number;
  /** Runs once for each event. A rejection lets LiveKit send it again. */
  readonly handle: (event: WebhookEvent) => void | Promise<void>;
  /** Older (or newer) events are refused. LiveKit repeats what failed for some minutes. Default 10 minutes. */
  readonly maxAgeMs?: number | undefined;
  /** Events that are remembered. Default 10,000. */
  readonly maxIds?: number | undefined;
  /** Longest body that is hashed. Default 256 KiB. */
  readonly maxBodyBytes?: number | undefined;
}

/** What the gate thinks of a request. */
export interface WebhookVerdict {
  /** What to answer with: 200, 400 (no event), 401 (signature), 409 (replay or too old), 413, 500 (the handler failed). */
  readonly status: 200 | 400 | 401 | 409 | 413 | 500;
  readonly reason: string;
}

/** Takes each signed, recent event once. */
export interface WebhookGate {
  /** `body` is the raw text as it came; `authorization` the header as it came. Never rejects. */
  receive(body: string, authorization: string | null): Promise<WebhookVerdict>;
}

const MAX_AGE_MS = 600_000;
const MAX_IDS = 10_000;
const MAX_BODY_BYTES = 256 * 1024;
const MAX_ID_CHARS = 128;

/** A gate with a memory of its own: behind several of them the same event would be taken several times. */
export function createWebhookGate(options: WebhookGateOptions): WebhookGate {
  const receiver = new WebhookReceiver(options.apiKey, options.apiSecret);
  const maxAgeMs = options.maxAgeMs ?? MAX_AGE_MS;
  const maxIds = options.maxIds ?? MAX_IDS;
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  /** Ids with the time at which they happened, in the order in which they came. */
  const seen = new Map<string, number>();
  /** Events up to this time may have been forgotten; they are refused. */
  let forgottenUpToMs = Number.NEGATIVE_INFINITY;

  function remember(id: string, atMs: number, nowMs: number): void {
    seen.set(id, atMs);
    for (const [oldId, oldAtMs] of seen) {
      const isExpired = nowMs - oldAtMs > maxAgeMs;
      if (!isExpired && seen.size <= maxIds) break;
      seen.delete(oldId);
      if (!isExpired) forgottenUpToMs = Math.max(forgottenUpToMs, oldAtMs);
    }
  }

  return {
    async receive(body, authorization) {
      if (body.length > maxBodyBytes || new TextEncoder().encode(body).length > maxBodyBytes) {
        return { status: 413, reason: `body is longer than ${maxBodyBytes} bytes` };
      }
      let event: WebhookEvent;
      try {
        event = await receiver.receive(body, authorization?.replace(/^bearer +/i, ''));
      } catch (error) {
        // What was signed by us and is no event is not a question of trust.
        return error instanceof SyntaxError
          ? { status: 400, reason: 'body is no JSON' }
          : { status: 401, reason: 'signature is missing or wrong' };
      }
      const { id, event: name } = event;
      if (id === '' || id.length > MAX_ID_CHARS || name === '')
        return { status: 400, reason: 'event has no id or name' };
      const nowMs = options.now();
      const atMs = Number(event.createdAt) * 1000;
      if (Math.abs(nowMs - atMs) > maxAgeMs) return { status: 409, reason: 'event is too old' };
      if (seen.has(id)) return { status: 409, reason: 'event came before' };
      if (atMs <= forgottenUpToMs) return { status: 409, reason: 'event is older than what is remembered' };
      remember(id, atMs, nowMs);
      try {
        await options.handle(event);
      } catch {
        seen.delete(id);
        return { status: 500, reason: 'event could not be handled' };
      }
      return { status: 200, reason: 'ok' };
    },
  };
}
