// The messages of a WebSocket call, as docs/websocket.md describes them.
import * as v from 'valibot';
import type { CallNotice, TransportRateHz } from '../port.ts';

export const PROTOCOL_VERSION = 1;
export const DEFAULT_RATE_HZ = 16_000;
export const DEFAULT_LEAD_MS = 200;

/** Close codes: the standard's where one fits, else of the private range. */
export const CLOSE = {
  normal: 1000,
  serverStopping: 1001,
  /** Binary frames that are no whole samples, too often. */
  badFrames: 1003,
  /** JSON that is none or not of this protocol, too often. */
  badMessages: 1007,
  /** A flood, or a hello that cannot be met. */
  policy: 1008,
  tooLarge: 1009,
  /** Used by the server when a call failed inside. */
  internalError: 1011,
  /** The client reads too slowly, or there is no room. */
  tryLater: 1013,
  takenOver: 4001,
  unknownCall: 4004,
  idle: 4008,
} as const;

/** Reason of calls that end because the server does. */
export const SERVER_STOPPING = 'server is stopping';

const rate = v.picklist([8000, 16_000, 24_000, 48_000], 'a rate is 8000, 16000, 24000 or 48000');
const position = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const token = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

const helloSchema = v.object({
  type: v.literal('hello'),
  version: v.optional(v.literal(PROTOCOL_VERSION, `version is ${PROTOCOL_VERSION}`), PROTOCOL_VERSION),
  inputRateHz: v.optional(rate, DEFAULT_RATE_HZ),
  outputRateHz: v.optional(rate, DEFAULT_RATE_HZ),
  leadMs: v.optional(
    v.pipe(v.number(), v.minValue(20, 'leadMs is 20 to 2000'), v.maxValue(2000, 'leadMs is 20 to 2000')),
    DEFAULT_LEAD_MS,
  ),
  reportsPlayed: v.optional(v.boolean(), false),
  resume: v.optional(token),
});
const messageSchema = v.variant('type', [
  helloSchema,
  v.object({ type: v.literal('played'), position }),
  v.object({ type: v.literal('text'), text: v.pipe(v.string(), v.minLength(1), v.maxLength(4000)) }),
  v.object({
    type: v.literal('dtmf'),
    digit: v.pipe(v.string(), v.regex(/^[0-9*#A-D]$/, 'digit is one of 0-9 * # A-D')),
  }),
  v.object({ type: v.literal('ping'), id: v.optional(v.union([v.pipe(v.string(), v.maxLength(64)), v.number()])) }),
  v.object({ type: v.literal('bye'), reason: v.optional(v.pipe(v.string(), v.maxLength(100))) }),
]);
const KNOWN = new Set(['hello', 'played', 'text', 'dtmf', 'ping', 'bye']);

export type ClientMessage = v.InferOutput<typeof messageSchema>;
export type Hello = v.InferOutput<typeof helloSchema>;
export type ServerMessage =
  | {
      readonly type: 'ready';
      readonly version: number;
      readonly session: string;
      readonly resume: string;
      readonly resumed: boolean;
      readonly resumeGraceMs: number;
      readonly inputRateHz: TransportRateHz;
      readonly outputRateHz: TransportRateHz;
      readonly leadMs: number;
      readonly inputPosition: number;
      readonly outputPosition: number;
    }
  | { readonly type: 'clear'; readonly position: number }
  | { readonly type: 'position'; readonly position: number }
  | { readonly type: 'pong'; readonly id?: string | number | undefined }
  | { readonly type: 'bye'; readonly reason: string }
  | CallNotice;

export type Parsed =
  | { readonly kind: 'message'; readonly message: ClientMessage }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly why: string };

/** Reads a client's JSON. Types of messages that this version does not know are no mistake. */
export function parseMessage(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'malformed', why: 'The message is not JSON' };
  }
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== 'string') return { kind: 'malformed', why: 'The message is no object with a "type"' };
  if (!KNOWN.has(type)) return { kind: 'unknown' };
  return checked(v.safeParse(messageSchema, value));
}

/** A hello that is written into the address (`?rate=16000`), or null when the address says nothing. */
export function helloOfUrl(url: URL): Parsed | null {
  const query = url.searchParams;
  const names = ['rate', 'inputRateHz', 'outputRateHz', 'leadMs', 'reportsPlayed', 'resume'];
  if (!names.some((name) => query.has(name))) return null;
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
  const reportsPlayed = query.get('reportsPlayed');
  const hello = {
    type: 'hello',
    inputRateHz: number('inputRateHz') ?? number('rate'),
    outputRateHz: number('outputRateHz') ?? number('rate'),
    leadMs: number('leadMs'),
    reportsPlayed: reportsPlayed === null ? undefined : reportsPlayed === 'true' || reportsPlayed === '1',
    resume: query.get('resume') ?? undefined,
  };
  return checked(v.safeParse(messageSchema, hello));
}

function checked(result: v.SafeParseResult<typeof messageSchema>): Parsed {
  if (result.success) return { kind: 'message', message: result.output };
  const issue = result.issues[0];
  const path = v.getDotPath(issue);
  // What the client sent is not repeated: it may be what a person said.
  const why = issue.received.length > 40 ? 'The value does not fit' : issue.message;
  return { kind: 'malformed', why: path ? `${path}: ${why}` : why };
}
