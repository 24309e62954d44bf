// The running session as hooks and tools of an agent hold it.
import type { SessionEventHandler, SessionEventName } from './session-events.ts';

/** One conversation. Given to `onSession` of an agent, and to each tool as `context.session`. */
export interface AgentSession {
  readonly id: string;
  /** Name of the agent. */
  readonly agent: string;
  /** `websocket`, `livekit`, `file`, ... */
  readonly transport: string;
  /** `listening`, `user-speaking`, `thinking` or `agent-speaking`. */
  readonly state: string;
  readonly ended: boolean;
  /** Whatever hooks and tools of this session want to share. */
  readonly data: Record<string, unknown>;
  /** Calls `handler` at each such event; returns how to stop that.
   *  @throws RangeError for an unknown name (naming the nearest), or beyond 200 handlers. */
  on<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): () => void;
  /** Several at once. */
  on(handlers: { readonly [N in SessionEventName]?: SessionEventHandler<N> }): () => void;
  /** The same, for the next such event only. */
  once<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): () => void;
  off<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): void;
  /** Names of events that have handlers, each once. */
  listeners(): readonly SessionEventName[];
  /** Speaks a text as the agent, when nobody speaks. */
  say(text: string): void;
  /** Gives a text to the agent as if the caller had written it. */
  send(text: string): void;
  /** Ends the call. */
  close(reason?: string): void;
  /** Records what a person thinks of this call: see `Rating`. False where it was not taken (a session keeps 100).
   *  @throws RangeError for a value that is no number from 1 to 5. */
  rate(rating: number | Rating): boolean;
}

/** A person's judgement, 1 (bad) to 5 (excellent). */
export interface Rating {
  readonly rating: number;
  /** What is judged; default `overall`. */
  readonly kind?: RatingKind | undefined;
}
/** `naturalness` and `intelligibility` cannot be computed from samples: ratings are their only source. */
export type RatingKind = 'overall' | 'naturalness' | 'clarity' | 'intelligibility';
/** All kinds of rating. */
export const RATING_KINDS: readonly RatingKind[] = ['overall', 'naturalness', 'clarity', 'intelligibility'];
