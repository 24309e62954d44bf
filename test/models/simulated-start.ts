// A simulated server on a jumping clock, and the adapter that talks to it without a socket.
import { createOpenAiModels, type OpenAiModels, type OpenAiModelsConfig } from '../../src/models/openai/index.ts';
import {
  createSimulatedOpenAi,
  type SimulatedOpenAi,
  type SimulatedServerOptions,
} from '../../src/models/simulated/index.ts';
import { createJumpingClock } from './virtual-clock.ts';

export const BASE = 'http://simulated.invalid/v1';
export const never = new AbortController().signal;

export interface Started {
  readonly clock: ReturnType<typeof createJumpingClock>;
  readonly server: SimulatedOpenAi;
  readonly models: OpenAiModels;
}
export function start(options: SimulatedServerOptions = {}, config: OpenAiModelsConfig = {}): Started {
  const clock = createJumpingClock();
  const server = createSimulatedOpenAi({ profile: 'instant', clock, ...options });
  const models = createOpenAiModels({ apiKey: 'any', baseUrl: BASE, fetch: server.fetch, ...config });
  return { clock, server, models };
}
