// What is heard where audio is missing: the last period of the voice again and again, fading. Where the audio after the hole is there
// already, its first period comes in backwards the same way, and the two are blended; else a cross-fade leads back to the real thing.

/** Pitch periods that are looked for, and the stretch that is compared, in ms. */
const MIN_PERIOD_MS = 2.5;
const MAX_PERIOD_MS = 15;
const COMPARED_MS = 20;
/** Full level for so long, silence from there on. */
const FULL_MS = 10;
const FADED_MS = 60;
const REJOIN_MS = 5;
/** Less than this after a hole says nothing of the voice there. */
const LEAST_FUTURE_MS = 10;
/** A step at the seam is worn off over this time. */
const SEAM_MS = 2;
/** The search runs at about this rate. */
const COARSE_HZ = 4000;

/** Samples of the past that `begin` reads. */
export function historySamples(rateHz: number): number {
  return Math.ceil((rateHz * (MAX_PERIOD_MS + COMPARED_MS)) / 1000) + 1;
}

/** One stretch of missing audio after the other; allocates nothing after it was made. */
export class Concealment {
  readonly #history: Int16Array;
  readonly #future: Int16Array;
  readonly #period: Float64Array;
  readonly #perMs: number;
  readonly #rejoinSamples: number;
  #length = 0;
  #at = 0;
  #step = 0;
  /** Period of the audio after the hole (0: it is not there), and samples up to it. */
  #futureLength = 0;
  #left = 0;
  #rejoined = 0;
  #rejoining = false;

  constructor(rateHz: number) {
    this.#perMs = rateHz / 1000;
    this.#history = new Int16Array(historySamples(rateHz));
    this.#future = new Int16Array(historySamples(rateHz));
    this.#period = new Float64Array(Math.ceil(MAX_PERIOD_MS * this.#perMs) + 1);
    this.#rejoinSamples = REJOIN_MS * this.#perMs;
  }

  /** Samples after which `next` is silence. */
  get fadedSamples(): number {
    return FADED_MS * this.#perMs;
  }

  /** True while real audio still comes in under the made-up one. */
  get rejoining(): boolean {
    return this.#rejoining;
  }

  /** True while the audio after the hole is known. */
  get bridging(): boolean {
    return this.#futureLength > 0;
  }

  /** A hole that begins at position `end` of the ring. */
  begin(ring: Int16Array, end: number): void {
    const history = this.#history;
    const size = history.length;
    for (let i = 0; i < size; i++) {
      const from = end - size + i;
      history[i] = from < 0 ? 0 : (ring[from % ring.length] as number);
    }
    const most = Math.floor(MAX_PERIOD_MS * this.#perMs);
    const period = this.#findPeriod(history, size - Math.floor(COMPARED_MS * this.#perMs), size, most);
    // The end of the period flows into its beginning: a quarter is blended with what went before the beginning.
    const quarter = period >> 2;
    for (let i = 0; i < period; i++) {
      const own = history[size - period + i] as number;
      const blend = i - (period - quarter);
      const before = blend >= 0 ? (history[size - 2 * period + i] ?? own) : own;
      const share = blend >= 0 ? (blend + 1) / (quarter + 1) : 0;
      this.#period[i] = own + (before - own) * share;
    }
    this.#length = period;
    this.#at = 0;
    this.#step = (history[size - 1] as number) - (history[size - period - 1] ?? 0);
    this.#rejoining = false;
    this.#futureLength = 0;
  }

  /** The hole ends after `left` samples, and `available` samples from position `from` of the ring on are there. */
  look(ring: Int16Array, from: number, available: number, left: number): void {
    const future = this.#future;
    const size = Math.min(available, future.length);
    this.#futureLength = 0;
    if (size < LEAST_FUTURE_MS * this.#perMs || this.#at + left > 2 * this.fadedSamples) return;
    for (let i = 0; i < size; i++) future[i] = ring[(from + i) % ring.length] as number;
    const most = Math.min(Math.floor(MAX_PERIOD_MS * this.#perMs), size >> 1);
    this.#futureLength = this.#findPeriod(future, most, size, most);
    this.#left = left;
  }

  /** The next made-up sample. */
  next(): number {
    const at = this.#at++;
    const past = this.#fromPast(at);
    if (this.#futureLength === 0) return clamp(past);
    const left = this.#left--;
    // The hole is over, and the real thing goes on from here.
    if (left <= 0) return clamp(past);
    const period = this.#futureLength;
    const future = (this.#future[(period - (left % period)) % period] as number) * this.#gain(left);
    const share = (at + 1) / (at + left + 1);
    return clamp(past + (future - past) * share);
  }

  #fromPast(at: number): number {
    const seam = SEAM_MS * this.#perMs;
    const step = at < seam ? this.#step * (1 - at / seam) : 0;
    return ((this.#period[at % this.#length] as number) + step) * this.#gain(at);
  }

  #gain(distance: number): number {
    const full = FULL_MS * this.#perMs;
    const faded = this.fadedSamples;
    return distance <= full ? 1 : distance >= faded ? 0 : (faded - distance) / (faded - full);
  }

  /** The hole is over: the samples that follow go through `rejoin`. */
  end(): void {
    // What was blended with the future flows into it by itself.
    this.#rejoining = this.#futureLength === 0 || this.#left > 0;
    this.#futureLength = 0;
    this.#rejoined = 0;
  }

  rejoin(sample: number): number {
    const share = (this.#rejoined + 1) / (this.#rejoinSamples + 1);
    if (++this.#rejoined >= this.#rejoinSamples) this.#rejoining = false;
    return clamp(sample * share + this.next() * (1 - share));
  }

  /** The lag with the highest normalized correlation of `data` from `start` to `end` with what is before, coarsely and then around it. */
  #findPeriod(data: Int16Array, start: number, end: number, most: number): number {
    const coarse = Math.max(1, Math.floor((this.#perMs * 1000) / COARSE_HZ));
    const least = Math.ceil(MIN_PERIOD_MS * this.#perMs);
    const best = bestLag(data, start, end, least, most, coarse, coarse);
    if (coarse === 1) return best;
    return bestLag(data, start, end, Math.max(least, best - coarse), Math.min(most, best + coarse), 1, coarse);
  }
}

function bestLag(
  data: Int16Array,
  start: number,
  end: number,
  from: number,
  to: number,
  lagStep: number,
  step: number,
): number {
  let best = to;
  let bestScore = 0;
  for (let lag = from; lag <= to; lag += lagStep) {
    let product = 0;
    let energy = 1;
    for (let i = start; i < end; i += step) {
      const earlier = data[i - lag] as number;
      product += (data[i] as number) * earlier;
      energy += earlier * earlier;
    }
    // Squared: no root for each lag. Short lags win ties: twice the period fits as well.
    const score = product <= 0 ? 0 : (product * product) / energy;
    if (score > bestScore * 1.02) {
      best = lag;
      bestScore = score;
    }
  }
  return best;
}

function clamp(x: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(x)));
}
