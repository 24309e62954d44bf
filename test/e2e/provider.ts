// A provider whose health the test decides from moment to moment: simulated models behind real HTTP, with a diary of requests.
import { createSimulatedOpenAi } from '../../src/models/simulated/index.ts';
import { serveFetch } from '../models/http-server.ts';

export type Route = 'stt' | 'llm' | 'tts';
export type Kind = '401' | '429' | '500' | 'stall' | 'half-close' | 'garbage';
export const ROUTES: readonly Route[] = ['stt', 'llm', 'tts'];
export const KINDS: readonly Kind[] = ['401', '429', '500', 'stall', 'half-close', 'garbage'];

export interface Asked {
  readonly route: Route;
  /** Wall time, ms since 1970. */
  readonly atMs: number;
  readonly broken: boolean;
}
export interface Provider {
  readonly env: Readonly<Record<string, string>>;
  readonly asked: readonly Asked[];
  /** All requests of the route fail from now on, so. */
  break(route: Route, kind: Kind, retryAfterSeconds?: number): void;
  heal(): void;
  close(): Promise<void>;
}

/** One for all: its ear takes a while to prepare. */
const healthy = createSimulatedOpenAi();

export async function startProvider(): Promise<Provider> {
  let broken: { route: Route; fetch: typeof fetch } | null = null;
  const asked: Asked[] = [];
  const server = await serveFetch(async (request) => {
    const route = routeOf(new URL(request.url).pathname);
    if (route === null) return healthy.app.fetch(request);
    const fails = broken?.route === route;
    asked.push({ route, atMs: Date.now(), broken: fails });
    return fails && broken ? broken.fetch(request) : healthy.app.fetch(request);
  });
  return {
    env: { OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: 'sk-test' },
    asked,
    break(route, kind, retryAfterSeconds) {
      const faults = [{ route, kind, nth: 1, count: 1_000_000, retryAfterSeconds }];
      broken = { route, fetch: createSimulatedOpenAi({ faults }).app.fetch as typeof fetch };
    },
    heal() {
      broken = null;
    },
    close: () => server.close(),
  };
}

function routeOf(path: string): Route | null {
  if (path.endsWith('/audio/transcriptions')) return 'stt';
  if (path.endsWith('/chat/completions')) return 'llm';
  return path.endsWith('/audio/speech') ? 'tts' : null;
}
