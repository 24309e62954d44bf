// Makes the agent's answers: asks the model round by round, runs its tools, hands its text piece by piece to the voice.
import type { Conversation, Message } from '../conversation.ts';
import type { CancelReason, Effects } from '../effects.ts';
import type { SessionOptions } from '../options.ts';
import { type Canned, type Piece, Reply } from './reply.ts';

/** Turns in a row that a model failed in before the call is given up. */
const MAX_FAILURES = 3;

export class Answer {
  readonly #effects: Effects;
  readonly #conversation: Conversation;
  #options: SessionOptions;
  /** The reply that is being made, spoken or held. */
  reply: Reply | null = null;
  /** A stock phrase on its way that belongs to no reply. */
  interjection: number | null = null;
  #nextId: number;
  #failures = 0;

  constructor(options: SessionOptions, effects: Effects, conversation: Conversation, nextId: number) {
    this.#options = options;
    this.#effects = effects;
    this.#conversation = conversation;
    this.#nextId = nextId;
  }

  get nextId(): number {
    return this.#nextId;
  }

  tune(options: SessionOptions): void {
    this.#options = options;
  }

  /** Begins to answer `text`. */
  respond(turn: number, text: string, early: boolean, nowMs: number): void {
    const reply = new Reply(turn, text, this.#options.reply);
    this.reply = reply;
    this.#generate(reply, early, nowMs);
  }

  /** Speaks without being asked. */
  say(turn: number, texts: readonly string[], nowMs: number): void {
    const reply = new Reply(turn, null, this.#options.reply);
    reply.written = true;
    reply.released = true;
    this.reply = reply;
    for (const text of texts) this.#synthesize(reply, text, null, nowMs);
  }

  /** Nothing could be understood: the turn is answered with an apology. */
  apologize(turn: number, nowMs: number): void {
    this.reply = new Reply(turn, '', this.#options.reply);
    this.#giveUp(this.reply, nowMs);
  }

  /** A sign of life while a model is silent; once in a turn. */
  interject(turn: number): void {
    this.interjection = this.#nextId++;
    this.#effects.synthesize({ turn, piece: this.interjection, text: this.#options.phrases.wait, canned: 'wait' });
  }

  token(roundId: number, text: string, nowMs: number): void {
    const reply = this.reply;
    if (reply?.round?.id !== roundId || reply.written) return;
    for (const piece of reply.push(text)) this.#synthesize(reply, piece, null, nowMs);
  }

  toolCall(roundId: number, call: { id: string; name: string; arguments: string }): void {
    if (this.reply?.round?.id === roundId && !this.reply.written) this.reply.round.calls.push(call);
  }

  /** The model has ended a round. */
  roundDone(roundId: number, nowMs: number): void {
    const reply = this.reply;
    const round = reply?.round ?? null;
    if (reply === null || round?.id !== roundId || round.done || reply.written) return;
    for (const piece of reply.flush()) this.#synthesize(reply, piece, null, nowMs);
    reply.endWait('llm', nowMs);
    round.done = true;
    reply.written = round.calls.length === 0;
    if (round.calls.length === 0) return;
    if (reply.pieces.length === 0) reply.beginWait('tools', false, nowMs);
    for (const { id, name, arguments: args } of round.calls) {
      this.#effects.emit({ type: 'tool', turn: reply.turn, callId: id, name, phase: 'started' });
      this.#effects.runTool({ turn: reply.turn, callId: id, name, arguments: args });
    }
  }

  toolResult(turn: number, callId: string, output: string, isError: boolean, nowMs: number): void {
    const reply = this.reply;
    const round = reply?.round ?? null;
    const call = round?.calls.find((c) => c.id === callId);
    const phase = isError ? 'failed' : 'finished';
    this.#effects.emit({ type: 'tool', turn, callId, name: call?.name ?? this.#conversation.toolName(callId), phase });
    if (reply === null || round === null || call === undefined) {
      this.#conversation.completeTool(callId, output);
      return;
    }
    round.results.set(callId, output);
    if (round.results.size < round.calls.length || reply.written) return;
    reply.endWait('tools', nowMs);
    this.#generate(reply, !reply.released, nowMs);
  }

  /** The model (`llm`) or the voice (`tts`) gave up; returns false when it was about something older. */
  failed(stage: 'llm' | 'tts', ref: number, nowMs: number): boolean {
    const reply = this.reply;
    if (reply === null) return false;
    const piece = stage === 'tts' ? reply.piece(ref) : undefined;
    if (stage === 'llm' ? reply.round?.id !== ref : piece === undefined || piece.complete) return false;
    if (reply.failed) {
      // Even the stock phrase can not be spoken: silence is all that is left.
      if (piece !== undefined) piece.complete = true;
      return true;
    }
    if (stage === 'tts') {
      this.#effects.cancel({ turn: reply.turn, what: 'reply', reason: 'failed' });
      for (const p of reply.pieces) p.complete = true;
    }
    this.#giveUp(reply, nowMs);
    return true;
  }

  /** Nothing of the reply was heard: as if it had never begun. */
  abandon(reason: CancelReason): void {
    const reply = this.reply;
    if (reply === null) return;
    this.#effects.cancel({ turn: reply.turn, what: 'reply', reason });
    // Tools may have changed the world: the model must know, although nothing was heard.
    if (reply.rounds.some((r) => r.calls.length > 0)) this.#remember(reply, []);
    this.reply = null;
  }

  /** The reply is over; `heard`: what was heard of each piece. */
  close(heard: readonly string[], cancel: CancelReason | null): void {
    const reply = this.reply;
    if (reply === null) return;
    if (cancel !== null) {
      this.#effects.cancel({ turn: reply.turn, what: 'reply', reason: cancel });
      for (const call of reply.openCalls()) this.#cancelTool(call.id, call.name);
    }
    if (!reply.failed && cancel === null) this.#failures = 0;
    this.#remember(reply, heard);
    this.reply = null;
  }

  #cancelTool(callId: string, name: string): void {
    if (this.#options.tools.find((t) => t.name === name)?.interruptible === true) this.#effects.cancelTool({ callId });
  }

  #generate(reply: Reply, early: boolean, nowMs: number): void {
    const messages: Message[] = [
      { role: 'system', content: this.#options.instructions },
      ...this.#conversation.messages,
    ];
    if (reply.to !== null) messages.push({ role: 'user', content: reply.to });
    for (const round of reply.rounds) {
      messages.push({ role: 'assistant', content: round.text, toolCalls: [...round.calls] });
      for (const c of round.calls)
        messages.push({ role: 'tool', toolCallId: c.id, content: round.results.get(c.id) ?? '' });
    }
    const tools = reply.rounds.length < this.#options.reply.maxToolRounds;
    const round = this.#nextId++;
    reply.beginRound(round);
    reply.beginWait('llm', true, nowMs);
    this.#effects.generate({ turn: reply.turn, round, early, tools, messages });
  }

  #synthesize(reply: Reply, text: string, canned: Canned | null, nowMs: number): Piece {
    if (reply.pieces.length === 0) {
      reply.endWait('llm', nowMs);
      reply.beginWait('tts', canned === null, nowMs);
    }
    const piece = reply.addPiece(this.#nextId++, text, canned);
    this.#effects.synthesize({ turn: reply.turn, piece: piece.id, text, canned });
    return piece;
  }

  /** Tells the caller that the reply ends here. */
  #giveUp(reply: Reply, nowMs: number): void {
    reply.failed = true;
    reply.written = true;
    this.#failures++;
    reply.last = this.#failures >= MAX_FAILURES;
    const canned = reply.last ? 'goodbye' : 'apology';
    this.#synthesize(reply, this.#options.phrases[canned], canned, nowMs);
  }

  /** What the model is told later: the caller's words, each round of tools, and what was heard. */
  #remember(reply: Reply, heard: readonly string[]): void {
    if (reply.to !== null && reply.to !== '') this.#conversation.add({ role: 'user', content: reply.to });
    const heardIn = (round: number) =>
      reply.pieces
        .map((p, i) => (p.round === round && p.canned === null ? (heard[i] ?? '') : ''))
        .filter((t) => t !== '')
        .join(' ');
    for (const [i, round] of reply.rounds.entries()) {
      if (round.done && round.calls.length > 0) this.#conversation.addToolRound(heardIn(i), round.calls, round.results);
      else if (heardIn(i) !== '') this.#conversation.add({ role: 'assistant', content: heardIn(i) });
    }
    if (reply.rounds.length === 0 && heardIn(-1) !== '')
      this.#conversation.add({ role: 'assistant', content: heardIn(-1) });
  }
}
