// The OpenAI adapter against the simulated server, in this process and over real HTTP.
import { createOpenAiModels } from '../../src/models/openai/index.ts';
import { createSimulatedOpenAi } from '../../src/models/simulated/index.ts';
import { conformance } from './conformance.ts';
import { serveFetch } from './http-server.ts';
import { createJumpingClock } from './virtual-clock.ts';

conformance('openai, in process', async () => {
  const { fetch } = createSimulatedOpenAi({ profile: 'specification', clock: createJumpingClock() });
  return {
    models: createOpenAiModels({ apiKey: 'any', baseUrl: 'http://simulated.invalid/v1', fetch }),
    close: async () => {},
  };
});

conformance('openai, over HTTP', async () => {
  const { app } = createSimulatedOpenAi({ profile: 'specification', clock: createJumpingClock() });
  const server = await serveFetch((request) => app.fetch(request));
  return { models: createOpenAiModels({ apiKey: 'any', baseUrl: server.baseUrl }), close: server.close };
});
