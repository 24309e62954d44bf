// Simulated models on OpenAI's wire, for everybody who is compared: the same words, voice and latencies. Prints `@{"url"}`.
import { serve } from '@hono/node-server';
import { createSimulatedOpenAi, demoDialogue } from '../../src/models/simulated/index.ts';

const reply = 'Oh dear, weasels again. Please stay calm.';
const { app } = createSimulatedOpenAi({
  // Milliseconds from request to transcript, first token, first speech; nothing between tokens, speech at eight times real time.
  latency: { sttMs: 100, llmMs: 200, tokenMs: 0, ttsMs: 100, ttsSpeed: 8 },
  recordings: demoDialogue.recordings(),
  // The same after every turn; also where a part of the phrase was cut.
  script: { turns: [{ user: 'Weasels have eaten our phone system.', reply }], unclear: reply, fallback: reply },
});
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`@${JSON.stringify({ url: `http://127.0.0.1:${port}/v1` })}`);
});
process.stdin.resume().on('end', () => {
  server.close();
  process.exit(0);
});
