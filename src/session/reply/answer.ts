// Makes the agent's answers: asks the model round by round, runs its tools, hands its text piece by piece to the voice.
import { type Conversation, type Message, STILL_RUNNING } from '../conversation.ts';
import type { CancelReason, Effects } from '../effects.ts';
import type { SessionOptions } from '../options.ts';
import { isSpeakable, PieceSplitter } from './pieces.ts';
import { type Canned, type Piece, Reply } from './reply.ts';

/** Turns in a row that a model failed in before the call is given up. */
const MAX_FAILURES = 3;
/** About a quarter of an hour of speech: what a model writes beyond it is not taken. */
const MAX_REPLY_CHARS = 16_000;
const MAX_CALLS_PER_ROUND = 64;

export class Answer {
  readonly #effects: Effects;
  readonly #conversation: Conversation;
  #options: SessionOptions;
  /** The reply that is being made, spoken or held. */
  reply: Reply | null = null;
  /** A stock phrase on its way that belongs to no reply. */
  interjection: number | null = null;
  /** The turn in which it was last said. */
  #interjectedTurn = -1;
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
    reply.openSinceMs = nowMs;
    this.reply = reply;
    for (const text of texts) {
      const splitter = new PieceSplitter(this.#options.reply);
      for (const piece of [...splitter.push(text), ...splitter.flush()]) this.#synthesize(reply, piece, null, nowMs);
    }
  }

  /** The call is being ended by us. */
  farewell(turn: number, nowMs: number): void {
    this.say(turn, [], nowMs);
    const reply = this.reply as Reply;
    reply.last = true;
    this.#synthesize(reply, this.#options.phrases.goodbye, 'goodbye', nowMs);
  }

  /** Nothing could be understood: the turn is answered with an apology. */
  apologize(turn: number, nowMs: number): void {
    this.reply = new Reply(turn, '', this.#options.reply);
    this.#giveUp(this.reply, nowMs);
  }

  /** A sign of life while nothing is heard; once in a turn. */
  interject(turn: number): void {
    if (!this.mayInterject(turn)) return;
    this.#interjectedTurn = turn;
    this.interjection = this.#nextId++;
    this.#effects.synthesize({ turn, piece: this.interjection, text: this.#options.phrases.wait, canned: 'wait' });
  }

  mayInterject(turn: number): boolean {
    return this.#interjectedTurn !== turn && this.interjection === null;
  }

  token(roundId: number, text: string, nowMs: number): void {
    const reply = this.reply;
    const round = reply?.round;
    if (reply === null || round?.id !== roundId || round.done || reply.written) return;
    const taken = text.slice(0, Math.max(0, MAX_REPLY_CHARS - round.text.length));
    for (const piece of reply.push(taken)) this.#synthesize(reply, piece, null, nowMs);
  }

  toolCall(roundId: number, call: { id: string; name: string; arguments: string }): void {
    const round = this.reply?.round;
    if (round?.id !== roundId || round.done || this.reply?.written === true) return;
    // Calls that were not offered are not run: a model that insists would go round for ever.
    if (round.tools && round.calls.length < MAX_CALLS_PER_ROUND) round.calls.push(call);
  }

  /** The model has ended a round. Returns false when the whole answer is empty: that is a failure. */
  roundDone(roundId: number, nowMs: number): boolean {
    const reply = this.reply;
    const round = reply?.round ?? null;
    if (reply === null || round?.id !== roundId || round.done || reply.written) return true;
    for (const piece of reply.flush()) this.#synthesize(reply, piece, null, nowMs);
    reply.endWait('llm', nowMs);
    round.done = true;
    if (round.calls.length > 0) {
      // Tools change the world: they wait until the turn is sure.
      if (reply.released) this.#runTools(reply, nowMs);
      return true;
    }
    reply.written = true;
    if (reply.rounds.some((r) => r.started) || reply.pieces.length > 0) return true;
    this.#giveUp(reply, nowMs);
    return false;
  }

  /** The turn is over: what waited for that may run. */
  released(nowMs: number): void {
    const reply = this.reply;
    if (reply?.round?.done === true && !reply.round.started && !reply.written) this.#runTools(reply, nowMs);
  }

  #runTools(reply: Reply, nowMs: number): void {
    const round = reply.round;
    if (round === null) return;
    round.started = true;
    reply.toolsSinceMs = nowMs;
    if (reply.pieces.length === 0) reply.beginWait('tools', false, nowMs);
    for (const { id, name, arguments: args } of round.calls) {
      this.#effects.emit({ type: 'tool', turn: reply.turn, callId: id, name, phase: 'started' });
      this.#effects.runTool({ turn: reply.turn, callId: id, name, arguments: args });
    }
  }

