// One conversation: inputs with their time in, effects out. It owns no clock, no promise and no random: same inputs, same effects.
import type { Analyzer } from '../audio/core.ts';
import { Conversation } from './conversation.ts';
import type { Effects, SessionState } from './effects.ts';
import type { SessionEvent, TuningChange } from './inputs.ts';
import { type Ledger, type LedgerTurn, ledgerTurn, type SpeechScores, type TurnMarks, type Wait } from './ledger.ts';
import { JitterBuffer } from './listen/jitter-buffer.ts';
import { Listener, type ListenerEvents } from './listen/listener.ts';
import { QualityLog, type QualitySummary } from './listen/quality-log.ts';
import type { SessionOptions } from './options.ts';
import type { SessionSnapshot } from './snapshot.ts';
import { type ReplyEnd, Speaker, type SpeakerEvents } from './speaker.ts';
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
  /** How full the queue of speech is, in ms; more than 4.2 s is not taken. */
  readonly queuedMs: number;
  /** True while a pull can give something. */
  readonly sounding: boolean;
  readonly ended: boolean;
  readonly framesIn: number;
  readonly framesLate: number;
  /** Decision time less due time of the newest frame, in ms. */
  readonly frameLatencyMs: number;
  /** What the windows of the caller's audio add up to. */
  readonly quality: QualitySummary;
  /** The reply that is being spoken and the words of it that were heard by now; null while there is none. Changes nothing. */
  heardSoFar(nowMs: number): { readonly turn: number; readonly text: string } | null;
  /** `startedAt` writes a time of the host's clock as ISO 8601. */
  ledger(startedAt: (hostMs: number) => string): Ledger;
  snapshot(): SessionSnapshot;
}

/** Turns that a ledger keeps; a longer call loses its oldest. */
const MAX_LEDGER_TURNS = 1000;
/** How long after it was due an endpoint is decided without audio (the client has stopped sending), in ms. */
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

class CallSession implements Session, ListenerEvents, SpeakerEvents {
  #options: SessionOptions;
  readonly #effects: Effects;
  readonly #listener: Listener;
  /** Null where packets come in order. */
  readonly #jitter: JitterBuffer | null;
  readonly #quality: QualityLog;
  readonly #speaker: Speaker;
  readonly #turns: LedgerTurn[] = [];
  readonly #pendingSay: string[] = [];
  #turn: TurnState = INITIAL_TURN_STATE;
  #shown: SessionState = 'listening';
  /** Marks of the turn that is being formed, times on the host's clock. */
  #callerStartMs = 0;
  #callerEndMs = 0;
  #endpointedMs = 0;
  #speech: SpeechScores | undefined;
  #sttWaits: Wait[] = [];
  #nowMs = 0;
  /** The wake-up that was asked for and has not come. */
  #wakeMs = Infinity;
  /** The state has changed since it was last asked when to wake up. */
  #stepped = false;
  /** The agent takes its leave: why. From then on nobody's words or sounds change anything. */
  #farewell: string | null = null;
  #endReason: string | null = null;
  #durationMs = 0;

  constructor(options: SessionOptions, analyzer: Analyzer, effects: Effects, snapshot: SessionSnapshot | undefined) {
    this.#options = options;
    this.#effects = effects;
    this.#listener = new Listener(options, analyzer, this);
    this.#jitter = options.lossy === true ? new JitterBuffer(options.inputRateHz, this.#listener) : null;
    this.#quality = new QualityLog(analyzer, this.#jitter);
    const conversation = new Conversation(options.reply.maxMessages, snapshot?.messages);
    this.#speaker = new Speaker(options, effects, conversation, snapshot?.nextId ?? 1, this);
    if (snapshot === undefined) return;
    this.#turns.push(...snapshot.turns);
    this.#pendingSay.push(...snapshot.pendingSay);
    this.#turn = { ...INITIAL_TURN_STATE, turn: snapshot.turn, take: snapshot.nextId };
    this.#listener.continueAt(snapshot.clockMs);
  }

