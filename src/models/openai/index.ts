// Models by OpenAI, or by anything that speaks its API: one connection for all stages, or another for each.
import type { Models } from '../port.ts';
import { createOpenAiLlm, type OpenAiLlmConfig } from './llm.ts';
import { createOpenAiStt, type OpenAiSttConfig } from './stt.ts';
import { createOpenAiTts, type OpenAiTtsConfig } from './tts.ts';
import type { OpenAiConnection } from './client.ts';

export { DEFAULT_BASE_URL, type OpenAiConnection, type Timer } from './client.ts';
export { createOpenAiLlm, type OpenAiLlmConfig } from './llm.ts';
export { createOpenAiStt, type OpenAiSttConfig } from './stt.ts';
export { createOpenAiTts, type OpenAiTtsConfig } from './tts.ts';

/** What holds for all stages, and what differs: any field of a stage goes before the common one. */
export interface OpenAiModelsConfig extends Partial<Omit<OpenAiConnection, 'name'>> {
  readonly stt?: Partial<OpenAiSttConfig> | undefined;
  readonly llm?: Partial<OpenAiLlmConfig> | undefined;
  readonly tts?: Partial<OpenAiTtsConfig> | undefined;
}

/** Models of an agent, with a way to open their connections before they are needed. */
export interface OpenAiModels extends Models {
  /** Opens a connection for each stage (an unbilled `GET /models`). Resolves when all are open or gave up; never throws. */
  warm(signal: AbortSignal): Promise<void>;
}

/** Throws `TypeError` when a stage is left without an API key. */
export function createOpenAiModels(config: OpenAiModelsConfig): OpenAiModels {
  const { stt: sttConfig, llm: llmConfig, tts: ttsConfig, ...common } = config;
  const stt = createOpenAiStt(merge(common, sttConfig));
  const llm = createOpenAiLlm(merge(common, llmConfig));
  const tts = createOpenAiTts(merge(common, ttsConfig));
  return {
    stt,
    llm,
    tts,
    async warm(signal) {
      await Promise.all([stt.warm(signal), llm.warm(signal), tts.warm(signal)]);
    },
  };
}

/** A field that is present but undefined does not hide the common one. */
function merge<T extends object>(common: object, stage: T | undefined): T & { apiKey: string } {
  const given = Object.entries(stage ?? {}).filter(([, value]) => value !== undefined);
  return { apiKey: '', ...common, ...Object.fromEntries(given) } as T & { apiKey: string };
}
