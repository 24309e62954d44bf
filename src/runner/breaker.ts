// A circuit breaker: a model that fails again and again is left alone for a while (requirements C-24).
import type { Clock } from './clock.ts';

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly openMs: number;
}

export class Breaker {
  readonly #clock: Clock;
  readonly #options: BreakerOptions;
  #failures = 0;
  #openedMs = Number.NEGATIVE_INFINITY;
  #probing = false;

  constructor(clock: Clock, options: BreakerOptions = { failures: 5, openMs: 30_000 }) {
    this.#clock = clock;
    this.#options = options;
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#failures < this.#options.failures) return 'closed';
    return this.#clock.now() - this.#openedMs < this.#options.openMs ? 'open' : 'half-open';
  }

  /** Whether a request may be made now. Half-open lets one through, whose outcome decides. */
  allows(): boolean {
    const state = this.state;
    if (state === 'closed') return true;
    if (state === 'open' || this.#probing) return false;
    this.#probing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(): void {
    this.#failures++;
    this.#probing = false;
    if (this.#failures >= this.#options.failures) this.#openedMs = this.#clock.now();
  }

  /** The request ended without telling anything about the model. */
  undecided(): void {
    this.#probing = false;
  }
}
