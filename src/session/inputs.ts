// Everything that can happen to a session. Each input carries its time; the same inputs give the same effects on every host.
import type { Message, ToolCall } from './conversation.ts';

/** Answers and news for a session, all except the caller's audio (`Session.audio`), pulls and wake-ups. */
export type SessionEvent =
  /** The answer to `transcribe`. */
  | { readonly type: 'transcript'; readonly turn: number; readonly take: number; readonly text: string }
  /** The answer to `generate`: text as it comes ... */
  | { readonly type: 'token'; readonly turn: number; readonly round: number; readonly text: string }
  | { readonly type: 'tool-call'; readonly turn: number; readonly round: number; readonly call: ToolCall }
  /** ... and the end of it. */
  | {
      readonly type: 'generated';
      readonly turn: number;
      readonly round: number;
      readonly reason: string;
      readonly inputTokens: number | null;
      readonly outputTokens: number | null;
    }
  /** The answer to `synthesize`: mono PCM16 at the session's output rate, at most `MAX_SPEECH_SAMPLES` a time ... */
  | { readonly type: 'speech'; readonly turn: number; readonly piece: number; readonly samples: Int16Array }
  /** ... and the end of a piece. */
  | { readonly type: 'spoken'; readonly turn: number; readonly piece: number }
  | {
      readonly type: 'tool-result';
      readonly turn: number;
      readonly callId: string;
      readonly output: string;
      readonly isError: boolean;
    }
  /** A model gave up after the runner's retries and fallbacks. `ref` is the take, round or piece. */
  | {
      readonly type: 'failure';
      readonly stage: Stage;
      readonly turn: number;
      readonly ref: number;
      readonly kind: string;
      readonly message: string;
    }
  /** A model has shown no sign of life for long; it may still answer. */
  | { readonly type: 'stalled'; readonly stage: Stage; readonly turn: number; readonly ref: number }
  /** The caller has heard the agent's audio up to this output sample (counted over the call). */
  | { readonly type: 'played'; readonly position: number }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'dtmf'; readonly digit: string }
  /** Speaks a text as the agent (not an answer to anything). */
  | { readonly type: 'say'; readonly text: string }
  /** Changes options of a running session. */
  | { readonly type: 'tuning'; readonly change: TuningChange }
  /** Whatever is going on gives way to the agent's goodbye; the session ends with `reason` when that has been heard. */
  | { readonly type: 'farewell'; readonly reason: string }
  | { readonly type: 'close'; readonly reason: string };

export type Stage = 'stt' | 'llm' | 'tts';
/** Options that may change while a session runs. */
export interface TuningChange {
  readonly endpointingMs?: number;
  readonly bargeInMs?: number;
  readonly instructions?: string;
}
export type { Message, ToolCall };
