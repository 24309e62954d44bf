// What a session asks of the outside. The runner performs it and answers with events; nothing here returns a value.
import type { Message } from './conversation.ts';
import type { LedgerTurn } from './ledger.ts';
import type { Stage } from './inputs.ts';
import type { QualityReport } from './listen/quality-log.ts';
import type { Canned } from './reply/reply.ts';

export interface Effects {
  /** Words of the turn so far. `pcm`: mono PCM16 at 16 kHz, copied for the receiver. A newer take replaces older ones. `early`: the turn may go on. */
  transcribe(request: { turn: number; take: number; early: boolean; pcm: Int16Array }): void;
  /** The model's next round. */
  generate(request: {
    turn: number;
    round: number;
    early: boolean;
    tools: boolean;
    messages: readonly Message[];
  }): void;
  /** Pieces are spoken in the order of their numbers. A canned one needs no model and goes before all that wait. */
  synthesize(request: { turn: number; piece: number; text: string; canned: Canned | null }): void;
  runTool(request: { turn: number; callId: string; name: string; arguments: string }): void;
  /** Stops a tool that allows it. */
  cancelTool(request: { callId: string }): void;
  /** Stops what runs for a turn; answers that still come are ignored. */
  cancel(request: { turn: number; what: 'transcribe' | 'reply'; reason: CancelReason }): void;
  /** Drops the audio that the transport holds and has not played. */
  clearAudio(): void;
  /** Speech is waiting and nothing is playing: pull now, not at the next tick. */
  audioReady(): void;
  /** Wants `wake(nowMs)` at this time; replaces the wish before. */
  wakeAt(atMs: number): void;
  emit(event: SessionTelemetry): void;
  /** The session is over. */
  end(reason: string): void;
}

export type CancelReason = 'resumed' | 'interrupted' | 'superseded' | 'failed' | 'closed';

/** What a session tells about itself. Texts are what people said: they belong to the client and to handlers, never to logs. */
export type SessionTelemetry =
  | { readonly type: 'state'; readonly state: SessionState }
  | { readonly type: 'speech-start'; readonly atMs: number }
  | { readonly type: 'speech-stop'; readonly atMs: number }
  | { readonly type: 'transcript'; readonly turn: number; readonly text: string }
  | { readonly type: 'reply'; readonly turn: number; readonly text: string }
  | { readonly type: 'interrupted'; readonly turn: number; readonly atMs: number; readonly heard: string }
  | { readonly type: 'resumed'; readonly turn: number }
  | {
      readonly type: 'tool';
      readonly turn: number;
      readonly callId: string;
      readonly name: string;
      readonly phase: 'started' | 'finished' | 'failed';
    }
  | { readonly type: 'usage'; readonly turn: number; readonly inputTokens: number; readonly outputTokens: number }
  | {
      readonly type: 'failure';
      readonly stage: Stage | 'tool' | 'internal';
      readonly turn: number;
      readonly kind: string;
    }
  | { readonly type: 'dropped'; readonly what: string; readonly count: number }
  | QualityReport
  | { readonly type: 'turn'; readonly ledger: LedgerTurn };
export type SessionState = 'listening' | 'user-speaking' | 'thinking' | 'agent-speaking';
