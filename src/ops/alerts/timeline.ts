// The engine's own time: it follows the host's clock, and stands still while that one goes backwards.

export class Timeline {
  #atMs: number | undefined;
  #hostMs = 0;

  /** After a restart, time goes on where it was, even if the host's clock was set back meanwhile. */
  constructor(atLeastMs?: number) {
    this.#atMs = atLeastMs;
  }

  /** The engine's time for a moment of the host's clock. Never falls. */
  at(hostMs: number): number {
    if (this.#atMs === undefined) this.#atMs = hostMs;
    else if (this.#started) this.#atMs += Math.max(0, hostMs - this.#hostMs);
    else this.#atMs = Math.max(this.#atMs, hostMs);
    this.#started = true;
    this.#hostMs = hostMs;
    return this.#atMs;
  }

  #started = false;
}
