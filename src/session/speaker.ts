// The agent's side: its answer, what is heard of it, and what remains of it when it is over.
import type { Conversation, Message } from './conversation.ts';
import type { Effects } from './effects.ts';
import type { Stage } from './inputs.ts';
import type { TurnMarks } from './ledger.ts';
import type { SessionOptions } from './options.ts';
import { Playout } from './playout/playout.ts';
import { Answer, remembered } from './reply/answer.ts';
import type { CallerMarks, Reply } from './reply/reply.ts';

/** A reply that has begun to sound and runs dry is bridged by a stock phrase after this long, ... */
const DRY_MS = 1400;
/** ... tools before its first word after this long. */
const TOOLS_QUIET_MS = 2000;

/** Who is told; called from within the inputs. */
export interface SpeakerEvents {
  replyAudible(): void;
  /** `how`: `finished` was heard to its end. `last`: the call ends with it. */
  replyOver(marks: TurnMarks, how: ReplyEnd, last: boolean): void;
}
export type ReplyEnd = 'finished' | 'interrupted' | 'closed';

/** A sign that a model is silent; it counts until the model has answered. */
interface Stall {
  readonly stage: Stage;
  readonly turn: number;
  readonly ref: number;
}

export class Speaker {
  readonly #effects: Effects;
  readonly #events: SpeakerEvents;
  readonly #conversation: Conversation;
  readonly #playout: Playout;
  readonly #answer: Answer;
  #stall: Stall | null = null;

  constructor(
    options: SessionOptions,
    effects: Effects,
    conversation: Conversation,
    nextId: number,
    events: SpeakerEvents,
  ) {
    this.#effects = effects;
    this.#events = events;
    this.#conversation = conversation;
    this.#playout = new Playout(options.outputRateHz);
    this.#answer = new Answer(options, effects, conversation, nextId);
  }

