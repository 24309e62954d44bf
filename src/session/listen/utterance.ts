// The caller's audio of the turn that is being formed, and the little before it that a start of speech may reach back to.

const RATE_PER_MS = 16;
const FRAME_SAMPLES = 320;
/** How far back a turn may begin: pre-roll plus the time that an interruption takes to be believed. */
const LOOK_BACK_MS = 1500;
const FIRST_BUFFER_SAMPLES = 2000 * RATE_PER_MS;

/** Times in ms on the session clock, audio at 16 kHz. Frames follow each other without gaps. */
export class Utterance {
  readonly #maxSamples: number;
  readonly #past = new Int16Array(LOOK_BACK_MS * RATE_PER_MS);
  #pastEnd = 0;
  #kept: Int16Array | null = null;
  #length = 0;
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

  get full(): boolean {
    return this.#length + FRAME_SAMPLES > this.#maxSamples;
  }

  /** Takes one frame; keeps it when a turn is being formed. */
  push(frame: Int16Array): void {
    this.#past.set(frame, this.#pastEnd % this.#past.length);
    this.#pastEnd += FRAME_SAMPLES;
    if (!this.keeping) return;
    if (this.full) this.dropped++;
    else {
      this.#room(this.#length + FRAME_SAMPLES).set(frame, this.#length);
      this.#length += FRAME_SAMPLES;
    }
  }

  /** Starts to keep audio from `fromMs` on; `frameEndMs`: end of the newest frame. */
  begin(fromMs: number, frameEndMs: number): void {
    const back = Math.min(
      Math.max(0, Math.round((frameEndMs - fromMs) * RATE_PER_MS)),
      this.#pastEnd,
      this.#past.length,
      this.#maxSamples,
    );
    this.#startMs = Math.max(0, frameEndMs - back / RATE_PER_MS);
    this.#length = back;
    const buffer = this.#room(back);
    const from = (this.#pastEnd - back) % this.#past.length;
    const first = Math.min(back, this.#past.length - from);
    for (let i = 0; i < first; i++) buffer[i] = this.#past[from + i] as number;
    for (let i = first; i < back; i++) buffer[i] = this.#past[i - first] as number;
  }

  /** A copy of what is kept up to `untilMs`. */
  copy(untilMs: number): Int16Array {
    const samples = Math.round((untilMs - this.#startMs) * RATE_PER_MS);
    return (this.#kept ?? this.#past).slice(0, Math.max(0, Math.min(samples, this.#length)));
  }

  /** Stops keeping. */
  clear(): void {
    this.#startMs = -1;
    this.#length = 0;
    // Given back: while the agent speaks, nobody needs it.
    this.#kept = null;
  }

  #room(samples: number): Int16Array {
    if (this.#kept === null || this.#kept.length < samples) {
      const larger = new Int16Array(
        Math.min(this.#maxSamples, Math.max(FIRST_BUFFER_SAMPLES, samples, this.#length * 2)),
      );
      if (this.#kept !== null) larger.set(this.#kept.subarray(0, this.#length));
      this.#kept = larger;
    }
    return this.#kept;
  }
}