  toolResult(turn: number, callId: string, output: string, isError: boolean, nowMs: number): void {
    const reply = this.reply;
    const round = reply?.round ?? null;
    const call = round?.started === true ? round.calls.find((c) => c.id === callId) : undefined;
    const phase = isError ? 'failed' : 'finished';
    this.#effects.emit({ type: 'tool', turn, callId, name: call?.name ?? this.#conversation.toolName(callId), phase });
    if (reply === null || round === null || call === undefined) {
      this.#conversation.completeTool(callId, output);
      return;
    }
    round.results.set(callId, output);
    if (reply.openCalls().length > 0 || reply.written) return;
    reply.endWait('tools', nowMs);
    this.#generate(reply, !reply.released, nowMs);
  }

  /** The model (`llm`) or the voice (`tts`) gave up; returns false when it was about something older. */
  failed(stage: 'llm' | 'tts', ref: number, nowMs: number): boolean {
    const reply = this.reply;
    if (reply === null) return false;
    const piece = stage === 'tts' ? reply.piece(ref) : undefined;
    if (stage === 'llm' ? reply.round?.id !== ref || reply.round.done : piece === undefined || piece.complete)
      return false;
    if (reply.failed) {
      // Even the stock phrase can not be spoken: silence is all that is left.
      if (piece !== undefined) breakOff(piece);
      return true;
    }
    if (stage === 'tts') {
      this.#effects.cancel({ turn: reply.turn, what: 'reply', reason: 'failed' });
      for (const p of reply.pieces) if (!p.complete) breakOff(p);
    }
    this.#giveUp(reply, nowMs);
    return true;
  }

  /** Nothing of the reply was heard: as if it had never begun. */
  abandon(reason: CancelReason): void {
    const reply = this.reply;
    if (reply === null) return;
    this.#stop(reply, reason);
    // Tools may have changed the world: the model must know, although nothing was heard.
    if (reply.rounds.some((r) => r.started)) this.#conversation.add(...remembered(reply, []));
    this.reply = null;
  }

  /** The reply is over; `heard`: what was heard of each piece. */
  close(heard: readonly string[], cancel: CancelReason | null): void {
    const reply = this.reply;
    if (reply === null) return;
    if (cancel !== null) this.#stop(reply, cancel);
    if (!reply.failed && reply.to !== null && (cancel === null || heard.some((t) => t !== ''))) this.#failures = 0;
    this.#conversation.add(...remembered(reply, heard));
    this.reply = null;
  }

  #stop(reply: Reply, reason: CancelReason): void {
    this.#effects.cancel({ turn: reply.turn, what: 'reply', reason });
    this.interjection = null;
    for (const { id, name } of reply.openCalls()) {
      if (this.#options.tools.find((t) => t.name === name)?.interruptible === true)
        this.#effects.cancelTool({ callId: id });
    }
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
    reply.beginRound(round, tools);
    reply.beginWait('llm', true, nowMs);
    this.#effects.generate({ turn: reply.turn, round, early, tools, messages });
  }

  #synthesize(reply: Reply, text: string, canned: Canned | null, nowMs: number): Piece {
    const isSound = canned !== null || isSpeakable(text);
    if (isSound && !reply.pieces.some((p) => !p.complete || p.samples > 0)) {
      reply.endWait('llm', nowMs);
      reply.beginWait('tts', canned === null, nowMs);
    }
    const piece = reply.addPiece(this.#nextId++, text, canned);
    if (isSound) this.#effects.synthesize({ turn: reply.turn, piece: piece.id, text, canned });
    else piece.complete = true;
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
}

function breakOff(piece: Piece): void {
  piece.complete = true;
  piece.broken = true;
}

/** What the model is told later of a reply: the caller's words, each round of tools, and what was heard of each piece. */
export function remembered(reply: Reply, heard: readonly string[]): Message[] {
  const messages: Message[] = [];
  if (reply.to !== null && reply.to !== '') messages.push({ role: 'user', content: reply.to });
  const heardIn = (round: number) =>
    reply.pieces
      .map((p, i) => (p.round === round && p.canned === null ? (heard[i] ?? '') : ''))
      .filter((t) => t !== '')
      .join(' ');
  for (const [i, round] of reply.rounds.entries()) {
    const content = heardIn(i);
    if (round.started) {
      messages.push({ role: 'assistant', content, toolCalls: round.calls });
      for (const { id } of round.calls)
        messages.push({ role: 'tool', toolCallId: id, content: round.results.get(id) ?? STILL_RUNNING });
    } else if (content !== '') messages.push({ role: 'assistant', content });
  }
  if (reply.rounds.length === 0 && heardIn(-1) !== '') messages.push({ role: 'assistant', content: heardIn(-1) });
  return messages;
}
