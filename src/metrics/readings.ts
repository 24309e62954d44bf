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

/** Plain data: may be sent to another thread. Its arrays are used again for the next reading. */
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
  const gained = new Map<number, MutableGain>();
  const gains: Gain[] = [];
  let values = new Float64Array(256);

  return () => {
    const added: SeriesInfo[] = [];
    gains.length = 0;
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
            if (number >= values.length) values = grown(values);
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
    return { added, values: values.subarray(0, known.size), gains };
  };

  function gainOf(series: number, sketch: Sketch): Gain | undefined {
    let before = known.get(series) ?? EMPTY;
    if (sketch.count === before.count) return undefined;
    if (before === EMPTY) {
      before = new Sketch();
      known.set(series, before);
    }
    const gain = gained.get(series) ?? { series, count: 0, sum: 0, zeros: 0, indexes: [], counts: [] };
    gained.set(series, gain);
    gain.count = sketch.count - before.count;
    gain.sum = sketch.sum - before.sum;
    gain.zeros = sketch.zeros - before.zeros;
    gain.indexes.length = 0;
    gain.counts.length = 0;
    sketch.catchUp(before, (index, more) => {
      gain.indexes.push(index);
      gain.counts.push(more);
    });
    return gain;
  }
}

interface MutableGain extends Gain {
  count: number;
  sum: number;
  zeros: number;
  readonly indexes: number[];
  readonly counts: number[];
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length);
  larger.set(values);
  return larger;
}

const EMPTY = new Sketch();
