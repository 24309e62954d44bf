// One call as its agent sees it: translates inputs and telemetry of the session into the events that hooks and tools may follow.
import type { AgentSession, Rating } from '../agent/agent-session.ts';
import { RATING_KINDS } from '../agent/agent-session.ts';
import { type EmitterObserver, SessionEmitter } from '../agent/session-emitter.ts';
import type { SessionEventHandler, SessionEventName, SessionEvents, TurnType } from '../agent/session-events.ts';
import type { SessionTelemetry } from '../session/effects.ts';
import type { SessionEvent } from '../session/inputs.ts';
import type { LedgerTurn } from '../session/ledger.ts';

export interface SessionHandleOptions {
  readonly id: string;
  readonly agent: string;
  readonly transport: string;
  readonly outputRateHz: number;
  /** ms since 1970. */
  epochNowMs(): number;
  tell(event: SessionEvent): void;
  isEnded(): boolean;
  rated?(rating: Required<Rating>): void;
  readonly observer?: EmitterObserver | undefined;
}

const MAX_RATINGS = 100;
/** Turns whose beginnings are remembered; a turn that never completes must not be kept for ever. */
const MAX_OPEN_TURNS = 16;

export class SessionHandle implements AgentSession {
  readonly data: Record<string, unknown> = {};
  readonly #o: SessionHandleOptions;
  readonly #events: SessionEmitter;
  /** The program's own ears, which no user's handler counts against. */
  readonly #watchers = new SessionEmitter();
  readonly #received = { size: 0 };
  readonly #output = { size: 0 };
  readonly #startedMs: number;
  #state = 'listening';
  #ratings = 0;
  #round = -1;
  #text = '';
  #voicedBytes = 0;
  #voicedPiece = -1;
  /** The newest text of the caller was written, not spoken. */
  #typed = false;
  readonly #openTurns = new Map<number, { type: TurnType; input: string }>();
  /** Text of a round that was written before the turn was over. */
  #early: { turn: number; text: string } | null = null;

  constructor(options: SessionHandleOptions) {
    this.#o = options;
    this.#events = new SessionEmitter(options.observer);
    this.#startedMs = options.epochNowMs();
  }

  get id(): string {
    return this.#o.id;
  }
  get agent(): string {
    return this.#o.agent;
  }
  get transport(): string {
    return this.#o.transport;
  }
  get state(): string {
    return this.#state;
  }
  get ended(): boolean {
    return this.#o.isEnded();
  }

