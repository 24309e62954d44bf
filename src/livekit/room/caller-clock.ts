// Positions on the caller's own clock for frames that come without one.

/** Frames that the native queue dropped show as a lag that does not go away: over this many frames, longer than this. */
const WINDOW_FRAMES = 100;
const LAG_MS = 100;

/** A native stream gives 10 ms of audio each 10 ms, silence included; what is missing was lost and becomes a gap. */
export class CallerClock {
  readonly #samplesPerMs: number;
  #startMs = Number.NaN;
  #position = 0;
  #least = Number.POSITIVE_INFINITY;
  #frames = 0;
  /** Samples that were jumped over. */
  gapSamples = 0;

  constructor(rateHz: number) {
    this.#samplesPerMs = rateHz / 1000;
  }

  /** A stream begins, the first or another: time went on in between. */
  resume(nowMs: number): void {
    if (Number.isNaN(this.#startMs)) this.#startMs = nowMs;
    else this.#jump(Math.round((nowMs - this.#startMs) * this.#samplesPerMs) - this.#position);
    this.#reset();
  }

  /** Position of the first of `samples` samples that came at `nowMs`. */
  take(samples: number, nowMs: number): number {
    const lag = (nowMs - this.#startMs) * this.#samplesPerMs - this.#position - samples;
    this.#least = Math.min(this.#least, lag);
    if (++this.#frames === WINDOW_FRAMES) {
      if (this.#least > LAG_MS * this.#samplesPerMs) this.#jump(Math.round(this.#least));
      this.#reset();
    }
    const position = this.#position;
    this.#position += samples;
    return position;
  }

  #jump(samples: number): void {
    if (samples <= 0) return;
    this.#position += samples;
    this.gapSamples += samples;
  }

  #reset(): void {
    this.#least = Number.POSITIVE_INFINITY;
    this.#frames = 0;
  }
}
