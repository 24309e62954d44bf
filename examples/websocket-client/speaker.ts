// A loudspeaker made of memory: plays what is queued in real time, and knows which sample is being heard.

export class Speaker {
  readonly #rateHz: number;
  #startMs: number | null = null;
  /** Everything that sounded since the first audio came, silence included. */
  #tape = new Int16Array(1 << 20);
  /** Where on the tape the queued audio ends. */
  #end = 0;
  /** Position of the next sample that comes, as the server counts. */
  #next = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  /** The server says where the next audio belongs. */
  next(position: number): void {
    this.#next = position;
  }

  play(samples: Int16Array, nowMs: number): void {
    this.#startMs ??= nowMs;
    // After a silence, audio sounds at once; else behind what is queued.
    const start = Math.max(this.#end, this.#now(nowMs));
    this.#end = start + samples.length;
    if (this.#end > this.#tape.length) {
      const longer = new Int16Array(this.#end * 2);
      longer.set(this.#tape);
      this.#tape = longer;
    }
    this.#tape.set(samples, start);
    this.#next += samples.length;
  }

  /** Falls silent at once. */
  clear(nowMs: number): void {
    const now = this.#now(nowMs);
    if (now >= this.#end) return;
    this.#tape.fill(0, now, this.#end);
    this.#end = now;
  }

  /** How many of the server's samples have been heard; null before the first. */
  heard(nowMs: number): number | null {
    if (this.#startMs === null) return null;
    return this.#next - Math.max(0, this.#end - this.#now(nowMs));
  }

  /** What was heard until now. */
  recording(nowMs: number): Int16Array {
    return this.#tape.slice(0, Math.min(this.#end, this.#now(nowMs)));
  }

  #now(nowMs: number): number {
    return this.#startMs === null ? 0 : Math.floor(((nowMs - this.#startMs) * this.#rateHz) / 1000);
  }
}