  on<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): () => void;
  on(handlers: { readonly [N in SessionEventName]?: SessionEventHandler<N> }): () => void;
  on(
    given: SessionEventName | { readonly [N in SessionEventName]?: SessionEventHandler<N> },
    handler?: SessionEventHandler<never>,
  ): () => void {
    if (typeof given === 'object' && given !== null) return this.#events.onAll(given);
    return this.#events.on(given, handler as SessionEventHandler<typeof given>);
  }

  once<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): () => void {
    return this.#events.on(name, handler, true);
  }

  off<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): void {
    this.#events.off(name, handler);
  }

  listeners(): readonly SessionEventName[] {
    return this.#events.names();
  }

  say(text: string): void {
    this.#o.tell({ type: 'say', text });
  }

  send(text: string): void {
    this.#o.tell({ type: 'text', text });
  }

  close(reason = 'agent'): void {
    this.#o.tell({ type: 'close', reason });
  }

  rate(given: number | Rating): boolean {
    const { rating, kind = 'overall' } = typeof given === 'number' ? { rating: given } : given;
    if (!(rating >= 1 && rating <= 5)) throw new RangeError(`A rating is a number from 1 to 5, not ${String(rating)}`);
    if (!RATING_KINDS.includes(kind)) throw new RangeError(`The kinds of rating are ${RATING_KINDS.join(', ')}`);
    if (this.#ratings >= MAX_RATINGS) return false;
    this.#ratings++;
    this.#o.rated?.({ rating, kind });
    return true;
  }

  /** For transports and models that know more: participants, rooms, realtime events. */
  tell<N extends SessionEventName>(name: N, payload: SessionEvents[N]): void {
    this.#watchers.emit(name, payload);
    this.#events.emit(name, payload);
  }

  /** Follows what is told by `tell`. */
  watch<N extends SessionEventName>(name: N, handler: SessionEventHandler<N>): void {
    this.#watchers.on(name, handler);
  }

  // ---- from the call ----

  /** Frame path. */
  received(bytes: number): void {
    if (!this.#events.wants('audio_received')) return;
    this.#received.size = bytes;
    this.#events.emit('audio_received', this.#received);
  }

  /** Frame path. */
  output(samples: number): void {
    if (!this.#events.wants('audio_output')) return;
    this.#output.size = samples * 2;
    this.#events.emit('audio_output', this.#output);
  }

  streamed(bytes: number): void {
    this.#events.emit('audio_streamed', { size: bytes });
  }

  started(): void {
    this.#events.emit('session_started', { session_id: this.id });
  }

  stopped(reason: string): void {
    if (reason === 'internal error' || reason === 'model failure') this.#events.emit('session_error', { reason });
    const duration_ms = Math.max(0, this.#o.epochNowMs() - this.#startedMs);
    this.#events.emit('session_stopped', { session_id: this.id, duration_ms, reason });
    this.#events.clear();
  }

  toolCalled(name: string, callId: string, args: string): void {
    const timestamp = this.#o.epochNowMs();
    this.#events.emit('tool_called', { tool_name: name, call_id: callId, arguments: args, timestamp });
  }

  toolEnded(name: string, callId: string, output: string, isError: boolean): void {
    const common = { tool_name: name, call_id: callId, timestamp: this.#o.epochNowMs() };
    if (isError) this.#events.emit('tool_error', { ...common, error: output });
    else this.#events.emit('tool_completed', { ...common, result: output });
  }

  cancelled(turn: number, reason: string): void {
    this.#early = null;
    this.#events.emit('response_cancelled', { turn_id: turn, reason });
  }

  /** An input, as the session is about to get it. */
  input(event: SessionEvent): void {
    switch (event.type) {
      case 'transcript':
        return this.#events.emit('stt_result', { text: event.text });
      case 'token':
        if (event.round !== this.#round) {
          this.#round = event.round;
          this.#text = '';
        }
        this.#text += event.text;
        return this.#events.emit('response_delta', { text: event.text });
      case 'generated':
        return this.#generated(event.turn, event.round, event.reason);
      case 'speech':
        if (event.piece !== this.#voicedPiece) {
          this.#voicedPiece = event.piece;
          this.#voicedBytes = 0;
        }
        this.#voicedBytes += event.samples.length * 2;
        return this.#events.emit('tts_audio', { size: event.samples.length * 2 });
      case 'spoken': {
        const audio_size = event.piece === this.#voicedPiece ? this.#voicedBytes : 0;
        const audio_duration_ms = (audio_size / 2 / this.#o.outputRateHz) * 1000;
        return this.#events.emit('tts_complete', { audio_size, audio_duration_ms });
      }
      case 'text':
        return this.#written(event.text, 'text');
      case 'dtmf':
        return this.#written(event.digit, 'dtmf');
      case 'failure':
        return this.#events.emit(`${event.stage}_error`, { turn_id: event.turn, kind: event.kind });
      default:
    }
  }

  telemetry(event: SessionTelemetry): void {
    switch (event.type) {
      case 'state': {
        const from_state = this.#state;
        this.#state = event.state;
        this.#events.emit('state_changed', { from_state, to_state: event.state });
        if (event.state === 'agent-speaking') this.#events.emit('speaking_started', { text: this.#text });
        return;
      }
      case 'speech-start':
        this.#typed = false;
        return this.#events.emit('vad_speech_start', {});
      case 'speech-stop':
        return this.#events.emit('vad_speech_end', {});
      case 'transcript':
        return this.#turnStarted(event.turn, this.#typed ? 'text' : 'audio', event.text);
      case 'interrupted':
        return this.#events.emit('interrupted', { turn_id: event.turn, heard: event.heard });
      case 'turn':
        return this.#turnCompleted(event.ledger);
      default:
    }
  }

  #written(text: string, source: 'text' | 'dtmf'): void {
    this.#typed = true;
    this.#events.emit('text_received', { text, source, timestamp: this.#o.epochNowMs() });
  }

  #generated(turn: number, round: number, reason: string): void {
    this.#events.emit('response_completed', { finish_reason: reason });
    const text = round === this.#round ? this.#text : '';
    if (text === '') return;
    // What was written ahead of the turn's end may yet be thrown away: it is told when the turn has begun.
    if (this.#openTurns.has(turn)) this.#events.emit('response_generated', { text });
    else this.#early = { turn, text };
  }

  #turnStarted(turn: number, type: TurnType, input: string): void {
    if (this.#openTurns.size >= MAX_OPEN_TURNS) {
      const [oldest] = this.#openTurns.keys();
      if (oldest !== undefined) this.#openTurns.delete(oldest);
    }
    this.#openTurns.set(turn, { type, input });
    this.#events.emit('turn_started', { turn_id: turn, type, input });
    const early = this.#early;
    this.#early = null;
    if (early?.turn === turn) this.#events.emit('response_generated', { text: early.text });
  }

  #turnCompleted({ turn, caller, agent, responseMs }: LedgerTurn): void {
    // Nobody asked: a greeting has no transcript that would have begun it.
    if (!this.#openTurns.has(turn)) this.#turnStarted(turn, caller === null ? 'agent' : 'audio', caller?.text ?? '');
    const { type, input } = this.#openTurns.get(turn) ?? { type: 'agent' as const, input: '' };
    this.#openTurns.delete(turn);
    const startMs = caller?.startMs ?? agent.startMs ?? 0;
    const endMs = agent.endMs ?? caller?.endMs ?? startMs;
    const messages_count = (caller === null ? 0 : 1) + (agent.heard === '' ? 0 : 1);
    this.#events.emit('turn_completed', {
      turn_id: turn,
      type,
      input,
      response: agent.heard,
      duration_ms: Math.max(0, endMs - startMs, responseMs ?? 0),
      messages_count,
    });
  }
}
