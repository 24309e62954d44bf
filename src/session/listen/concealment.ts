// What is heard where audio is missing: the last period of the voice again and again, fading, and a cross-fade back to the real thing.

/** Pitch periods that are looked for, and the stretch that is compared, in ms. */
const MIN_PERIOD_MS = 2.5;
const MAX_PERIOD_MS = 15;
const COMPARED_MS = 20;
/** Full level for so long, silence from there on. */
const FULL_MS = 10;
const FADED_MS = 60;
const REJOIN_MS = 5;
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
  readonly #period: Float64Array;
  readonly #perMs: number;
  readonly #rejoinSamples: number;
  #length = 0;
  #at = 0;
  #step = 0;
  #rejoined = 0;
  #rejoining = false;

  constructor(rateHz: number) {
    this.#perMs = rateHz / 1000;
    this.#history = new Int16Array(historySamples(rateHz));
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

  /** `past(i)`: sample i before the hole, 1 is the newest. */
  begin(ring: Int16Array, end: number): void {
    const history = this.#history;
    const size = history.length;
    for (let i = 0; i < size; i++) {
      const from = end - size + i;
      history[i] = from < 0 ? 0 : (ring[from % ring.length] as number);
    }
    const period = this.#findPeriod();
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
  }

  /** The next made-up sample. */
  next(): number {
    const at = this.#at++;
    const full = FULL_MS * this.#perMs;
    const faded = this.fadedSamples;
    if (at >= faded) return 0;
    const seam = SEAM_MS * this.#perMs;
    const step = at < seam ? this.#step * (1 - at / seam) : 0;
    const gain = at <= full ? 1 : (faded - at) / (faded - full);
    return clamp(((this.#period[at % this.#length] as number) + step) * gain);
  }

  /** The hole is over: the samples that follow go through `rejoin`. */
  end(): void {
    this.#rejoining = true;
    this.#rejoined = 0;
  }

  rejoin(sample: number): number {
    const share = (this.#rejoined + 1) / (this.#rejoinSamples + 1);
    if (++this.#rejoined >= this.#rejoinSamples) this.#rejoining = false;
    return clamp(sample * share + this.next() * (1 - share));
  }

  /** The lag with the highest normalized correlation, coarsely and then around it. */
  #findPeriod(): number {
    const coarse = Math.max(1, Math.floor((this.#perMs * 1000) / COARSE_HZ));
    const least = Math.ceil(MIN_PERIOD_MS * this.#perMs);
    const most = Math.floor(MAX_PERIOD_MS * this.#perMs);
    let best = this.#best(least, most, coarse, coarse);
    if (coarse > 1) best = this.#best(Math.max(least, best - coarse), Math.min(most, best + coarse), 1, coarse);
    return best;
  }

  #best(from: number, to: number, lagStep: number, step: number): number {
    const history = this.#history;
    const end = history.length;
    const start = end - Math.floor(COMPARED_MS * this.#perMs);
    let best = to;
    let bestScore = 0;
    for (let lag = from; lag <= to; lag += lagStep) {
      let product = 0;
      let energy = 1;
      for (let i = start; i < end; i += step) {
        const earlier = history[i - lag] as number;
        product += (history[i] as number) * earlier;
        energy += earlier * earlier;
      }
      // Squared and with its sign: no root for each lag. Short lags win ties.
      const score = product <= 0 ? 0 : (product * product) / energy;
      if (score > bestScore * 1.02) {
        best = lag;
        bestScore = score;
      }
    }
    return best;
  }
}

function clamp(x: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(x)));
}
