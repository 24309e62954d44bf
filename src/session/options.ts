// All that a session is told at its start: plain JSON, so that a recording can hold it.
import type { ToolSpec } from './conversation.ts';

export interface SessionOptions {
  readonly id: string;
  readonly agent: string;
  readonly transport: string;
  readonly inputRateHz: 8000 | 16000 | 24000 | 48000;
  readonly outputRateHz: 8000 | 16000 | 24000 | 48000;
  /** Packets may be lost, late or out of order: a jitter buffer puts them right. Default: they come in order. */
  readonly lossy?: boolean | undefined;
  readonly instructions: string;
  readonly greeting?: string | undefined;
  readonly tools: readonly (ToolSpec & { readonly interruptible: boolean })[];
  readonly listening: ListeningOptions;
  readonly turns: TurnOptions;
  readonly reply: ReplyOptions;
  readonly phrases: Phrases;
}

export interface ListeningOptions {
  /** `neural`: the net's probability, edges by level. `energy`: adaptive score. `two-threshold`: the specification's RMS hysteresis
   *  (requirements 11.1). The analyzer must give the score that is chosen here. */
  readonly vad: 'neural' | 'energy' | 'two-threshold';
  /** Score from which a frame counts as voiced (not in `two-threshold`). */
  readonly threshold: number;
  /** 0..1: how readily a sound is taken for speech. Moves the threshold, by as much as 0.4; without it, or at 0.5, by nothing. */
  readonly sensitivity?: number | undefined;
  /** Voiced time before speech has started (not in `two-threshold`); shorter sounds are clicks. */
  readonly minSpeechMs: number;
  /** Unvoiced time after which speech has stopped. */
  readonly hangoverMs: number;
  /** Audio kept from before the start of speech. */
  readonly preRollMs: number;
  /** Longest turn that is kept for the recognizer; a longer one ends there. */
  readonly maxTurnMs: number;
  /** RMS thresholds of `two-threshold`. */
  readonly startThreshold: number;
  readonly endThreshold: number;
}

export interface TurnOptions {
  /** Silence after the last voiced sample that ends a turn. */
  readonly endpointingMs: number;
  /** Speech over the agent's voice that interrupts it. */
  readonly bargeInMs: number;
  /** What may start before the turn has ended: nothing, recognition, or recognition and the reply (heard only after the end). */
  readonly early: 'off' | 'transcript' | 'reply';
  /** The agent goes on when an interruption held no words. */
  readonly resumeFalseInterruption: boolean;
}

export interface ReplyOptions {
  /** Rounds of tools in one turn before the model must answer in words. */
  readonly maxToolRounds: number;
  /** Characters after which a first piece may end at a clause instead of a sentence. */
  readonly firstPieceChars: number;
  /** Longest piece. */
  readonly maxPieceChars: number;
  /** Messages that the model is given besides the instructions; older ones are dropped. */
  readonly maxMessages: number;
}

export interface Phrases {
  /** Said when a model has failed for good. */
  readonly apology: string;
  /** Said when a model shows no sign of life. */
  readonly wait: string;
  /** Said before the call is given up. */
  readonly goodbye: string;
}

export const DEFAULT_SESSION_OPTIONS: Omit<
  SessionOptions,
  'id' | 'agent' | 'transport' | 'inputRateHz' | 'outputRateHz'
> = {
  instructions: 'You are a helpful voice assistant. Answer in short spoken sentences.',
  tools: [],
  listening: {
    vad: 'energy',
    threshold: 0.5,
    minSpeechMs: 60,
    hangoverMs: 200,
    preRollMs: 300,
    maxTurnMs: 60_000,
    startThreshold: 0.02,
    endThreshold: 0.01,
  },
  turns: { endpointingMs: 500, bargeInMs: 100, early: 'reply', resumeFalseInterruption: true },
  reply: { maxToolRounds: 8, firstPieceChars: 80, maxPieceChars: 240, maxMessages: 200 },
  phrases: {
    apology: 'I am sorry, something went wrong. Please say that again.',
    wait: 'One moment, please.',
    goodbye: 'I am sorry, I can not continue this call. Goodbye.',
  },
};
