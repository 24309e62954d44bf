// The registry as columns of numbers, taken again and again: each series has a number, and only what it gained is told of histograms.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import type { Kind } from './names.ts';
import type { Labels, Registry, Series } from './registry.ts';
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
  /** Of each family, how many of its series were met. */
  const met: number[] = [];
  const counters: Numbered<CounterHandle>[] = [];
  const gauges: Numbered<GaugeHandle>[] = [];
  const histograms: NumberedHistogram[] = [];
  // Shortened only where there is less to tell: engines free the memory of a list that is emptied.
  const gains: Gain[] = [];
  let size = 0;
  let values = new Float64Array(256);
  let used = values.subarray(0, 0);

  return () => {
    const added = meet();
    for (let i = 0; i < counters.length; i++) values[counters[i]!.number] = counters[i]!.handle.value;
    for (let i = 0; i < gauges.length; i++) values[gauges[i]!.number] = gauges[i]!.handle.read();
    let gained = 0;
    for (let i = 0; i < histograms.length; i++) {
      const gain = gainOf(histograms[i]!);
      if (gain !== undefined) gains[gained++] = gain;
    }
    shorten(gains, gained);
    return { added, values: used, gains };
  };

  /** Series that have come since the last reading. */
  function meet(): readonly SeriesInfo[] {
    const families = registry.families();
    let added: SeriesInfo[] | undefined;
    for (let f = 0; f < families.length; f++) {
      const { name, kind, unit, series } = families[f]!;
      for (let i = met[f] ?? 0; i < series.length; i++) {
        if (size >= maxSeries) onDrop();
        else (added ??= []).push({ name, kind, unit, labels: take(series[i]!) });
      }
      met[f] = series.length;
    }
    return added ?? NONE;
  }

  function take({ labels, handle }: Series<unknown>): Labels {
    const number = size++;
    if (number >= values.length) values = grown(values);
    values[number] = Number.NaN;
    used = values.subarray(0, size);
    if (handle instanceof CounterHandle) counters.push({ number, handle });
    else if (handle instanceof GaugeHandle) gauges.push({ number, handle });
    else if (handle instanceof HistogramHandle) histograms.push({ number, sketch: handle.sketch });
    return labels;
  }
}

interface Numbered<Handle> {
  readonly number: number;
  readonly handle: Handle;
}
interface NumberedHistogram {
  readonly number: number;
  readonly sketch: Sketch;
  /** As it was at the last reading; undefined: never had anything. */
  before?: Sketch;
  gain?: MutableGain;
}
interface MutableGain extends Gain {
  count: number;
  sum: number;
  zeros: number;
  readonly indexes: number[];
  readonly counts: number[];
}

/** Undefined where nothing came. */
function gainOf(one: NumberedHistogram): Gain | undefined {
  const { sketch } = one;
  if (sketch.count === (one.before?.count ?? 0)) return undefined;
  const before = (one.before ??= new Sketch());
  const gain = (one.gain ??= { series: one.number, count: 0, sum: 0, zeros: 0, indexes: [], counts: [] });
  gain.count = sketch.count - before.count;
  gain.sum = sketch.sum - before.sum;
  gain.zeros = sketch.zeros - before.zeros;
  const buckets = sketch.catchUp(before, gain.indexes, gain.counts);
  shorten(gain.indexes, buckets);
  shorten(gain.counts, buckets);
  return gain;
}

function shorten(list: unknown[], length: number): void {
  if (list.length > length) list.length = length;
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length);
  larger.set(values);
  return larger;
}

const NONE: readonly SeriesInfo[] = [];
