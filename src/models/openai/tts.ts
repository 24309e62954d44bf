// Text to speech by OpenAI's speech endpoint: raw PCM16, passed on as it arrives.
import { ModelError, type TtsModel } from '../port.ts';
import { type BodyReader, readBody } from './body.ts';
import { createStageClient, type OpenAiConnection } from './client.ts';

export interface OpenAiTtsConfig extends OpenAiConnection {
  /** Default: `gpt-4o-mini-tts`. */
  readonly model?: string | undefined;
  /** Default: `alloy`. */
  readonly voice?: string | undefined;
  /** How to speak, for models that take directions. */
  readonly instructions?: string | undefined;
  /** 0.25 to 4; 1 by default. */
  readonly speed?: number | undefined;
  /** Rate of the server's `pcm` format. Default: 24 000, as OpenAI has it. */
  readonly sampleRateHz?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_RATE_HZ = 24_000;

/** Throws `TypeError` without an API key. Chunks start at an even byte of their buffer, so that an Int16Array can be laid on them. */
export function createOpenAiTts(config: OpenAiTtsConfig): TtsModel & { warm(signal: AbortSignal): Promise<boolean> } {
  const client = createStageClient(config, 'tts', DEFAULT_TIMEOUT_MS);
  return {
    name: client.name,
    warm: client.warm,
    sampleRateHz: config.sampleRateHz ?? DEFAULT_RATE_HZ,
    async *synthesize({ text, voice }, signal) {
      const request = client.open(signal);
      let body: BodyReader | undefined;
      let finished = false;
      try {
        const api = await client.openai();
        const response = await api.audio.speech.create(
          {
            model: config.model ?? 'gpt-4o-mini-tts',
            voice: voice ?? config.voice ?? 'alloy',
            input: text,
            response_format: 'pcm',
            ...(config.instructions === undefined ? {} : { instructions: config.instructions }),
            ...(config.speed === undefined ? {} : { speed: config.speed }),
          },
          { signal: request.signal },
        );
        body = readBody(response, request);
        const type = response.headers.get('content-type') ?? '';
        if (/^\s*(text\/|application\/(json|xml))/i.test(type)) {
          throw new ModelError('protocol', client.name, `Expected audio, got '${type.slice(0, 60)}'`);
        }
        let odd: number | undefined;
        let heard = false;
        for (;;) {
          const bytes = await body.read();
          if (!bytes) break;
          const chunk = wholeSamples(bytes, odd);
          odd = chunk.odd;
          if (chunk.bytes.length === 0) continue;
          heard = true;
          yield chunk.bytes;
        }
        finished = true;
        if (!heard) throw new ModelError('protocol', client.name, 'The answer holds no audio');
      } catch (error) {
        throw request.failure(error);
      } finally {
        body?.close('cancel');
        request.close(finished);
      }
    },
  };
}

/** The samples of `bytes`, led by a byte that was left over, and the byte that is left over now. */
export function wholeSamples(
  bytes: Uint8Array,
  carried: number | undefined,
): { bytes: Uint8Array; odd: number | undefined } {
  if (bytes.length === 0) return { bytes: new Uint8Array(0), odd: carried };
  const total = bytes.length + (carried === undefined ? 0 : 1);
  const odd = total % 2 === 1 ? bytes[bytes.length - 1] : undefined;
  const length = total - (total % 2);
  if (carried === undefined && bytes.byteOffset % 2 === 0) return { bytes: bytes.subarray(0, length), odd };
  const out = new Uint8Array(length);
  if (length > 0) {
    if (carried !== undefined) out[0] = carried;
    out.set(bytes.subarray(0, bytes.length - (odd === undefined ? 0 : 1)), carried === undefined ? 0 : 1);
  }
  return { bytes: out, odd };
}
