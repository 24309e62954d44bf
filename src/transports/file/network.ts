// A bad network in front of a file: packets that are lost in bursts, late, overtaken and doubled, the same ones for the same seed.

export interface NetworkOptions {
  /** Packets that never arrive, percent, in bursts of `burst` packets on average (1: each by itself). */
  readonly lossPercent: number;
  readonly burst: number;
  /** Every packet is delayed by 0 to so many ms. */
  readonly jitterMs: number;
  /** Packets that the next one or two overtake, percent. */
  readonly reorderPercent: number;
  /** Packets that come twice, percent. */
  readonly duplicatePercent: number;
  /** How much slower the sender's clock is than ours, in millionths; negative: faster. */
  readonly driftPpm: number;
  readonly seed: number;
}

export const QUIET_NETWORK: NetworkOptions = {
  lossPercent: 0,
  burst: 1,
  jitterMs: 0,
  reorderPercent: 0,
  duplicatePercent: 0,
  driftPpm: 0,
  seed: 1,
};

/** What may be written, the option it sets, and its bounds. */
const KEYS: Readonly<Record<string, readonly [keyof NetworkOptions, number, number]>> = {
  loss: ['lossPercent', 0, 90],
  burst: ['burst', 1, 50],
  jitter: ['jitterMs', 0, 1000],
  reorder: ['reorderPercent', 0, 90],
  duplicate: ['duplicatePercent', 0, 90],
  drift: ['driftPpm', -5000, 5000],
  seed: ['seed', 0, 4294967295],
};

/** Reads `loss=5,jitter=40`. `RangeError` with a line that helps for anything else. */
export function parseNetwork(text: string): NetworkOptions {
  const options: Record<string, number> = { ...QUIET_NETWORK };
  for (const part of text.split(',')) {
    const [key = '', value = ''] = part.trim().split('=');
    const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (known === undefined) throw new RangeError(`"${key}" is none of ${Object.keys(KEYS).join(', ')}`);
    const [name, low, high] = known;
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (!(number >= low && number <= high)) throw new RangeError(`${key} must be ${low} to ${high}: it is "${value}"`);
    options[name] = number;
  }
  return options as unknown as NetworkOptions;
}

/** How packets travel, one after the other. */
export class SimulatedNetwork {
  readonly #o: NetworkOptions;
  #state: number;
  #losing = false;

  constructor(options: NetworkOptions) {
    this.#o = options;
    this.#state = options.seed >>> 0;
  }

  /** Delays in ms at which the next packet arrives: none when it is lost, two when it is doubled. */
  next(packetMs: number): readonly number[] {
    const { lossPercent, burst, jitterMs, reorderPercent, duplicatePercent } = this.#o;
    // Two states: bursts of `burst` packets on average, so far apart that the share comes out.
    const stay = 1 - 1 / burst;
    const start = lossPercent >= 100 ? 1 : Math.min(1, lossPercent / (100 - lossPercent) / burst);
    this.#losing = this.#random() < (this.#losing ? stay : start);
    const jitter = this.#random() * jitterMs;
    const overtaken = this.#random() * 100 < reorderPercent;
    const behind = packetMs * (1.2 + this.#random());
    const doubled = this.#random() * 100 < duplicatePercent;
    const after = this.#random() * packetMs * 2;
    if (this.#losing) return [];
    const delay = jitter + (overtaken ? behind : 0);
    return doubled ? [delay, delay + after] : [delay];
  }

  /** The share of `ms` of the sender's clock that has gone by on ours. */
  hostMs(senderMs: number): number {
    return senderMs * (1 + this.#o.driftPpm / 1e6);
  }

  /** mulberry32. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}
