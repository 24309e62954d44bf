// What the ticks of each minute add up to: added as they come, so that the end of a minute is no work; kept for an hour.
import { type Trend, trendOf } from './score.ts';

const HALVES = 2;
// Of each column and minute: the sums of both halves, least and most.
const SUM = 0;
const LEAST = 2;
const MOST = 3;
const PARTS = 4;

interface Minute {
  /** On the desk's clock. */
  fromMs: number;
  toMs: number;
  ticks: number;
  readonly parts: Float64Array;
  /** Of each column and half: ticks in which it was measured. */
  readonly counts: Uint16Array;
}

/** One figure over some time. */
export interface FigureReport {
  /** Ticks in which it was measured. */
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Null: too little to tell. */
  readonly trend: Trend | null;
}
export interface Summary {
  readonly fromMs: number;
  readonly toMs: number;
  readonly ticks: number;
  /** By column; null: not measured. */
  readonly figures: readonly (FigureReport | null)[];
}

export class MinuteLog {
  readonly #width: number;
  readonly #max: number;
  readonly #full: Minute[] = [];
  readonly #blank: Float64Array;
  #open: Minute;

  constructor(width: number, minutes: number) {
    this.#width = width;
    this.#max = minutes;
    this.#blank = blankOf(width);
    this.#open = this.#minute();
  }

  #minute(): Minute {
    return { fromMs: 0, toMs: 0, ticks: 0, parts: this.#blank.slice(), counts: new Uint16Array(this.#width * HALVES) };
  }

  /** `half`: whether this is the second half of the minute. */
  add(row: Float64Array, nowMs: number, half: boolean): void {
    const open = this.#open;
    const { parts, counts } = open;
    if (open.ticks++ === 0) open.fromMs = nowMs;
    open.toMs = nowMs;
    const part = half ? 1 : 0;
    for (let column = 0, at = 0; column < this.#width; column++, at += PARTS) {
      const value = row[column]!;
      // NaN is not measured.
      if (value !== value) continue;
      counts[column * HALVES + part]!++;
      parts[at + SUM + part]! += value;
      if (value < parts[at + LEAST]!) parts[at + LEAST] = value;
      if (value > parts[at + MOST]!) parts[at + MOST] = value;
    }
  }

  /** Ends the open minute. */
  close(): void {
    this.#full.push(this.#open);
    const used = this.#full.length > this.#max ? this.#full.shift() : undefined;
    this.#open = used === undefined ? this.#minute() : this.#emptied(used);
  }

  /** By copies: all sessions of a process may end their minute in the same turn, and a loop that runs so seldom is never compiled. */
  #emptied(minute: Minute): Minute {
    minute.ticks = 0;
    minute.parts.set(this.#blank);
    minute.counts.fill(0);
    return minute;
  }

  /** The minute that ended last. */
  last(): Summary {
    return summed(this.#full.slice(-1), this.#width);
  }

  /** Of the minutes that ended after `sinceMs`, the open one included. */
  summary(sinceMs: number): Summary {
    return summed(
      [...this.#full, this.#open].filter(({ ticks, toMs }) => ticks > 0 && toMs > sinceMs),
      this.#width,
    );
  }

  /** Those that are kept, each by itself. */
  minutes(): Summary[] {
    return this.#full.map((minute) => summed([minute], this.#width));
  }
}

/** Nothing measured, for so many columns; made once for each width. */
function blankOf(width: number): Float64Array {
  let blank = blanks.get(width);
  if (blank === undefined) {
    blank = new Float64Array(width * PARTS);
    for (let at = 0; at < blank.length; at += PARTS) {
      blank[at + LEAST] = Number.POSITIVE_INFINITY;
      blank[at + MOST] = Number.NEGATIVE_INFINITY;
    }
    blanks.set(width, blank);
  }
  return blank;
}

const blanks = new Map<number, Float64Array>();

function summed(minutes: readonly Minute[], width: number): Summary {
  const figures = Array.from({ length: width }, (_, column) => figureOf(minutes, column));
  return {
    fromMs: minutes[0]?.fromMs ?? 0,
    toMs: minutes.at(-1)?.toMs ?? 0,
    ticks: minutes.reduce((sum, { ticks }) => sum + ticks, 0),
    figures,
  };
}

function figureOf(minutes: readonly Minute[], column: number): FigureReport | null {
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const halves: number[] = [];
  const at = column * PARTS;
  for (const { parts, counts } of minutes) {
    for (let half = 0; half < HALVES; half++) {
      const n = counts[column * HALVES + half]!;
      if (n === 0) continue;
      count += n;
      sum += parts[at + SUM + half]!;
      halves.push(parts[at + SUM + half]! / n);
    }
    min = Math.min(min, parts[at + LEAST]!);
    max = Math.max(max, parts[at + MOST]!);
  }
  return count === 0 ? null : { count, mean: sum / count, min, max, trend: trendOf(halves) };
}
