// Long work in slices: whoever calls `rest` often enough never holds the process for more than its budget.

export interface PacerOptions {
  /** Monotonic ms. */
  now(): number;
  /** Lets everything else that is ready have its turn, and so many ms pass. */
  pause(ms?: number): Promise<void>;
}

/** Of work at a time: the step that ends a slice may have to be compiled first. */
const BUDGET_MS = 0.25;

export class Pacer {
  readonly #o: PacerOptions;
  #sinceMs = 0;
  #restMs = 0;
  /** The longest slice so far, in ms. */
  longestMs = 0;

  constructor(options: PacerOptions) {
    this.#o = options;
    this.start();
  }

  /** A piece of work begins; between its slices it rests so long. */
  begin(restMs: number): void {
    this.#restMs = restMs;
    this.start();
  }

  /** A slice begins: after a timer, or after the disk has answered. */
  start(): void {
    this.#sinceMs = this.#o.now();
  }

  /** A slice ends without a pause, because something is awaited anyway. */
  stop(): void {
    this.longestMs = Math.max(this.longestMs, this.#o.now() - this.#sinceMs);
  }

  /** To be asked before `rest`, which costs a turn of promises even when there is nothing to do. */
  get tired(): boolean {
    return this.#o.now() - this.#sinceMs >= BUDGET_MS;
  }

  async rest(): Promise<void> {
    if (!this.tired) return;
    this.stop();
    await this.#o.pause(this.#restMs);
    this.start();
  }

  /** What the disk does belongs to no slice. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.stop();
    try {
      return await work;
    } finally {
      this.start();
    }
  }
}
