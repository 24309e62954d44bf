// The same agent in LiveKit's own framework: OpenAI's wire for the models, its Silero VAD, silence of 500 ms ends the turn.
// `node worker.ts start` with LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, OPENAI_BASE_URL, OPENAI_API_KEY, AGENT_NAME, AGENT_PORT.
import { fileURLToPath } from 'node:url';
import { cli, defineAgent, type JobContext, type JobProcess, ServerOptions, voice } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import * as silero from '@livekit/agents-plugin-silero';

const ENDPOINTING_MS = 500;
const baseURL = process.env.OPENAI_BASE_URL;

export default defineAgent({
  async prewarm(process_: JobProcess) {
    process_.userData.vad = await silero.VAD.load({ minSilenceDuration: ENDPOINTING_MS });
  },
  async entry(context: JobContext) {
    const session = new voice.AgentSession({
      vad: context.proc.userData.vad as silero.VAD,
      stt: new openai.STT({ baseURL, model: 'gpt-4o-mini-transcribe', useRealtime: false }),
      llm: new openai.LLM({ baseURL, model: 'gpt-4o-mini' }),
      tts: new openai.TTS({ baseURL, model: 'gpt-4o-mini-tts' }),
      turnHandling: { turnDetection: 'vad', endpointing: { minDelay: ENDPOINTING_MS } },
    });
    await context.connect();
    await session.start({ agent: new voice.Agent({ instructions: 'Answer briefly.' }), room: context.room });
  },
});

cli.runApp(
  new ServerOptions({
    agent: fileURLToPath(import.meta.url),
    agentName: process.env.AGENT_NAME,
    port: Number(process.env.AGENT_PORT),
    host: '127.0.0.1',
    // Callers and server share the machine: by its own measure of the load it would be offered nothing.
    loadFunc: () => Promise.resolve(0),
  }),
);
