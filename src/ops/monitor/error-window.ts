// Share of failures over the last minute, from two totals that only grow.

const SECONDS = 60;

export class ErrorWindow {
  /** Totals as they stood, once a second: a ring. */
  readonly #tried = new Float64Array(SECONDS);
  readonly #failed = new Float64Array(SECONDS);
  #at = 0;
  #filled = 0;

  /** Once a second, with the totals of now. */
  turn(tried: number, failed: number): void {
    this.#tried[this.#at] = tried;
    this.#failed[this.#at] = failed;
    this.#at = (this.#at + 1) % SECONDS;
    if (this.#filled < SECONDS) this.#filled++;
  }

  /** Failed of all that was tried since a minute ago (or since the call began), 0..1; NaN: nothing was. */
  rate(tried: number, failed: number): number {
    const isFull = this.#filled === SECONDS;
    const since = tried - (isFull ? this.#tried[this.#at]! : 0);
    const bad = failed - (isFull ? this.#failed[this.#at]! : 0);
    return since > 0 ? Math.min(1, Math.max(0, bad / since)) : Number.NaN;
  }
}
