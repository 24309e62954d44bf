// A histogram of fixed, logarithmic buckets: quantiles within 0.55 %, mergeable, bounded, no allocation once its range is in use.

/** Buckets per octave are 2^SCALE: OpenTelemetry's exponential histogram at this scale, bucket i = (2^(i/64), 2^((i+1)/64)]. */
export const SCALE = 6;
const PER_OCTAVE = 1 << SCALE;
/** Values below 2^-30 (a nanosecond, in seconds) count as zero. */
const MIN_EXPONENT = -30;
/** Values from 2^41 on (two terabytes, in bytes) fall into the last bucket. */
const MAX_EXPONENT = 40;
const OCTAVES = MAX_EXPONENT - MIN_EXPONENT + 1;
const SMALLEST = 2 ** MIN_EXPONENT;

const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const ZEROS = 4;

// A double and its two halves: the exponent and the first mantissa bits are read from the upper one.
const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const UPPER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
/** Linear cells of an octave; narrower than its narrowest bucket, so that a cell holds at most one border. */
const CELL_BITS = 7;
/** Lower border of bucket j of the octave [1, 2). */
const border = Float64Array.from({ length: PER_OCTAVE + 1 }, (_, j) => 2 ** (j / PER_OCTAVE));
/** Bucket in which a cell begins. */
const firstBucket = Uint8Array.from({ length: 1 << CELL_BITS }, (_, cell) => {
  const start = 1 + cell / (1 << CELL_BITS);
  return Math.max(
    0,
    border.findLastIndex((value) => value <= start),
  );
});

/** For each bound, how many buckets (from the lowest there is) begin below it. */
const cuts = new WeakMap<readonly number[], Int32Array>();
function cutsOf(bounds: readonly number[]): Int32Array {
  let known = cuts.get(bounds);
  if (known === undefined) {
    known = Int32Array.from(bounds, (bound) => {
      let below = 0;
      while (below < OCTAVES * PER_OCTAVE && lowerBorder(below) < bound) below++;
      return below;
    });
    cuts.set(bounds, known);
  }
  return known;
}

function lowerBorder(flat: number): number {
  return border[flat % PER_OCTAVE]! * 2 ** (Math.floor(flat / PER_OCTAVE) + MIN_EXPONENT);
}

export class Sketch {
  readonly #state = new Float64Array(5);
  /** One array of counts per octave that was ever met; doubles, since 2^32 frames pass within days. */
  readonly #octaves: (Float64Array | undefined)[] = Array.from({ length: OCTAVES }, () => undefined);

  constructor() {
    this.clear();
  }

  get count(): number {
    return this.#state[COUNT]!;
  }
  get sum(): number {
    return this.#state[SUM]!;
  }
  /** Exact; null while empty. */
  get min(): number | null {
    return this.count === 0 ? null : this.#state[MIN]!;
  }
  get max(): number | null {
    return this.count === 0 ? null : this.#state[MAX]!;
  }
  /** Values that were zero, or too small to tell from it. */
  get zeros(): number {
    return this.#state[ZEROS]!;
  }

  /** False, and nothing recorded, for NaN, infinities and negative values. */
  record(value: number): boolean {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) return false;
    const state = this.#state;
    state[COUNT]! += 1;
    state[SUM]! += value;
    if (value < state[MIN]!) state[MIN] = value;
    if (value > state[MAX]!) state[MAX] = value;
    if (value < SMALLEST) {
      state[ZEROS]! += 1;
      return true;
    }
    double[0] = value;
    const upper = halves[UPPER]!;
    let octave = (upper >>> 20) - 1023 - MIN_EXPONENT;
    // The same mantissa in [1, 2).
    halves[UPPER] = (upper & 0xfffff) | 0x3ff00000;
    const mantissa = double[0]!;
    let bucket = firstBucket[(upper >>> (20 - CELL_BITS)) & ((1 << CELL_BITS) - 1)]!;
    // Buckets hold their upper border: one on the border belongs to the bucket below, one past the next border to the next.
    if (mantissa > border[bucket + 1]!) bucket++;
    else if (mantissa === border[bucket]!) bucket--;
    if (bucket < 0) {
      bucket = PER_OCTAVE - 1;
      octave--;
    }
    if (octave >= OCTAVES) {
      octave = OCTAVES - 1;
      bucket = PER_OCTAVE - 1;
    }
    if (octave < 0) state[ZEROS]! += 1;
    else (this.#octaves[octave] ?? this.#openOctave(octave))[bucket]! += 1;
    return true;
  }

  /** Value at rank `q` (0..1) of what was recorded, within 0.55 %; null while empty. */
  quantile(q: number): number | null {
    return this.quantiles([q])[0] ?? null;
  }

