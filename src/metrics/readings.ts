// The registry as columns of numbers, taken again and again: each series has a number, and only what it gained is told of histograms.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import type { Kind } from './names.ts';
import type { Labels, Registry } from './registry.ts';
import { Sketch } from './sketch.ts';

export interface SeriesInfo {
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly labels: Labels;
}

/** What a histogram gained between two readings. */
export interface Gain {
  readonly series: number;
  readonly count: number;
  readonly sum: number;
  /** Values that were zero. */
  readonly zeros: number;
  /** Buckets that grew, rising: OpenTelemetry's index at `SCALE`, and by how much. */
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

/** Plain data: may be sent to another thread. */
export interface Readings {
  /** Continues the table of series: the first one here has the number of those known before. */
  readonly added: readonly SeriesInfo[];
  /** By series: total of a counter, value of a gauge; NaN = unknown, and for histograms. */
  readonly values: Float64Array;
  readonly gains: readonly Gain[];
}

/** Returns what takes one reading. `maxSeries` bounds the table; series beyond it are told to `onDrop`, once each. */
export function createReader(registry: Registry, maxSeries: number, onDrop: () => void = () => {}): () => Readings {
  const numbers = new Map<object, number>();
  const known = new Map<number, Sketch>();

  return () => {
    const added: SeriesInfo[] = [];
    const values: number[] = [];
    const gains: Gain[] = [];
    for (const { name, kind, unit, series } of registry.families()) {
      for (const { labels, handle } of series) {
        let number = numbers.get(handle);
        if (number === undefined) {
          // -1: met, and not taken.
          number = known.size < maxSeries ? known.size : -1;
          numbers.set(handle, number);
          if (number < 0) onDrop();
          else {
            known.set(number, EMPTY);
            added.push({ name, kind, unit, labels });
          }
        }
        if (number < 0) continue;
        if (handle instanceof HistogramHandle) {
          values[number] = Number.NaN;
          const gain = gainOf(number, handle.sketch);
          if (gain !== undefined) gains.push(gain);
        } else if (handle instanceof CounterHandle) values[number] = handle.value;
        else if (handle instanceof GaugeHandle) values[number] = handle.value ?? Number.NaN;
      }
    }
    return { added, values: Float64Array.from(values), gains };
  };

  function gainOf(series: number, sketch: Sketch): Gain | undefined {
    let before = known.get(series) ?? EMPTY;
    if (sketch.count === before.count) return undefined;
    if (before === EMPTY) {
      before = new Sketch();
      known.set(series, before);
    }
    const count = sketch.count - before.count;
    const sum = sketch.sum - before.sum;
    const zeros = sketch.zeros - before.zeros;
    const indexes: number[] = [];
    const counts: number[] = [];
    sketch.catchUp(before, (index, grown) => {
      indexes.push(index);
      counts.push(grown);
    });
    return { series, count, sum, zeros, indexes, counts };
  }
}

const EMPTY = new Sketch();
