// Speech to text by OpenAI's transcriptions endpoint: one utterance as a WAV upload, its words as JSON.
import { wavHeader } from '../../audio/wav.ts';
import { ModelError, type SttModel, type Transcript } from '../port.ts';
import { createStageClient, type OpenAiConnection } from './client.ts';

export interface OpenAiSttConfig extends OpenAiConnection {
  /** Default: `gpt-4o-mini-transcribe`. */
  readonly model?: string | undefined;
  /** ISO 639-1 code; unknown by default, then the provider guesses. */
  readonly language?: string | undefined;
  readonly prompt?: string | undefined;
  readonly temperature?: number | undefined;
  /** Told of each utterance that was packed as a WAV file: its samples, bytes before and after, and the time that it took in ms. */
  readonly onPacked?: ((samples: number, inputBytes: number, outputBytes: number, tookMs: number) => void) | undefined;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** OpenAI refuses shorter audio; silence makes up what is missing. */
const MIN_AUDIO_SECONDS = 0.1;

/** Throws `TypeError` without an API key. */
export function createOpenAiStt(config: OpenAiSttConfig): SttModel & { warm(signal: AbortSignal): Promise<boolean> } {
  const client = createStageClient(config, 'stt', DEFAULT_TIMEOUT_MS);
  const model = config.model ?? 'gpt-4o-mini-transcribe';
  return {
    name: client.name,
    warm: client.warm,
    async transcribe({ pcm, sampleRateHz, language, prompt }, signal): Promise<Transcript> {
      if (pcm.length === 0) return { text: '' };
      const request = client.open(signal);
      const spoken = language ?? config.language;
      const hint = prompt ?? config.prompt;
      let finished = false;
      try {
        const api = await client.openai();
        const startMs = performance.now();
        const file = wavOf(pcm, sampleRateHz);
        config.onPacked?.(pcm.length, pcm.byteLength, file.byteLength, performance.now() - startMs);
        const answer: unknown = await api.audio.transcriptions.create(
          {
            model,
            file: new File([file], 'speech.wav', { type: 'audio/wav' }),
            response_format: 'json',
            ...(spoken === undefined ? {} : { language: spoken }),
            ...(hint === undefined ? {} : { prompt: hint }),
            ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
          },
          { signal: request.signal },
        );
        request.check();
        finished = true;
        const { text, language: heard } = (answer ?? {}) as { text?: unknown; language?: unknown };
        if (typeof text !== 'string') throw new ModelError('protocol', client.name, "The answer has no 'text'");
        return { text: text.trim(), ...(typeof heard === 'string' ? { language: heard } : {}) };
      } catch (error) {
        throw request.failure(error);
      } finally {
        request.close(finished);
      }
    },
  };
}

/** A mono PCM16 WAV file, at least as long as is accepted. */
export function wavOf(pcm: Int16Array, sampleRateHz: number): Uint8Array<ArrayBuffer> {
  const dataBytes = Math.max(pcm.length, Math.ceil(sampleRateHz * MIN_AUDIO_SECONDS)) * 2;
  const bytes = new Uint8Array(44 + dataBytes);
  bytes.set(wavHeader(sampleRateHz, 1, dataBytes));
  bytes.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.length * 2), 44);
  return bytes;
}
