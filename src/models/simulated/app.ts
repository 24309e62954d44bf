// A server that speaks OpenAI's API, as a Hono app: scripted answers, chosen latencies, faults on purpose.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { chat } from './chat.ts';
import { aborted, type Clock, hostClock } from './clock.ts';
import { demoDialogue } from './demo.ts';
import { type Fault, pickFault, type Route } from './faults.ts';
import { drawMs, type Latency, PROFILES } from './latency.ts';
import { parseSimulatedOptions, type SimulatedOptions } from './options.ts';
import { createRandom } from './random.ts';
import { createRecognizer, type KnownRecording, type Recognizer } from './recognizer.ts';
import type { Script } from './script.ts';
import { speech } from './speech.ts';
import { transcribe } from './transcriptions.ts';
import { createVoice, type Voice } from './voice.ts';
import { VOICE_CLIPS } from './voice-clips.generated.ts';
import { WireError } from './wire.ts';

export interface SimulatedServerOptions extends SimulatedOptions {
  readonly clock?: Clock | undefined;
  /** What it can hear, with a script of its own (see `loadRecordings`). Default: the demonstration's recordings. */
  readonly recordings?: readonly KnownRecording[] | undefined;
}
/** What one request did, without a word of what was said. */
export interface SimulatedRequest {
  readonly route: Route;
  /** Counted per route from 1. */
  readonly nth: number;
  readonly fault: Fault['kind'] | null;
  readonly arrivedMs: number;
}
export interface SimulatedOpenAi {
  /** The Hono app, to be mounted or served. Its paths begin with `/v1`. */
  readonly app: Hono;
  /** For the `fetch` option of a client in this process: no socket, same wire. Honours the request's signal. */
  readonly fetch: typeof globalThis.fetch;
  /** The last 1000 requests. */
  readonly requests: readonly SimulatedRequest[];
}
/** What the handlers of one request are given. */
export interface Exchange {
  readonly request: Request;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  readonly nth: number;
  readonly halfClose: boolean;
  readonly clock: Clock;
  readonly arrivedMs: number;
  readonly latency: { readonly firstMs: number; readonly speed: number; tokenMs(): number };
  readonly script: Script;
  recognizer(): Recognizer;
  readonly voice: Voice;
}

export const MODEL_IDS = ['gpt-4o-mini', 'gpt-4o-mini-transcribe', 'gpt-4o-mini-tts'];
/** OpenAI's limit for an upload, and one of ours for JSON. */
const MAX_AUDIO_BYTES = 25 * 1024 * 1024;
const MAX_JSON_BYTES = 4 * 1024 * 1024;
const MAX_REMEMBERED = 1000;

/** Throws `TypeError` for options that are wrong. */
export function createSimulatedOpenAi(options: SimulatedServerOptions = {}): SimulatedOpenAi {
  const { clock = hostClock, recordings, ...rest } = options;
  const { profile, latency: own, faults, seed, script: given } = parseSimulatedOptions(rest);
  const script = given ?? demoDialogue.script;
  const latency: Latency = { ...PROFILES[profile], ...own } as Latency;
  // Its preparation takes tens of milliseconds, which a server's start should not wait for; whoever warms up asks for the models.
  let ear: Recognizer | undefined;
  const recognizer = (): Recognizer => {
    ear ??= createRecognizer(recordings ?? (given ? [] : demoDialogue.recordings()));
    return ear;
  };
  const voice = createVoice(VOICE_CLIPS);
  // Numbers of its own for each route: one route's requests do not change what another's draw.
  const random = { stt: createRandom(seed), llm: createRandom(seed + 1), tts: createRandom(seed + 2) };
  const counts = { stt: 0, llm: 0, tts: 0 };
  const requests: SimulatedRequest[] = [];
  const app = new Hono();

  app.onError((error) => {
    if (error instanceof WireError) return error.toResponse();
    return new WireError(500, `The simulated server failed: ${error.message}`).toResponse();
  });
  app.notFound((c) =>
    new WireError(404, `Unknown request URL: ${c.req.method} ${c.req.path}.`, { code: 'unknown_url' }).toResponse(),
  );
  app.use('*', async (c, next) => {
    if (!/^Bearer \S/i.test(c.req.header('authorization') ?? '')) {
      throw new WireError(
        401,
        "You didn't provide an API key: send it as 'Authorization: Bearer KEY' (any KEY will do here).",
        {
          code: 'invalid_api_key',
        },
      );
    }
    await next();
  });
  const model = (id: string): object => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'syrinx' });
  app.get('/v1/models', (c) => {
    recognizer();
    return c.json({ object: 'list', data: MODEL_IDS.map(model) });
  });
  app.get('/v1/models/:id', (c) => c.json(model(c.req.param('id'))));

  const serve = (
    path: string,
    route: Route,
    maxBytes: number,
    handle: (exchange: Exchange) => Promise<Response>,
  ): void => {
    const onError = (): Response => new WireError(413, `The body is larger than ${maxBytes} bytes.`).toResponse();
    app.post(path, bodyLimit({ maxSize: maxBytes, onError }), async (c) => {
      counts[route] += 1;
      const nth = counts[route];
      const draw = random[route];
      const arrivedMs = clock.now();
      const signal = c.req.raw.signal;
      const fault = pickFault(faults, route, nth, draw);
      requests.push({ route, nth, fault: fault?.kind ?? null, arrivedMs });
      if (requests.length > MAX_REMEMBERED) requests.shift();
      const firstMs = drawMs(latency[`${route}Ms`], draw) + (fault?.kind === 'slow' ? (fault.delayMs ?? 3000) : 0);
      if (fault && fault.kind !== 'slow' && fault.kind !== 'half-close') return misbehave(fault, signal);
      return handle({
        request: c.req.raw,
        signal,
        nth,
        halfClose: fault?.kind === 'half-close',
        clock,
        arrivedMs,
        latency: { firstMs, speed: latency.ttsSpeed, tokenMs: () => drawMs(latency.tokenMs, draw) },
        script,
        recognizer,
        voice,
      });
    });
    app.all(path, (c) => {
      throw new WireError(405, `Not allowed: ${c.req.method} ${path}; use POST.`, { code: 'method_not_allowed' });
    });
  };
  serve('/v1/audio/transcriptions', 'stt', MAX_AUDIO_BYTES, transcribe);
  serve('/v1/chat/completions', 'llm', MAX_JSON_BYTES, chat);
  serve('/v1/audio/speech', 'tts', MAX_JSON_BYTES, speech);
  return { app, fetch: fetchFrom(app), requests };
}

async function misbehave(fault: Fault, signal: AbortSignal): Promise<Response> {
  if (fault.kind === 'stall') await aborted(signal);
  if (fault.kind === 'garbage') {
    return new Response('data: {"choices": [{]\u0000\u0001 <html>', {
      headers: { 'content-type': 'application/json' },
    });
  }
  if (fault.kind === '401') {
    throw new WireError(401, 'Incorrect API key provided (a fault on purpose).', { code: 'invalid_api_key' });
  }
  if (fault.kind === '429') {
    throw new WireError(429, 'Rate limit reached (a fault on purpose).', {
      type: 'requests',
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': String(fault.retryAfterSeconds ?? 1) },
    });
  }
  throw new WireError(500, 'The server had an error (a fault on purpose).');
}

/** As the host's `fetch` would: rejects as soon as the signal aborts, whatever the app does. */
function fetchFrom(app: Hono): typeof globalThis.fetch {
  const call = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([app.fetch(request), left]);
    } finally {
      if (leave) signal.removeEventListener('abort', leave);
    }
  };
  return call as typeof globalThis.fetch;
}
