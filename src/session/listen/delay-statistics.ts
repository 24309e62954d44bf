// How late packets come against the fastest ones, and how long it is worth while to wait: the sender's clock found, its drift followed.

/** The sender's clock may run slower than ours by this much (ppm / 1e6): so fast does the best packet's verdict go out of date. */
const DRIFT = 3e-4;
const BIN_MS = 4;
const BINS = 64;
/** Weight of a packet against the newest one falls by this factor for each packet: half of it after 7 s of 20 ms packets. */
const FORGET = 0.998;
/** The share of packets that may come too late: beyond this, waiting costs more than it saves. */
const LATE_SHARE = 0.002;
const LEAST_DEPTH_MS = 60;
const MOST_DEPTH_MS = 200;
/** Until so many packets have come, the least depth holds. Waiting delays nothing but what is behind a hole: there is room for it. */
const SETTLED_PACKETS = 50;

export class DelayStatistics {
  readonly #perMs: number;
  readonly #weights = new Float64Array(BINS);
  #packets = 0;
  /** Host time of the sender's time 0, by the fastest packets. */
  #baseMs = Number.NaN;
  #lastMs = 0;
  #lastTransitMs = Number.NaN;
  /** Interarrival jitter of RFC 3550, ms. */
  jitterMs = 0;
  depthMs = LEAST_DEPTH_MS;

  constructor(rateHz: number) {
    this.#perMs = rateHz / 1000;
  }

  /** A packet whose last sample is the one before `end`. Whole numbers go from call to call: a fraction would be boxed. */
  arrived(end: number, nowMs: number): void {
    const transitMs = nowMs - end / this.#perMs;
    if (this.#packets++ === 0) {
      this.#baseMs = transitMs;
      this.#lastTransitMs = transitMs;
    }
    const sinceMs = Math.max(0, nowMs - this.#lastMs);
    this.#baseMs = Math.min(transitMs, this.#baseMs + (this.#packets === 1 ? 0 : sinceMs * DRIFT));
    this.#lastMs = nowMs;
    this.jitterMs += (Math.abs(transitMs - this.#lastTransitMs) - this.jitterMs) / 16;
    this.#lastTransitMs = transitMs;
    this.#file(Math.min(BINS - 1, Math.floor((transitMs - this.#baseMs) / BIN_MS)));
  }

  /** When a sample would be here by the fastest way. */
  dueMs(end: number): number {
    return end / this.#perMs + this.#baseMs;
  }

  #file(bin: number): void {
    const weights = this.#weights;
    let total = 0;
    for (let i = 0; i < BINS; i++) {
      const weight = (weights[i] as number) * FORGET + (i === bin ? 1 : 0);
      weights[i] = weight;
      total += weight;
    }
    if (this.#packets < SETTLED_PACKETS) return;
    let tail = 0;
    let depth = BINS;
    while (depth > 0 && tail + (weights[depth - 1] as number) <= LATE_SHARE * total) tail += weights[--depth] as number;
    this.depthMs = Math.max(LEAST_DEPTH_MS, Math.min(MOST_DEPTH_MS, (depth + 1) * BIN_MS));
  }
}
