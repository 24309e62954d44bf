// One conversation: inputs with their time in, effects out. It owns no clock, no promise and no random: same inputs, same effects.
import type { Analyzer } from '../audio/core.ts';
import { Conversation } from './conversation.ts';
import type { Effects, SessionState } from './effects.ts';
import type { SessionEvent, TuningChange } from './inputs.ts';
import { type Ledger, type LedgerTurn, ledgerTurn, type Wait } from './ledger.ts';
import { Listener } from './listen/listener.ts';
import type { SessionOptions } from './options.ts';
import { Playout } from './playout/playout.ts';
import { Answer } from './reply/answer.ts';
import type { SessionSnapshot } from './snapshot.ts';
import { isBargeIn } from './turn/barge-in.ts';
import { endpointingDelayMs } from './turn/endpointing.ts';
import { INITIAL_TURN_STATE, stepTurn, type TurnDecision, type TurnInput, type TurnState } from './turn/machine.ts';

export interface Session {
  /** A packet of the caller: mono PCM16 LE at the input rate, first sample at `position`. Synchronous, allocation-free, never throws. */
  audio(packet: Uint8Array, position: number, nowMs: number): void;
  event(event: SessionEvent, nowMs: number): void;
  /** Fills `out` with what is to be heard next; returns how many samples are speech (0: nothing to play, the rest is background or silence). */
  pull(out: Int16Array, nowMs: number): number;
  /** The timer that it asked for by `wakeAt`. */
  wake(nowMs: number): void;
  /** Speech that is queued and not yet pulled, in ms. */
  readonly queuedMs: number;
  /** True while a pull can give something. */
  readonly sounding: boolean;
  readonly ended: boolean;
  readonly framesIn: number;
  readonly framesLate: number;
  /** Decision time less due time of the newest frame, in ms. */
  readonly frameLatencyMs: number;
  /** `startedAt` writes a time of the host's clock as ISO 8601. */
  ledger(startedAt: (hostMs: number) => string): Ledger;
  snapshot(): SessionSnapshot;
}

/** Turns that a ledger keeps; a longer call loses its oldest. */
const MAX_LEDGER_TURNS = 1000;
/** How long after it was due an endpoint is decided without audio (the client has stopped sending). */
const SILENT_LINE_MS = 100;

const SPEECH_START: TurnInput = { type: 'speech-start' };
const SPEECH_STOP: TurnInput = { type: 'speech-stop' };
const BARGE_IN: TurnInput = { type: 'barge-in' };
const SILENCE: TurnInput = { type: 'silence' };
const REPLY_AUDIBLE: TurnInput = { type: 'reply-audible' };
const REPLY_FINISHED: TurnInput = { type: 'reply-finished' };

export function createSession(
  options: SessionOptions,
  analyzer: Analyzer,
  effects: Effects,
  snapshot?: SessionSnapshot,
): Session {
  return new CallSession(options, analyzer, effects, snapshot);
}

class CallSession implements Session {
  #options: SessionOptions;
  readonly #effects: Effects;
  readonly #listener: Listener;
  readonly #playout: Playout;
  readonly #conversation: Conversation;
  readonly #answer: Answer;
  readonly #turns: LedgerTurn[] = [];
  readonly #pendingSay: string[] = [];
  #turn: TurnState = INITIAL_TURN_STATE;
  #shown: SessionState = 'listening';
  /** Marks of the turn that is being formed, times on the host's clock. */
  #callerStartMs = 0;
  #callerEndMs = 0;
  #endpointedMs = 0;
  #sttWaits: Wait[] = [];
  #nowMs = 0;
  #endReason: string | null = null;
  #durationMs = 0;