  /** Several at once, in one pass; `qs` in rising order. */
  quantiles(qs: readonly number[]): (number | null)[] {
    if (this.count === 0) return qs.map(() => null);
    const last = this.count - 1;
    const rankOf = (q: number): number => Math.min(1, Math.max(0, q)) * last;
    const results: number[] = [];
    let seen = this.zeros;
    while (results.length < qs.length && rankOf(qs[results.length]!) < seen) results.push(this.#within(0));
    for (let octave = 0; octave < OCTAVES && results.length < qs.length; octave++) {
      const counts = this.#octaves[octave];
      if (counts === undefined) continue;
      const factor = 2 ** (octave + MIN_EXPONENT);
      let rank = rankOf(qs[results.length]!);
      for (let j = 0; j < PER_OCTAVE; j++) {
        seen += counts[j]!;
        while (rank < seen) {
          const lower = border[j]! * factor;
          const upper = border[j + 1]! * factor;
          // The point from which both borders are equally far, relatively.
          results.push(this.#within((2 * lower * upper) / (lower + upper)));
          if (results.length === qs.length) return results;
          rank = rankOf(qs[results.length]!);
        }
      }
    }
    return results;
  }

  /** No estimate lies beyond what was recorded. */
  #within(value: number): number {
    return Math.min(this.#state[MAX]!, Math.max(this.#state[MIN]!, value));
  }

  /** Non-empty buckets in rising order; `index` is OpenTelemetry's at `SCALE`. */
  *buckets(): Generator<{ index: number; lower: number; upper: number; count: number }> {
    for (let octave = 0; octave < OCTAVES; octave++) {
      const counts = this.#octaves[octave];
      if (counts === undefined) continue;
      const factor = 2 ** (octave + MIN_EXPONENT);
      for (let j = 0; j < PER_OCTAVE; j++) {
        const count = counts[j]!;
        if (count === 0) continue;
        const index = (octave + MIN_EXPONENT) * PER_OCTAVE + j;
        yield { index, lower: border[j]! * factor, upper: border[j + 1]! * factor, count };
      }
    }
  }

  /** For each of `bounds` (rising) how many values were at most that; a value up to 1.1 % above a bound may count as below. */
  cumulative(bounds: readonly number[]): Float64Array {
    const cuts = cutsOf(bounds);
    const totals = new Float64Array(bounds.length);
    let seen = this.zeros;
    let from = 0;
    for (let i = 0; i < totals.length; i++) {
      const cut = cuts[i]!;
      while (from < cut) {
        const octave = from >> SCALE;
        const start = octave << SCALE;
        const end = Math.min(cut, start + PER_OCTAVE);
        const counts = this.#octaves[octave];
        if (counts !== undefined) for (let j = from - start; j < end - start; j++) seen += counts[j]!;
        from = end;
      }
      totals[i] = seen;
    }
    return totals;
  }

  /** What came after `before` (an earlier copy; undefined: everything) as OpenTelemetry's exponential buckets, at `SCALE` or,
   *  where that would be more than `maxBuckets`, coarser. */
  exponential(before?: Sketch, maxBuckets = 1280): { scale: number; offset: number; counts: number[] } {
    let from = OCTAVES;
    let to = -1;
    for (let octave = 0; octave < OCTAVES; octave++) {
      if (this.#octaves[octave] === undefined) continue;
      from = Math.min(from, octave);
      to = octave;
    }
    if (to < 0) return { scale: SCALE, offset: 0, counts: [] };
    let scale = SCALE;
    while ((to - from + 1) * PER_OCTAVE > maxBuckets * 2 ** (SCALE - scale)) scale--;
    const shift = SCALE - scale;
    const lowest = (from + MIN_EXPONENT) * PER_OCTAVE;
    const offset = lowest >> shift;
    const counts: number[] = [];
    for (let octave = from; octave <= to; octave++) {
      const ours = this.#octaves[octave];
      const theirs = before === undefined ? undefined : before.#octaves[octave];
      for (let j = 0; j < PER_OCTAVE; j++) {
        const here = (((octave + MIN_EXPONENT) * PER_OCTAVE + j) >> shift) - offset;
        counts[here] = (counts[here] ?? 0) + (ours === undefined ? 0 : ours[j]! - (theirs?.[j] ?? 0));
      }
    }
    let first = 0;
    while (first < counts.length && counts[first] === 0) first++;
    let end = counts.length;
    while (end > first && counts[end - 1] === 0) end--;
    return { scale, offset: offset + first, counts: counts.slice(first, end) };
  }

  /** Writes the buckets (OpenTelemetry's index at `SCALE`) that grew since this was last called with `before`, in rising
   *  order, and by how much; returns how many. Then `before` is as this is. */
  catchUp(before: Sketch, indexes: number[], counts: number[]): number {
    let grown = 0;
    before.#state.set(this.#state);
    for (let octave = 0; octave < OCTAVES; octave++) {
      const ours = this.#octaves[octave];
      if (ours === undefined) continue;
      const theirs = before.#octaves[octave] ?? before.#openOctave(octave);
      for (let j = 0; j < PER_OCTAVE; j++) {
        if (ours[j] === theirs[j]) continue;
        indexes[grown] = (octave + MIN_EXPONENT) * PER_OCTAVE + j;
        counts[grown++] = ours[j]! - theirs[j]!;
        theirs[j] = ours[j]!;
      }
    }
    return grown;
  }

  copy(): Sketch {
    const copy = new Sketch();
    copy.merge(this);
    return copy;
  }

  /** Adds all that `other` has recorded. */
  merge(other: Sketch): void {
    const state = this.#state;
    for (const field of [COUNT, SUM, ZEROS]) state[field]! += other.#state[field]!;
    state[MIN] = Math.min(state[MIN]!, other.#state[MIN]!);
    state[MAX] = Math.max(state[MAX]!, other.#state[MAX]!);
    for (let octave = 0; octave < OCTAVES; octave++) {
      const theirs = other.#octaves[octave];
      if (theirs === undefined) continue;
      const ours = this.#octaves[octave] ?? this.#openOctave(octave);
      for (let j = 0; j < PER_OCTAVE; j++) ours[j]! += theirs[j]!;
    }
  }

  /** Back to empty; keeps its memory. */
  clear(): void {
    this.#state.fill(0);
    this.#state[MIN] = Number.POSITIVE_INFINITY;
    for (const counts of this.#octaves) counts?.fill(0);
  }

  #openOctave(octave: number): Float64Array {
    const counts = new Float64Array(PER_OCTAVE);
    this.#octaves[octave] = counts;
    return counts;
  }
}
