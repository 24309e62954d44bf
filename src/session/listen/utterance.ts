// The caller's audio of the turn that is being formed, and the little before it that a start of speech may reach back to.
import { SampleTape } from '../sample-tape.ts';

const RATE_PER_MS = 16;
const FRAME_SAMPLES = 320;
/** How far back a turn may begin: pre-roll plus the time that an interruption takes to be believed. */
const LOOK_BACK_MS = 1500;

/** Times in ms on the session clock, audio at 16 kHz. Frames follow each other without gaps. */
export class Utterance {
  readonly #maxSamples: number;
  readonly #past = new Int16Array(LOOK_BACK_MS * RATE_PER_MS);
  #pastEnd = 0;
  readonly #kept = new SampleTape();
  /** Position on the tape at which what is kept begins. */
  #from = 0;
  /** Session time of the first kept sample; negative when nothing is kept. */
  #startMs = -1;
  /** Frames that did not fit. */
  dropped = 0;

  constructor(maxTurnMs: number) {
    this.#maxSamples = maxTurnMs * RATE_PER_MS;
  }

  get keeping(): boolean {
    return this.#startMs >= 0;
  }

  get #length(): number {
    return this.#kept.end - this.#from;
  }

  get full(): boolean {
    return this.#length + FRAME_SAMPLES > this.#maxSamples;
  }

  /** Takes one frame; keeps it when a turn is being formed. */
  push(frame: Int16Array): void {
    this.#past.set(frame, this.#pastEnd % this.#past.length);
    this.#pastEnd += FRAME_SAMPLES;
    if (!this.keeping) return;
    if (this.full) this.dropped++;
    else this.#kept.append(frame, FRAME_SAMPLES);
  }

  /** Starts to keep audio from `fromMs` on; `frameEndMs`: end of the newest frame. */
  begin(fromMs: number, frameEndMs: number): void {
    const back = Math.min(
      Math.max(0, Math.round((frameEndMs - fromMs) * RATE_PER_MS)),
      this.#pastEnd,
      this.#past.length,
      this.#maxSamples,
    );
    this.clear();
    this.#startMs = Math.max(0, frameEndMs - back / RATE_PER_MS);
    const at = (this.#pastEnd - back) % this.#past.length;
    const first = Math.min(back, this.#past.length - at);
    this.#kept.append(this.#past.subarray(at, at + first), first);
    this.#kept.append(this.#past, back - first);
  }

  /** A copy of what is kept up to `untilMs`. */
  copy(untilMs: number): Int16Array {
    const samples = Math.round((untilMs - this.#startMs) * RATE_PER_MS);
    const copy = new Int16Array(Math.max(0, Math.min(samples, this.#length)));
    this.#kept.read(this.#from, copy, copy.length);
    return copy;
  }

  /** Stops keeping, and gives back the room: while the agent speaks, nobody needs it. */
  clear(): void {
    this.#startMs = -1;
    this.#kept.clear();
    this.#from = this.#kept.end;
  }
}
