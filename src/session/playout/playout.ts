// From the voice model to the ear: what is to be heard next, what was heard, and when.
import type { Piece } from '../reply/reply.ts';
import { AUDIBLE, Ear } from './ear.ts';
import { HeardWords } from './heard-words.ts';
import { Mixer } from './mixer.ts';
import { SpeechQueue } from './speech-queue.ts';

/** Times on the host's clock. */
export class Playout {
  readonly #queue: SpeechQueue;
  readonly #ear: Ear;
  readonly #words: HeardWords;
  readonly mixer = new Mixer();
  /** Where a stock phrase that belongs to no reply ends in the queue. */
  #interjectionEnd = 0;
  /** The last `read` gave the first audible sample of a reply. */
  becameAudible = false;

  constructor(rateHz: number) {
    this.#queue = new SpeechQueue(rateHz);
    this.#ear = new Ear(rateHz);
    this.#words = new HeardWords(rateHz);
  }

  get queuedMs(): number {
    return this.#queue.filledMs;
  }
  get empty(): boolean {
    return this.#queue.queuedSamples === 0;
  }
  get audibleMs(): number | null {
    return this.#ear.firstAudibleMs;
  }
  get audibleEndMs(): number | null {
    return this.#ear.lastAudibleMs;
  }
  /** When what was handed out will have sounded. */
  get endMs(): number {
    return this.#ear.endMs;
  }
  get interjecting(): boolean {
    return this.#queue.readPosition < this.#interjectionEnd;
  }

  /** A new reply is to be timed. */
  begin(): void {
    this.#ear.watch();
  }

  /** Appends audio of a piece; returns the samples that there was room for. */
  write(piece: Piece, samples: Int16Array): number {
    if (piece.startPosition < 0) piece.startPosition = this.#queue.writePosition;
    const taken = this.#queue.write(samples);
    piece.samples += taken;
    return taken;
  }

  /** Appends audio of a stock phrase that belongs to no reply; none where speech of a reply already waits. */
  interject(samples: Int16Array): number {
    if (!this.empty && this.#interjectionEnd !== this.#queue.writePosition) return 0;
    const taken = this.#queue.write(samples);
    this.#interjectionEnd = this.#queue.writePosition;
    return taken;
  }

  complete(piece: Piece): void {
    piece.complete = true;
    // A stock phrase may be a clip that says something else.
    if (piece.samples > 0 && piece.canned === null) this.#words.learn(piece.text, piece.samples);
  }

  /** Fills `out` with speech (if `open`), background and silence; returns how many samples are speech. */
  read(out: Int16Array, open: boolean, nowMs: number): number {
    this.becameAudible = false;
    const apart = this.interjecting;
    let speech = 0;
    if (open || apart) {
      const limit = apart ? this.#interjectionEnd - this.#queue.readPosition : out.length;
      speech = this.#queue.read(out, limit);
    }
    if (speech > 0) {
      const audible = this.#ear.handed(out, speech, this.#queue.readPosition, nowMs);
      if (apart) this.#ear.watch();
      else this.becameAudible = audible;
      this.#queue.keepFrom(this.#ear.heardPosition(nowMs));
    }
    this.mixer.mix(out, speech);
    return speech;
  }

  reported(position: number): void {
    this.#ear.reported(position);
  }

  heardPosition(nowMs: number): number {
    return this.#ear.heardPosition(nowMs);
  }

  /** Nothing sounds after `nowMs`; what was not heard is queued again, except for a stock phrase. */
  hold(nowMs: number): void {
    const heard = this.#ear.cut(nowMs);
    this.#ear.endedQuietly(this.#queue.quietBefore(heard, AUDIBLE));
    this.#queue.seek(Math.max(heard, this.#interjectionEnd));
    this.#interjectionEnd = 0;
  }

  /** Drops what is queued. */
  drop(): void {
    this.#queue.clear();
    this.#interjectionEnd = 0;
  }

  /** The words of a piece that were heard when the speech had been heard up to `position`. */
  heardOf(piece: Piece, position: number): string {
    if (piece.startPosition < 0) return '';
    const heardSamples = Math.min(piece.samples, position - piece.startPosition);
    const complete = piece.complete && !piece.broken;
    return this.#words.heard({ text: piece.text, samples: piece.samples, complete, heardSamples });
  }
}