  constructor(options: SessionOptions, analyzer: Analyzer, effects: Effects, snapshot: SessionSnapshot | undefined) {
    this.#options = options;
    this.#effects = effects;
    this.#listener = new Listener(options, analyzer, this);
    this.#playout = new Playout(options.outputRateHz);
    this.#conversation = new Conversation(options.reply.maxMessages, snapshot?.messages);
    this.#answer = new Answer(options, effects, this.#conversation, snapshot?.nextId ?? 1);
    if (snapshot === undefined) return;
    this.#turns.push(...snapshot.turns);
    this.#turn = { ...INITIAL_TURN_STATE, turn: snapshot.turn, take: snapshot.nextId };
    this.#listener.continueAt(snapshot.clockMs);
  }

  get queuedMs(): number {
    return this.#playout.queuedMs;
  }
  get sounding(): boolean {
    return this.#open || this.#playout.interjecting || this.#playout.mixer.hasBackground;
  }
  get ended(): boolean {
    return this.#endReason !== null;
  }
  get framesIn(): number {
    return this.#listener.framesIn;
  }
  get framesLate(): number {
    return this.#listener.framesLate;
  }
  get frameLatencyMs(): number {
    return this.#listener.frameLatencyMs;
  }

  /** The reply may be heard. */
  get #open(): boolean {
    const reply = this.#answer.reply;
    return reply !== null && reply.released && !reply.held;
  }

  // ---- the caller's audio ----

  audio(packet: Uint8Array, position: number, nowMs: number): void {
    if (this.#endReason !== null) return;
    this.#nowMs = nowMs;
    this.#listener.packet(packet, position, nowMs);
  }

  /** From the listener: speech was found to begin or to have ended. */
  speechChanged(change: 'start' | 'stop'): void {
    const started = change === 'start';
    const atMs = started ? this.#listener.onsetMs : this.#listener.lastVoicedMs;
    this.#effects.emit({ type: started ? 'speech-start' : 'speech-stop', atMs });
    this.#step(started ? SPEECH_START : SPEECH_STOP);
    if (!started && this.#turn.phase === 'user-paused') {
      // Frames count the silence; should they stop coming, the timer ends the turn.
      this.#effects.wakeAt(this.#listener.hostMs(this.#endpointDueMs + SILENT_LINE_MS));
    }
  }

  /** From the listener: one more frame is through, its end at `endMs` of the session clock. */
  frameDone(endMs: number): void {
    const phase = this.#turn.phase;
    if (this.#listener.speaking) {
      const over = phase === 'agent-speaking' || phase === 'thinking';
      if (over && isBargeIn(this.#options.turns, this.#listener.voicedMs)) this.#step(BARGE_IN);
      else if (phase === 'user-speaking' && this.#listener.full) {
        this.#step(SPEECH_STOP);
        this.#endTurn();
      }
    } else if (phase === 'user-paused' && !this.#listener.candidate && endMs >= this.#endpointDueMs) this.#endTurn();
  }

  get #endpointDueMs(): number {
    return this.#listener.lastVoicedMs + endpointingDelayMs(this.#options.turns, null);
  }

  #endTurn(): void {
    this.#endpointedMs = this.#nowMs;
    this.#callerEndMs = this.#listener.hostMs(this.#listener.lastVoicedMs);
    this.#step(SILENCE);
  }

  // ---- answers and news ----

  event(event: SessionEvent, nowMs: number): void {
    if (this.#endReason !== null) return;
    this.#nowMs = nowMs;
    this.#listener.begin(nowMs);
    switch (event.type) {
      case 'transcript':
        this.#endSttWait(event.take);
        this.#step({ type: 'transcript', take: event.take, text: event.text.trim() });
        break;
      case 'token':
        this.#answer.token(event.round, event.text, nowMs);
        break;
      case 'tool-call':
        this.#answer.toolCall(event.round, event.call);
        break;
      case 'generated':
        if (event.inputTokens !== null && event.outputTokens !== null) {
          this.#effects.emit({
            type: 'usage',
            turn: event.turn,
            inputTokens: event.inputTokens,
            outputTokens: event.outputTokens,
          });
        }
        this.#answer.roundDone(event.round, nowMs);
        break;
      case 'speech':
        this.#speech(event.piece, event.samples);
        break;
      case 'spoken':
        this.#spoken(event.piece);
        break;
      case 'tool-result':
        this.#answer.toolResult(event.turn, event.callId, event.output, event.isError, nowMs);
        break;
      case 'failure':
        this.#failure(event.stage, event.turn, event.ref, event.kind);
        break;
      case 'stalled':
        this.#stalled(event.turn);
        break;
      case 'played':
        this.#playout.reported(event.position);
        break;
      case 'text':
        this.#typed(event.text.trim());
        break;
      case 'dtmf':
        this.#typed(`(pressed ${event.digit})`);
        break;
      case 'say':
        if (event.text.trim() !== '') this.#pendingSay.push(event.text.trim());
        this.#sayPending();
        break;
      case 'tuning':
        this.#tune(event.change);
        break;
      case 'close':
        return this.#close(event.reason);
      default:
        this.#effects.emit({ type: 'dropped', what: 'unknown event', count: 1 });
    }
    this.#finishIfHeard();
  }

  wake(nowMs: number): void {
    if (this.#endReason !== null) return;
    this.#nowMs = nowMs;
    if (this.#turn.phase === 'user-paused' && this.#listener.clockMs(nowMs) >= this.#endpointDueMs + SILENT_LINE_MS)
      this.#endTurn();
    this.#finishIfHeard();
  }

  #typed(text: string): void {
    if (text === '') return;
    this.#callerStartMs = this.#nowMs;
    this.#callerEndMs = this.#nowMs;
    this.#endpointedMs = this.#nowMs;
    this.#sttWaits = [];
    this.#listener.stopKeeping();
    this.#step({ type: 'text', text });
  }

  #tune(change: TuningChange): void {
    const turns = { ...this.#options.turns };
    if (change.endpointingMs !== undefined) turns.endpointingMs = change.endpointingMs;
    if (change.bargeInMs !== undefined) turns.bargeInMs = change.bargeInMs;
    this.#options = { ...this.#options, turns, instructions: change.instructions ?? this.#options.instructions };
    this.#answer.tune(this.#options);
  }

  #endSttWait(take: number): void {
    const wait = this.#sttWaits[this.#sttWaits.length - 1];
    if (take === this.#turn.take && wait !== undefined) wait.toMs = Math.min(wait.toMs, this.#nowMs);
  }

  #failure(stage: 'stt' | 'llm' | 'tts', turn: number, ref: number, kind: string): void {
    if (stage === 'stt') {
      if (ref !== this.#turn.take || !this.#turn.takePending) return;
      this.#endSttWait(ref);
      this.#effects.emit({ type: 'failure', stage, turn, kind });
      this.#step({ type: 'transcript-failed', take: ref });
    } else if (ref === this.#answer.interjection) this.#answer.interjection = null;
    else if (this.#answer.failed(stage, ref, this.#nowMs)) this.#effects.emit({ type: 'failure', stage, turn, kind });
  }

  #stalled(turn: number): void {
    if (turn !== this.#turn.turn || this.#turn.phase !== 'thinking' || this.#answer.interjection !== null) return;
    if (this.#playout.empty) this.#answer.interject(turn);
  }

  // ---- whose turn it is ----

  #step(input: TurnInput): void {
    const { state, decisions } = stepTurn(this.#turn, input, this.#options.turns);
    this.#turn = state;
    for (const decision of decisions) this.#decide(decision);
    this.#show();
  }

  #decide(decision: TurnDecision): void {
    const turn = this.#turn.turn;
    switch (decision.do) {
      case 'begin-turn':
        this.#sttWaits = [];
        this.#callerStartMs = this.#listener.hostMs(this.#listener.onsetMs);
        return this.#listener.keep();
      case 'transcribe':
        this.#sttWaits.push({ name: 'stt', provider: true, fromMs: this.#nowMs, toMs: Infinity });
        return this.#effects.transcribe({
          turn,
          take: decision.take,
          early: decision.early,
          pcm: this.#listener.utterance(),
        });
      case 'cancel-transcribe':
        this.#sttWaits.pop();
        return this.#effects.cancel({ turn, what: 'transcribe', reason: 'resumed' });
      case 'respond':
        this.#playout.drop();
        this.#playout.begin();
        return this.#answer.respond(turn, decision.text, decision.early, this.#nowMs);
      case 'release':
        return this.#release();
      case 'abandon-reply':
        this.#playout.drop();
        return this.#answer.abandon('resumed');
      case 'hold':
        return this.#hold();
      case 'resume':
        return this.#resume();
      case 'interrupt':
        return this.#finish('interrupted');
      case 'discard-turn':
        return this.#listener.stopKeeping();
      case 'apologize':
        this.#playout.drop();
        this.#playout.begin();
        return this.#answer.apologize(turn, this.#nowMs);
    }
  }

  #show(): void {
    const phase = this.#turn.phase;
    const state = phase === 'user-paused' ? 'user-speaking' : phase;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#effects.emit({ type: 'state', state });
    if (state === 'listening') this.#sayPending();
  }

  #sayPending(): void {
    if (this.#pendingSay.length === 0 || this.#turn.phase !== 'listening' || this.#listener.candidate) return;
    this.#playout.begin();
    this.#answer.say(this.#turn.turn, this.#pendingSay.splice(0), this.#nowMs);
    this.#step({ type: 'say' });
  }

  #release(): void {
    const reply = this.#answer.reply;
    if (reply === null) return;
    if (!reply.released && reply.to !== null)
      this.#effects.emit({ type: 'transcript', turn: reply.turn, text: reply.to });
    reply.caller = {
      startMs: this.#callerStartMs,
      endMs: this.#callerEndMs,
      endpointedMs: this.#endpointedMs,
      waits: this.#sttWaits,
    };
    reply.released = true;
    reply.held = false;
    reply.heldAtMs = null;
    this.#sound();
    this.#finishIfHeard();
  }

  #hold(): void {
    const reply = this.#answer.reply;
    if (reply !== null) {
      reply.held = true;
      reply.heldAtMs = this.#nowMs;
    }
    this.#playout.hold(this.#nowMs);
    this.#effects.clearAudio();
  }

  #resume(): void {
    const reply = this.#answer.reply;
    if (reply === null) return;
    reply.held = false;
    reply.heldAtMs = null;
    this.#effects.emit({ type: 'resumed', turn: reply.turn });
    this.#sound();
    this.#finishIfHeard();
  }

  // ---- what is heard ----

  #speech(pieceId: number, samples: Int16Array): void {
    const wasEmpty = this.#playout.empty;
    let taken: number;
    if (pieceId === this.#answer.interjection) {
      // The answer was quicker than the sign of life.
      if (!this.#playout.empty && !this.#playout.interjecting) return;
      taken = this.#playout.interject(samples);
    } else {
      const reply = this.#answer.reply;
      const piece = reply?.piece(pieceId);
      if (reply === null || piece === undefined || piece.complete) return;
      taken = this.#playout.write(piece, samples);
      if (reply.endWait('tts', this.#nowMs)) reply.beginWait('playout', false, this.#nowMs);
    }
    if (taken < samples.length)
      this.#effects.emit({ type: 'dropped', what: 'speech samples', count: samples.length - taken });
    if (wasEmpty) this.#sound();
  }

  #spoken(pieceId: number): void {
    const piece = this.#answer.reply?.piece(pieceId);
    if (piece !== undefined && !piece.complete) this.#playout.complete(piece);
  }

  #sound(): void {
    if (this.sounding && !this.#playout.empty) this.#effects.audioReady();
  }

  pull(out: Int16Array, nowMs: number): number {
    if (this.#endReason !== null) {
      out.fill(0);
      return 0;
    }
    this.#nowMs = nowMs;
    const speech = this.#playout.read(out, this.#open, nowMs);
    if (this.#playout.becameAudible) {
      this.#listener.stopKeeping();
      this.#answer.interjection = null;
      this.#step(REPLY_AUDIBLE);
    }
    this.#finishIfHeard();
    return speech;
  }

  #finishIfHeard(): void {
    const reply = this.#answer.reply;
    if (reply === null || !this.#open || !reply.spoken || !this.#playout.empty) return;
    if (this.#nowMs < this.#playout.endMs) this.#effects.wakeAt(this.#playout.endMs);
    else this.#finish('finished');
  }

  /** The reply is over: remember what was heard of it, and enter it in the ledger. */
  #finish(how: 'finished' | 'interrupted' | 'closed'): void {
    const reply = this.#answer.reply;
    if (reply === null) return;
    const heardTo = this.#playout.heardPosition(reply.heldAtMs ?? this.#nowMs);
    const heard = reply.pieces.map((p) =>
      how === 'finished' && p.samples > 0 ? p.text : this.#playout.heardOf(p, heardTo),
    );
    const caller = reply.caller;
    const said = heard.filter((t) => t !== '').join(' ');
    if (how === 'interrupted') {
      this.#effects.emit({
        type: 'interrupted',
        turn: reply.turn,
        atMs: this.#listener.clockMs(reply.heldAtMs ?? this.#nowMs),
        heard: said,
      });
    } else this.#effects.emit({ type: 'reply', turn: reply.turn, text: said });
    this.#enter(
      ledgerTurn(
        {
          turn: reply.turn,
          callerText: reply.to,
          callerStartMs: caller?.startMs ?? this.#nowMs,
          callerEndMs: caller?.endMs ?? this.#nowMs,
          endpointedMs: caller?.endpointedMs ?? this.#nowMs,
          waits: [...(caller?.waits ?? []), ...reply.waits],
          text: reply.text,
          heard: said,
          audibleMs: this.#playout.audibleMs,
          audibleEndMs: this.#playout.audibleEndMs,
          interruptedMs: how === 'interrupted' ? (reply.heldAtMs ?? this.#nowMs) : null,
        },
        this.#listener.zeroMs,
      ),
    );
    this.#answer.close(heard, how === 'finished' ? null : how);
    this.#playout.drop();
    if (how !== 'finished') return;
    this.#step(REPLY_FINISHED);
    if (reply.last) this.#close('model failure');
  }

  #enter(turn: LedgerTurn): void {
    if (this.#turns.length === MAX_LEDGER_TURNS) this.#turns.shift();
    this.#turns.push(turn);
    this.#effects.emit({ type: 'turn', ledger: turn });
  }

  #close(reason: string): void {
    this.#finish('closed');
    this.#effects.cancel({ turn: this.#turn.turn, what: 'transcribe', reason: 'closed' });
    this.#durationMs = Math.round(Math.max(0, this.#listener.clockMs(this.#nowMs)));
    this.#endReason = reason;
    this.#effects.clearAudio();
    this.#effects.end(reason);
  }

  ledger(startedAt: (hostMs: number) => string): Ledger {
    const zeroMs = this.#listener.zeroMs;
    const { id, agent, transport } = this.#options;
    const durationMs =
      this.#endReason === null ? Math.max(0, this.#listener.clockMs(this.#nowMs) || 0) : this.#durationMs;
    return {
      version: 1,
      session: { id, agent, transport, startedAt: startedAt(zeroMs), durationMs, endReason: this.#endReason ?? '' },
      turns: this.#turns,
      audio: { framesIn: this.framesIn, framesLate: this.framesLate, quality: null },
    };
  }

  snapshot(): SessionSnapshot {
    return {
      version: 1,
      options: this.#options,
      clockMs: Math.max(0, this.#listener.clockMs(this.#nowMs) || 0),
      turn: this.#turn.turn,
      nextId: this.#answer.nextId + this.#turn.take,
      messages: [...this.#conversation.messages],
      turns: [...this.#turns],
    };
  }
}
