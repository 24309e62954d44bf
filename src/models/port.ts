// What a model must do to be used by a session: hear, think, speak. Adapters translate a provider into these shapes.

import type { Message, ToolCall, ToolSpec } from '../agent/messages.ts';

export type { Message, ToolCall, ToolSpec };

/** Why a model failed, as a closed set: the runner decides on retry, fallback or apology by it and nothing else. */
export type ModelErrorKind =
  | 'auth'
  | 'invalid-request'
  | 'rate-limit'
  | 'quota'
  | 'unavailable'
  | 'timeout'
  | 'protocol'
  | 'aborted'
  | 'internal';

/** The one error that crosses a model port. Messages never contain what a person said. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly kind: ModelErrorKind;
  /** Who failed, e.g. `openai.stt`. */
  readonly source: string;
  /** What the provider asked us to wait before the next attempt, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ModelErrorKind,
    source: string,
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.source = source;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** True where the same request may succeed a moment later. */
  get retryable(): boolean {
    return (
      this.kind === 'rate-limit' || this.kind === 'unavailable' || this.kind === 'timeout' || this.kind === 'protocol'
    );
  }
}

interface Warmable {
  /** Opens a connection ahead of need. Never rejects; false when nobody answered. */
  warm?(signal: AbortSignal): Promise<boolean>;
}

/** Speech to text: one utterance in, its words out. */
export interface SttModel extends Warmable {
  /** `provider.stage`, e.g. `openai.stt`; used in errors, logs and metrics. */
  readonly name: string;
  /** `pcm`: mono PCM16 at `sampleRateHz`, owned by the call. Empty text = no words were found. Throws `ModelError`. */
  transcribe(request: TranscribeRequest, signal: AbortSignal): Promise<Transcript>;
}
export interface TranscribeRequest {
  readonly pcm: Int16Array;
  readonly sampleRateHz: number;
  readonly language?: string | undefined;
  readonly prompt?: string | undefined;
}
export interface Transcript {
  readonly text: string;
  readonly language?: string | undefined;
}

/** A language model: messages in, a stream of text, tool calls, usage and one finish out. */
export interface LlmModel extends Warmable {
  readonly name: string;
  /** Throws `ModelError` (from the iteration). Tool calls are yielded whole, in order, before `finish`. */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
}
export interface GenerateRequest {
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly temperature?: number | undefined;
  readonly maxTokens?: number | undefined;
}
export type GenerateEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | { readonly type: 'usage'; readonly inputTokens: number; readonly outputTokens: number }
  | { readonly type: 'finish'; readonly reason: 'stop' | 'tool-calls' | 'length' | 'content-filter' };

/** Text to speech: one speakable piece in, mono PCM16 chunks out as they arrive. */
export interface TtsModel extends Warmable {
  readonly name: string;
  /** Rate of every chunk it yields. */
  readonly sampleRateHz: number;
  /** Chunks hold whole samples (little-endian PCM16). Throws `ModelError` (from the iteration). */
  synthesize(request: SynthesizeRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
export interface SynthesizeRequest {
  readonly text: string;
  readonly voice?: string | undefined;
}

/** The models of one agent. */
export interface Models {
  readonly stt: SttModel;
  readonly llm: LlmModel;
  readonly tts: TtsModel;
}