  get queuedMs(): number {
    return this.#speaker.queuedMs;
  }
  get sounding(): boolean {
    return this.#speaker.sounding;
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
  get quality(): QualitySummary {
    return this.#quality.summary;
  }

  // ---- the caller's audio ----

  audio(packet: Uint8Array, position: number, nowMs: number): void {
    if (this.#endReason !== null) return;
    this.#nowMs = nowMs;
    if (this.#jitter === null) this.#listener.packet(packet, position, nowMs);
    else {
      this.#jitter.packet(packet, position, nowMs);
      this.#listener.allowanceMs = this.#jitter.depthMs;
    }
    if (this.#stepped || this.#jitterWakeMs < this.#wakeMs) this.#settle();
  }

  /** When the jitter buffer gives up a hole. */
  get #jitterWakeMs(): number {
    return this.#jitter === null ? Infinity : this.#jitter.wakeMs;
  }

  /** From the listener: speech was found to begin or to have ended. */
  speechChanged(change: 'start' | 'stop'): void {
    const started = change === 'start';
    const atMs = started ? this.#listener.onsetMs : this.#listener.lastVoicedMs;
    this.#effects.emit({ type: started ? 'speech-start' : 'speech-stop', atMs });
    this.#step(started ? SPEECH_START : SPEECH_STOP);
  }

  /** From the listener: one more frame is through, its end at `endMs` of the session clock. */
  frameDone(endMs: number): void {
    const report = this.#quality.frame(endMs);
    if (report !== null) this.#effects.emit(report);
    const { phase } = this.#turn;
    const listener = this.#listener;
    if (listener.speaking) {
      // A turn that was too long is answered before the caller, who still speaks, is heard again.
      const over = phase === 'agent-speaking' || (phase === 'thinking' && !listener.full);
      if (over && isBargeIn(this.#options.turns, listener.voicedMs)) this.#step(BARGE_IN);
      else if (phase === 'user-speaking' && listener.full) {
        listener.cutSpeech();
        this.#endTurn();
      }
    } else if (phase === 'user-paused') {
      if (!listener.candidate && endMs >= this.#endpointDueMs) this.#endTurn();
    } else if (this.#pendingSay.length > 0) this.#sayPending();
  }

  get #endpointDueMs(): number {
    return this.#listener.lastVoicedMs + endpointingDelayMs(this.#options.turns, null);
  }

  #endTurn(): void {
    this.#endpointedMs = this.#nowMs;
    this.#callerEndMs = this.#listener.hostMs(this.#listener.lastVoicedMs);
    this.#speech = this.#listener.speechScores;
    this.#step(SILENCE);
  }

  // ---- answers and news ----

  event(event: SessionEvent, nowMs: number): void {
    if (this.#endReason !== null) return;
    this.#nowMs = nowMs;
    this.#listener.begin(nowMs);
    this.#take(event, nowMs);
    if (this.#endReason !== null) return;
    this.#speaker.finishIfHeard(nowMs);
    this.#settle();
  }

  #take(event: SessionEvent, nowMs: number): void {
    const speaker = this.#speaker;
    switch (event.type) {
      case 'transcript':
        this.#endSttWait(event.take);
        return this.#step({ type: 'transcript', take: event.take, text: event.text.trim() });
      case 'token':
        return speaker.token(event.round, event.text, nowMs);
      case 'tool-call':
        return speaker.toolCall(event.round, event.call);
      case 'generated': {
        const { turn, inputTokens, outputTokens } = event;
        if (inputTokens !== null && outputTokens !== null)
          this.#effects.emit({ type: 'usage', turn, inputTokens, outputTokens });
        return speaker.roundDone(turn, event.round, nowMs);
      }
      case 'speech':
        return speaker.speech(event.piece, event.samples, nowMs);
      case 'spoken':
        return speaker.spoken(event.piece);
      case 'tool-result':
        return speaker.toolResult(event.turn, event.callId, event.output, event.isError, nowMs);
      case 'failure':
        if (event.stage === 'stt') return this.#deaf(event.turn, event.ref, event.kind);
        return speaker.failed(event.stage, event.turn, event.ref, event.kind, nowMs);
      case 'stalled':
        return speaker.stalled(event.stage, event.turn, event.ref);
      case 'played':
        return speaker.played(event.position);
      case 'text':
        return this.#typed(event.text.trim());
      case 'dtmf':
        return this.#typed(`(pressed ${event.digit})`);
      case 'say':
        if (event.text.trim() !== '') this.#pendingSay.push(event.text.trim());
        return this.#sayPending();
      case 'tuning':
        return this.#tune(event.change);
      case 'farewell':
        return this.#bidFarewell(event.reason);
      case 'close':
        return this.#close(event.reason);
      default:
        this.#effects.emit({ type: 'dropped', what: 'unknown event', count: 1 });
    }
  }

  wake(nowMs: number): void {
    if (this.#endReason !== null) return;
    this.#nowMs = nowMs;
    this.#wakeMs = Infinity;
    this.#jitter?.advance(nowMs);
    if (nowMs >= this.#lineSilentMs()) {
      this.#listener.cutSpeech();
      if (this.#turn.phase === 'user-speaking') this.#step(SPEECH_STOP);
      this.#endTurn();
    }
    this.#speaker.finishIfHeard(nowMs);
    this.#settle();
  }

  /** When the turn ends although no audio comes that would end it; Infinity: no turn is being formed. */
  #lineSilentMs(): number {
    const { phase } = this.#turn;
    if (phase === 'user-paused') return this.#listener.hostMs(this.#endpointDueMs + SILENT_LINE_MS);
    if (phase !== 'user-speaking') return Infinity;
    const delayMs = endpointingDelayMs(this.#options.turns, null);
    return this.#listener.hostMs(this.#listener.frameEndMs + delayMs + SILENT_LINE_MS);
  }

  /** After each input: a sign of life where one is due, and the next wake-up. */
  #settle(): void {
    this.#stepped = false;
    if (this.#endReason !== null) return;
    const { phase, turn, takePending, take } = this.#turn;
    this.#speaker.bridge(turn, phase === 'thinking', takePending ? take : null, this.#nowMs);
    const wantedMs = Math.min(this.#lineSilentMs(), this.#speaker.wakeMs, this.#jitterWakeMs);
    // A wake-up that comes too early asks again; one that is not needed any more does no harm.
    if (wantedMs >= this.#wakeMs) return;
    this.#wakeMs = wantedMs;
    this.#effects.wakeAt(wantedMs);
  }

  #typed(text: string): void {
    if (text === '') return;
    this.#callerStartMs = this.#nowMs;
    this.#callerEndMs = this.#nowMs;
    this.#speech = undefined;
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
    this.#speaker.tune(this.#options);
  }

  #bidFarewell(reason: string): void {
    if (this.#farewell !== null) return;
    this.#pendingSay.length = 0;
    this.#listener.stopKeeping();
    this.#step({ type: 'farewell' });
    this.#farewell = reason;
  }

  #endSttWait(take: number): void {
    const wait = this.#sttWaits[this.#sttWaits.length - 1];
    if (take === this.#turn.take && wait !== undefined) wait.toMs = Math.min(wait.toMs, this.#nowMs);
  }

  /** The recognizer gave up. */
  #deaf(turn: number, take: number, kind: string): void {
    if (take !== this.#turn.take || !this.#turn.takePending) return;
    this.#endSttWait(take);
    this.#effects.emit({ type: 'failure', stage: 'stt', turn, kind });
    this.#step({ type: 'transcript-failed', take });
  }

  // ---- whose turn it is ----

  #step(input: TurnInput): void {
    if (this.#farewell !== null && input !== REPLY_AUDIBLE) return;
    const { state, decisions } = stepTurn(this.#turn, input, this.#options.turns);
    this.#turn = state;
    this.#stepped = true;
    for (const decision of decisions) this.#decide(decision);
    this.#show();
  }

  #decide(decision: TurnDecision): void {
    const { turn } = this.#turn;
    const speaker = this.#speaker;
    switch (decision.do) {
      case 'begin-turn':
        this.#sttWaits = [];
        this.#callerStartMs = this.#listener.hostMs(this.#listener.onsetMs);
        return this.#listener.keep();
      case 'go-on':
        if (this.#listener.keeping) return;
        this.#callerStartMs = this.#listener.hostMs(this.#listener.onsetMs);
        return this.#listener.keep();
      case 'transcribe': {
        const { take, early } = decision;
        this.#sttWaits.push({ name: 'stt', provider: true, fromMs: this.#nowMs, toMs: Infinity });
        return this.#effects.transcribe({ turn, take, early, pcm: this.#listener.utterance() });
      }
      case 'cancel-transcribe':
        this.#sttWaits.pop();
        return this.#effects.cancel({ turn, what: 'transcribe', reason: 'resumed' });
      case 'respond':
        return speaker.respond(turn, decision.text, decision.early, this.#nowMs);
      case 'release': {
        const [startMs, endMs, endpointedMs] = [this.#callerStartMs, this.#callerEndMs, this.#endpointedMs];
        return speaker.release(
          { startMs, endMs, endpointedMs, waits: [...this.#sttWaits], speech: this.#speech },
          this.#nowMs,
        );
      }
      case 'abandon-reply':
        return speaker.abandon();
      case 'hold':
        return speaker.hold(this.#nowMs);
      case 'resume':
        return speaker.resume(this.#nowMs);
      case 'interrupt':
        return speaker.interrupt(this.#nowMs);
      case 'discard-turn':
        return this.#listener.stopKeeping();
      case 'apologize':
        return speaker.apologize(turn, this.#nowMs);
      case 'bid-farewell':
        return speaker.farewell(turn, this.#nowMs);
    }
  }

  #show(): void {
    const { phase } = this.#turn;
    const state = phase === 'user-paused' ? 'user-speaking' : phase;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#effects.emit({ type: 'state', state });
    if (state === 'listening') this.#sayPending();
  }

  #sayPending(): void {
    if (this.#pendingSay.length === 0 || this.#turn.phase !== 'listening' || this.#listener.candidate) return;
    this.#speaker.say(this.#turn.turn, this.#pendingSay.splice(0), this.#nowMs);
    this.#step({ type: 'say' });
  }

  // ---- what is heard ----

  pull(out: Int16Array, nowMs: number): number {
    if (this.#endReason !== null) {
      out.fill(0);
      return 0;
    }
    this.#nowMs = nowMs;
    const speech = this.#speaker.pull(out, nowMs);
    if (this.#endReason === null) this.#settle();
    return speech;
  }

  /** From the speaker: the caller hears the reply's first sound. */
  replyAudible(): void {
    this.#listener.stopKeeping();
    this.#step(REPLY_AUDIBLE);
  }

  /** From the speaker: nothing more of the reply is heard. */
  replyOver(marks: TurnMarks, how: ReplyEnd, last: boolean): void {
    const { turn, heard } = marks;
    if (how === 'interrupted') {
      const atMs = this.#listener.clockMs(marks.interruptedMs ?? this.#nowMs);
      this.#effects.emit({ type: 'interrupted', turn, atMs, heard });
    } else this.#effects.emit({ type: 'reply', turn, text: heard });
    if (this.#turns.length === MAX_LEDGER_TURNS) this.#turns.shift();
    const entry = ledgerTurn(marks, this.#listener.zeroMs);
    this.#turns.push(entry);
    this.#effects.emit({ type: 'turn', ledger: entry });
    if (how !== 'finished') return;
    // A voice that goes on after the call was given up would begin another turn.
    if (last) this.#close(this.#farewell ?? 'model failure');
    else this.#step(REPLY_FINISHED);
  }

  heardSoFar(nowMs: number): { readonly turn: number; readonly text: string } | null {
    return this.#endReason === null ? this.#speaker.heardSoFar(nowMs) : null;
  }

  #close(reason: string): void {
    this.#speaker.close(this.#nowMs);
    this.#effects.cancel({ turn: this.#turn.turn, what: 'transcribe', reason: 'closed' });
    this.#durationMs = Math.round(Math.max(0, this.#listener.clockMs(this.#nowMs)));
    this.#endReason = reason;
    this.#listener.stop();
    this.#effects.clearAudio();
    this.#effects.end(reason);
  }

  ledger(startedAt: (hostMs: number) => string): Ledger {
    const zeroMs = this.#listener.zeroMs;
    const { id, agent, transport } = this.#options;
    const durationMs = this.#endReason === null ? this.#clockMs() : this.#durationMs;
    return {
      version: 1,
      session: { id, agent, transport, startedAt: startedAt(zeroMs), durationMs, endReason: this.#endReason ?? '' },
      turns: this.#turns,
      audio: { framesIn: this.framesIn, framesLate: this.framesLate, quality: this.quality.score },
    };
  }

  #clockMs(): number {
    return Math.max(0, this.#listener.clockMs(this.#nowMs) || 0);
  }

  snapshot(): SessionSnapshot {
    return {
      version: 1,
      options: this.#options,
      clockMs: this.#clockMs(),
      turn: this.#turn.turn,
      nextId: this.#speaker.nextId + this.#turn.take,
      messages: this.#speaker.messages(this.#nowMs),
      turns: [...this.#turns],
      pendingSay: [...this.#pendingSay],
    };
  }
}
