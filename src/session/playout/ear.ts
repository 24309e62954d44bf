// What the caller's ear has heard of the agent, and when: a model of the transport's buffer, corrected by its reports.

/** -45 dBFS: quieter than this is not audible. */
export const AUDIBLE = 184;
/** Reports are taken as at most this old. */
const REPORT_AGE_MS = 300;

/** Times in ms on the host's clock (that of `nowMs`); positions in samples of the agent's speech. */
export class Ear {
  readonly #samplesPerMs: number;
  /** When the audio that was handed out will have sounded. */
  endMs = 0;
  /** End of the speech that was handed out and not cut off. */
  #handedPosition = 0;
  /** The transport counts all that it was handed; where that count stands, and where it stood when the speech last jumped. */
  #handedTotal = 0;
  #jumpTotal = 0;
  /** What the transport reported as heard, where it reports. */
  #reportedPosition = -1;
  /** First and last audible sample since `watch`. */
  firstAudibleMs: number | null = null;
  lastAudibleMs: number | null = null;

  constructor(rateHz: number) {
    this.#samplesPerMs = rateHz / 1000;
  }

  /** Begins to look for the first and last audible sample of a reply. */
  watch(): void {
    this.firstAudibleMs = null;
    this.lastAudibleMs = null;
  }

  /** `count` samples of speech were handed out, of which the last has the position `position - 1`. Returns true when the first audible one was among them. */
  handed(samples: Int16Array, count: number, position: number, nowMs: number): boolean {
    const startMs = Math.max(nowMs, this.endMs);
    this.endMs = startMs + count / this.#samplesPerMs;
    if (position - count !== this.#handedPosition) {
      this.#jumpTotal = this.#handedTotal;
      if (this.#reportedPosition >= 0) this.#reportedPosition = position - count;
    }
    this.#handedPosition = position;
    this.#handedTotal += count;
    let last = count - 1;
    while (last >= 0 && Math.abs(samples[last] as number) < AUDIBLE) last--;
    if (last < 0) return false;
    this.lastAudibleMs = startMs + (last + 1) / this.#samplesPerMs;
    if (this.firstAudibleMs !== null) return false;
    let first = 0;
    while (Math.abs(samples[first] as number) < AUDIBLE) first++;
    this.firstAudibleMs = startMs + first / this.#samplesPerMs;
    return true;
  }

  /** `total`: samples heard of all that was ever handed out, what was cut off included in the count. */
  reported(total: number): void {
    if (total <= this.#jumpTotal) return;
    const position = this.#handedPosition - Math.max(0, this.#handedTotal - total);
    this.#reportedPosition = Math.max(this.#reportedPosition, position);
  }

  /** How far the speech has been heard at `nowMs`. */
  heardPosition(nowMs: number): number {
    const waiting = Math.max(0, this.endMs - nowMs) * this.#samplesPerMs;
    const assumed = Math.max(0, this.#handedPosition - Math.round(waiting));
    // A report is older than now; it corrects the model only where the transport is behind it.
    return this.#reportedPosition < 0
      ? assumed
      : Math.max(
          this.#reportedPosition,
          Math.min(assumed, this.#reportedPosition + REPORT_AGE_MS * this.#samplesPerMs),
        );
  }

  /** Everything that has not been heard at `nowMs` is dropped. Returns how far it was heard. */
  cut(nowMs: number): number {
    const heard = this.heardPosition(nowMs);
    this.#handedPosition = heard;
    this.#jumpTotal = this.#handedTotal;
    if (this.#reportedPosition >= 0) this.#reportedPosition = heard;
    this.endMs = Math.min(this.endMs, nowMs);
    if (this.firstAudibleMs !== null && this.firstAudibleMs >= nowMs) this.watch();
    else if (this.lastAudibleMs !== null) this.lastAudibleMs = Math.min(this.lastAudibleMs, nowMs);
    return heard;
  }

  /** The last `samples` of what was heard were not audible. */
  endedQuietly(samples: number): void {
    if (this.firstAudibleMs === null || this.lastAudibleMs === null) return;
    const endMs = this.endMs - samples / this.#samplesPerMs;
    if (endMs <= this.firstAudibleMs) this.watch();
    else this.lastAudibleMs = Math.min(this.lastAudibleMs, endMs);
  }
}
