// One answer of the agent while it is made and spoken: rounds of the model, tools between them, pieces for the voice.
import type { ToolCall } from '../conversation.ts';
import type { SpeechScores, Wait } from '../ledger.ts';
import type { ReplyOptions } from '../options.ts';
import { PieceSplitter } from './pieces.ts';

/** A stock phrase that needs no model. */
export type Canned = 'apology' | 'wait' | 'goodbye';

export interface Piece {
  readonly id: number;
  readonly text: string;
  readonly round: number;
  readonly canned: Canned | null;
  /** Position of its first sample in the agent's speech; negative until there is one. */
  startPosition: number;
  samples: number;
  /** No more audio comes; `broken`: although not all of it came. */
  complete: boolean;
  broken: boolean;
}

export interface Round {
  readonly id: number;
  /** The model may call tools in it. */
  readonly tools: boolean;
  text: string;
  done: boolean;
  /** Its tools run or have run. */
  started: boolean;
  readonly calls: ToolCall[];
  readonly results: Map<string, string>;
}

/** Times on the host's clock. */
export interface CallerMarks {
  readonly startMs: number;
  readonly endMs: number;
  readonly endpointedMs: number;
  readonly waits: readonly Wait[];
  readonly speech?: SpeechScores | undefined;
}

export class Reply {
  readonly turn: number;
  /** What it answers; null when the agent speaks unasked. */
  readonly to: string | null;
  readonly rounds: Round[] = [];
  readonly pieces: Piece[] = [];
  /** For the ledger, times on the host's clock. */
  readonly waits: Wait[] = [];
  readonly #options: ReplyOptions;
  #splitter: PieceSplitter;
  /** The turn is over: it may be heard. */
  released = false;
  /** Stopped by the caller, until it is known whether that was an interruption. */
  held = false;
  heldAtMs: number | null = null;
  /** Since when it may be heard without a break, in ms on the host's clock. */
  openSinceMs = 0;
  /** When its newest tools were started. */
  toolsSinceMs = 0;
  /** No more text will come. */
  written = false;
  failed = false;
  /** The call ends with it. */
  last = false;

  constructor(turn: number, to: string | null, options: ReplyOptions) {
    this.turn = turn;
    this.to = to;
    this.#options = options;
    this.#splitter = new PieceSplitter(options);
  }

  /** The turn's marks for the ledger, known when it is released. */
  caller: CallerMarks | null = null;

  get round(): Round | null {
    return this.rounds[this.rounds.length - 1] ?? null;
  }

  beginRound(id: number, tools: boolean): void {
    this.rounds.push({ id, tools, text: '', done: false, started: false, calls: [], results: new Map() });
    this.#splitter = new PieceSplitter(this.#options);
  }

  /** Takes text of the current round; returns the pieces that are complete now. */
  push(text: string): string[] {
    const round = this.round;
    if (round === null) return [];
    round.text += text;
    return this.#splitter.push(text);
  }

  flush(): string[] {
    return this.#splitter.flush();
  }

  addPiece(id: number, text: string, canned: Canned | null): Piece {
    const piece: Piece = {
      id,
      text,
      round: this.rounds.length - 1,
      canned,
      startPosition: -1,
      samples: 0,
      complete: false,
      broken: false,
    };
    this.pieces.push(piece);
    return piece;
  }

  piece(id: number): Piece | undefined {
    return this.pieces.find((p) => p.id === id);
  }

  /** The whole answer, as far as the model wrote it. */
  get text(): string {
    const stock = this.pieces.filter((p) => p.canned !== null).map((p) => p.text);
    if (this.rounds.length === 0) return this.pieces.map((p) => p.text).join(' ');
    return [...this.rounds.map((r) => r.text.trim()), ...stock].filter((t) => t !== '').join(' ');
  }

  /** All of it is in the queue or was. */
  get spoken(): boolean {
    return this.written && this.pieces.every((p) => p.complete);
  }

  /** Tools that have not answered. */
  openCalls(): readonly ToolCall[] {
    const round = this.round;
    return round === null || !round.started ? [] : round.calls.filter((c) => !round.results.has(c.id));
  }

  /** Something of the current round has come from the model. */
  get hasBegun(): boolean {
    const round = this.round;
    return round !== null && (round.done || round.text !== '' || round.calls.length > 0);
  }

  beginWait(name: string, provider: boolean, nowMs: number): void {
    this.waits.push({ name, provider, fromMs: nowMs, toMs: Infinity });
  }

  /** Returns whether there was such a wait. */
  endWait(name: string, nowMs: number): boolean {
    const wait = this.waits.findLast((w) => w.name === name);
    if (wait === undefined || wait.toMs !== Infinity) return false;
    wait.toMs = nowMs;
    return true;
  }
}