  get queuedMs(): number {
    return this.#playout.queuedMs;
  }
  get nextId(): number {
    return this.#answer.nextId;
  }
  get sounding(): boolean {
    return this.#open || this.#playout.interjecting || this.#playout.mixer.hasBackground;
  }
  /** The reply may be heard. */
  get #open(): boolean {
    const reply = this.#answer.reply;
    return reply !== null && reply.released && !reply.held;
  }

  tune(options: SessionOptions): void {
    this.#answer.tune(options);
  }

  // ---- what the turn decides ----

  respond(turn: number, text: string, early: boolean, nowMs: number): void {
    this.#playout.begin();
    this.#answer.respond(turn, text, early, nowMs);
  }

  apologize(turn: number, nowMs: number): void {
    this.#playout.begin();
    this.#answer.apologize(turn, nowMs);
  }

  say(turn: number, texts: readonly string[], nowMs: number): void {
    this.#playout.begin();
    this.#answer.say(turn, texts, nowMs);
  }

  farewell(turn: number, nowMs: number): void {
    this.#playout.begin();
    this.#answer.farewell(turn, nowMs);
  }

  /** The turn is over: the reply may be heard. */
  release(caller: CallerMarks, nowMs: number): void {
    const reply = this.#answer.reply;
    if (reply === null) return;
    if (!reply.released) {
      reply.released = true;
      reply.caller = caller;
      if (reply.to !== null && reply.to !== '')
        this.#effects.emit({ type: 'transcript', turn: reply.turn, text: reply.to });
      this.#answer.released(nowMs);
    }
    this.#opened(reply, nowMs);
  }

  resume(nowMs: number): void {
    const reply = this.#answer.reply;
    if (reply === null) return;
    this.#effects.emit({ type: 'resumed', turn: reply.turn });
    this.#opened(reply, nowMs);
  }

  #opened(reply: Reply, nowMs: number): void {
    reply.held = false;
    reply.heldAtMs = null;
    reply.openSinceMs = nowMs;
    this.#sound();
    this.finishIfHeard(nowMs);
  }

  hold(nowMs: number): void {
    const reply = this.#answer.reply;
    if (reply !== null && !reply.held) {
      reply.held = true;
      reply.heldAtMs = nowMs;
    }
    this.#playout.hold(nowMs);
    this.#effects.clearAudio();
  }

  abandon(): void {
    this.#playout.drop();
    this.#answer.abandon('resumed');
  }

  interrupt(nowMs: number): void {
    this.#finish('interrupted', nowMs);
  }

  close(nowMs: number): void {
    this.#finish('closed', nowMs);
  }

  // ---- what the models answer ----

  token(round: number, text: string, nowMs: number): void {
    this.#answer.token(round, text, nowMs);
  }

  toolCall(round: number, call: { id: string; name: string; arguments: string }): void {
    this.#answer.toolCall(round, call);
  }

  roundDone(turn: number, round: number, nowMs: number): void {
    if (!this.#answer.roundDone(round, nowMs))
      this.#effects.emit({ type: 'failure', stage: 'llm', turn, kind: 'protocol' });
  }

  toolResult(turn: number, callId: string, output: string, isError: boolean, nowMs: number): void {
    this.#answer.toolResult(turn, callId, output, isError, nowMs);
  }

  failed(stage: 'llm' | 'tts', turn: number, ref: number, kind: string, nowMs: number): void {
    if (ref === this.#answer.interjection) this.#answer.interjection = null;
    else if (this.#answer.failed(stage, ref, nowMs)) this.#effects.emit({ type: 'failure', stage, turn, kind });
  }

  speech(pieceId: number, samples: Int16Array, nowMs: number): void {
    const wasEmpty = this.#playout.empty;
    let taken: number;
    if (pieceId === this.#answer.interjection) {
      // Zero: the answer was quicker than the sign of life.
      taken = this.#playout.interject(samples);
      if (taken === 0) return;
    } else {
      const reply = this.#answer.reply;
      const piece = reply?.piece(pieceId);
      if (reply === null || piece === undefined || piece.complete) return;
      taken = this.#playout.write(piece, samples);
      if (reply.endWait('tts', nowMs)) reply.beginWait('playout', false, nowMs);
    }
    if (taken < samples.length)
      this.#effects.emit({ type: 'dropped', what: 'speech samples', count: samples.length - taken });
    if (wasEmpty) this.#sound();
  }

  spoken(pieceId: number): void {
    const piece = this.#answer.reply?.piece(pieceId);
    if (piece !== undefined && !piece.complete) this.#playout.complete(piece);
    else if (pieceId === this.#answer.interjection && !this.#playout.interjecting) this.#answer.interjection = null;
  }

  // ---- silence ----

  /** A model shows no sign of life. */
  stalled(stage: Stage, turn: number, ref: number): void {
    this.#stall = { stage, turn, ref };
  }

  /** Gives a sign of life while the caller waits for an answer that does not come. `pendingTake`: the recognition that is out, if one is. */
  bridge(turn: number, thinking: boolean, pendingTake: number | null, nowMs: number): void {
    const reply = this.#answer.reply;
    if (thinking && this.#isStalled(turn, pendingTake) && this.#playout.empty && reply?.failed !== true)
      this.#answer.interject(turn);
    else if (reply !== null && nowMs >= this.#quietDueMs(reply)) this.#answer.interject(reply.turn);
  }

  #isStalled(turn: number, pendingTake: number | null): boolean {
    const stall = this.#stall;
    if (stall === null || stall.turn !== turn) return false;
    if (stall.stage === 'stt') return stall.ref === pendingTake;
    const reply = this.#answer.reply;
    if (stall.stage === 'llm') return reply?.round?.id === stall.ref && !reply.hasBegun;
    const piece = reply?.piece(stall.ref);
    return piece !== undefined && piece.samples === 0 && !piece.complete;
  }

  /** When the caller has waited long enough for the next sound of a reply that is not over. */
  #quietDueMs(reply: Reply): number {
    if (!this.#open || reply.spoken || reply.failed || !this.#playout.empty || !this.#answer.mayInterject(reply.turn))
      return Infinity;
    const sinceMs = Math.max(this.#playout.endMs, reply.openSinceMs);
    if (this.#playout.audibleMs !== null) return sinceMs + DRY_MS;
    return reply.openCalls().length > 0 ? Math.max(sinceMs, reply.toolsSinceMs) + TOOLS_QUIET_MS : Infinity;
  }

  /** When it wants to be woken, although no input comes. */
  get wakeMs(): number {
    const reply = this.#answer.reply;
    if (reply === null || !this.#open) return Infinity;
    if (reply.spoken) return this.#playout.empty ? this.#playout.endMs : Infinity;
    return this.#quietDueMs(reply);
  }

  // ---- what is heard ----

  played(position: number): void {
    this.#playout.reported(position);
  }

  #sound(): void {
    if (this.sounding && !this.#playout.empty) this.#effects.audioReady();
  }

  pull(out: Int16Array, nowMs: number): number {
    const speech = this.#playout.read(out, this.#open, nowMs);
    if (this.#playout.becameAudible) {
      this.#answer.interjection = null;
      this.#events.replyAudible();
    }
    this.finishIfHeard(nowMs);
    return speech;
  }

  finishIfHeard(nowMs: number): void {
    const reply = this.#answer.reply;
    if (reply === null || !this.#open || !reply.spoken || !this.#playout.empty) return;
    if (nowMs >= this.#playout.endMs) this.#finish('finished', nowMs);
  }

  /** The reply is over: tell what was heard of it, and remember that. */
  #finish(how: ReplyEnd, nowMs: number): void {
    const reply = this.#answer.reply;
    if (reply === null) return;
    const atMs = reply.heldAtMs ?? nowMs;
    const heard = this.#heard(reply, how, atMs);
    const said = heard.filter((t) => t !== '').join(' ');
    const { caller } = reply;
    const marks: TurnMarks = {
      turn: reply.turn,
      callerText: reply.to,
      callerStartMs: caller?.startMs ?? atMs,
      callerEndMs: caller?.endMs ?? atMs,
      speech: caller?.speech,
      endpointedMs: caller?.endpointedMs ?? atMs,
      waits: [...(caller?.waits ?? []), ...reply.waits],
      text: reply.text,
      heard: said,
      audibleMs: this.#playout.audibleMs,
      audibleEndMs: this.#playout.audibleEndMs,
      interruptedMs: how === 'interrupted' ? atMs : null,
    };
    this.#answer.close(heard, how === 'finished' ? null : how);
    this.#playout.drop();
    this.#events.replyOver(marks, how, reply.last);
  }

  /** What was heard of each piece. */
  #heard(reply: Reply, how: ReplyEnd, atMs: number): string[] {
    const heardTo = this.#playout.heardPosition(atMs);
    return reply.pieces.map((piece) =>
      how === 'finished' && piece.samples > 0 && !piece.broken ? piece.text : this.#playout.heardOf(piece, heardTo),
    );
  }

  /** The reply that is being spoken, and what was heard of it by now. */
  heardSoFar(nowMs: number): { readonly turn: number; readonly text: string } | null {
    const { reply } = this.#answer;
    if (reply === null || !reply.released) return null;
    const heard = this.#heard(reply, 'closed', reply.heldAtMs ?? nowMs);
    return { turn: reply.turn, text: heard.filter((t) => t !== '').join(' ') };
  }

  /** The conversation as it would be if the reply ended now. */
  messages(nowMs: number): Message[] {
    const { reply } = this.#answer;
    const messages = [...this.#conversation.messages];
    if (reply !== null) messages.push(...remembered(reply, this.#heard(reply, 'closed', reply.heldAtMs ?? nowMs)));
    return messages;
  }
}
