// What code holds to record with: one series each, bound to its labels once; recording allocates nothing.
import { Sketch } from './sketch.ts';

/** Told of each value that was refused: NaN, an infinity, a negative count or duration. */
type Refuse = () => void;

export class CounterHandle {
  readonly #cell = new Float64Array(1);
  readonly #refuse: Refuse;
  #follow: (() => void) | undefined;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  /** Adds a finite number that is not negative. */
  add(value = 1): void {
    if (value >= 0 && value < Number.POSITIVE_INFINITY) this.#cell[0]! += value;
    else this.#refuse();
  }

  /** Follows a total that is counted elsewhere, whenever somebody looks; it starts from where `source` stands now, and never falls. */
  observe(source: () => number): void {
    let told = source();
    this.#follow = () => {
      const now = source();
      if (now > told) this.add(now - told);
      told = now;
    };
  }

  get value(): number {
    this.#follow?.();
    return this.#cell[0]!;
  }
}

export class GaugeHandle {
  /** NaN until the first value: unknown is not zero. */
  readonly #cell = new Float64Array(1).fill(Number.NaN);
  readonly #refuse: Refuse;
  #source: (() => number | null) | undefined;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  set(value: number): void {
    if (Number.isFinite(value)) this.#cell[0] = value;
    else this.#refuse();
  }

  /** Up or down; an unset gauge counts from 0. */
  add(delta: number): void {
    const before = this.#cell[0]!;
    this.set((Number.isNaN(before) ? 0 : before) + delta);
  }

  /** Back to unknown: the series is absent until the next value. */
  unset(): void {
    this.#cell[0] = Number.NaN;
  }

  /** Asks `source` whenever somebody looks; null means unknown. */
  observe(source: () => number | null): void {
    this.#source = source;
  }

  /** Null while unknown. */
  get value(): number | null {
    const value = this.read();
    return Number.isNaN(value) ? null : value;
  }

  /** The same as a number, NaN while unknown: for those who read all of them again and again. */
  read(): number {
    if (this.#source !== undefined) this.#ask(this.#source);
    return this.#cell[0]!;
  }

  #ask(source: () => number | null): void {
    try {
      const value = source();
      if (value === null) this.unset();
      else this.set(value);
    } catch {
      this.unset();
      this.#refuse();
    }
  }
}

export class HistogramHandle {
  /** What was recorded, for quantiles and merging. */
  readonly sketch = new Sketch();
  readonly #refuse: Refuse;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  /** Takes a finite number that is not negative, in the instrument's unit. */
  record(value: number): void {
    if (!this.sketch.record(value)) this.#refuse();
  }
}
