// Turns snapshots of the registry into the points that rules look at: its instruments as they are, and the specification's rates and means.
import { CounterHandle, type Family, GaugeHandle, HistogramHandle, type Registry } from '../../metrics/index.ts';
import type { Labels } from './labels.ts';
import type { Point } from './sample-store.ts';

/** One series of the registry, without its quantiles. */
export type SeriesReading = { readonly name: string; readonly labels: Labels } & (
  | { readonly kind: 'counter' | 'gauge'; readonly value: number }
  | { readonly kind: 'histogram'; readonly count: number; readonly sum: number }
);

/** `100 * part / all` or `part / all` over a window, for each value of the labels in `by`. */
export interface DerivedMetric {
  readonly name: string;
  readonly windowMs: number;
  readonly factor: number;
  readonly by: readonly string[];
  readonly part: Selection;
  readonly all: Selection;
}
export interface Selection {
  /** A counter, or a histogram with `field`. */
  readonly metric: string;
  readonly field?: 'count' | 'sum';
  readonly where?: Labels;
}

const meanMs = (name: string, metric: string): DerivedMetric => ({
  name,
  windowMs: 60_000,
  factor: 1000,
  by: [],
  part: { metric, field: 'sum' },
  all: { metric, field: 'count' },
});
const failed = (name: string, metric: string, by: readonly string[] = []): DerivedMetric => ({
  name,
  windowMs: 300_000,
  factor: 1,
  by,
  part: { metric, where: { outcome: 'failed' } },
  all: { metric },
});
const level = (name: string, metric: string, factor: number) => ({ name, metric, factor });

/** In base units on the left, in the specification's on the right. What the registry does not hold is not measured. */
export const DERIVED_METRICS: readonly DerivedMetric[] = [
  meanMs('audio.processing.latency_ms', 'syrinx.audio.processing'),
  meanMs('conversation.response_ms', 'syrinx.conversation.response'),
  meanMs('agent.overhead_ms', 'syrinx.agent.overhead'),
  failed('session.error_rate', 'syrinx.sessions.ended'),
  failed('api.error_rate', 'syrinx.api.requests', ['provider']),
  failed('connection.failure_rate', 'syrinx.connections'),
];
export const RENAMED_METRICS: readonly ReturnType<typeof level>[] = [
  level('audio.quality_score', 'syrinx.audio.quality.score', 1),
  level('system.memory_percent', 'syrinx.system.memory', 100),
  level('system.cpu_percent', 'syrinx.system.cpu', 100),
  level('system.disk_free_percent', 'syrinx.system.disk.free', 100),
  level('network.utilization_percent', 'syrinx.network.utilization', 100),
  level('system.queue_size', 'syrinx.queue.size', 1),
];

/** Takes readings of these instruments. In slices, so that whoever has other things to do may do them in between. */
export type TakeReadings = (
  instruments: ReadonlySet<string>,
) => Generator<undefined, readonly SeriesReading[], undefined>;

/** Readings that are written again by the next taking. */
type KeptLevel = { -readonly [key in keyof LevelReading]: LevelReading[key] };
type KeptHistogram = { -readonly [key in keyof HistogramReading]: HistogramReading[key] };
type KeptReading = KeptLevel | KeptHistogram;
type LevelReading = Extract<SeriesReading, { readonly value: number }>;
type HistogramReading = Extract<SeriesReading, { readonly count: number }>;

/** A slice for each instrument: what belongs together is read together. The readings are good until the next ones are taken. */
export const readingsOf = (registry: Registry): TakeReadings => {
  const kept = new WeakMap<object, KeptReading>();
  const readings: KeptReading[] = [];
  return function* (instruments) {
    const families = registry.families();
    let count = 0;
    for (let i = 0; i < families.length; i++) {
      if (!instruments.has(families[i]!.name)) continue;
      count = readFamily(families[i]!, kept, readings, count);
      yield;
    }
    if (readings.length > count) readings.length = count;
    return readings;
  };
};

/** Returns how many readings there are with those of this family. */
function readFamily(
  { name, kind, series }: Family,
  kept: WeakMap<object, KeptReading>,
  out: KeptReading[],
  before: number,
): number {
  let count = before;
  for (let i = 0; i < series.length; i++) {
    const { labels, handle } = series[i]!;
    let reading = kept.get(handle);
    if (reading === undefined) {
      reading =
        kind === 'histogram' ? { name, labels, kind, count: 0, sum: 0 } : { name, labels, kind, value: Number.NaN };
      kept.set(handle, reading);
    }
    if (reading.kind === 'histogram') {
      if (!(handle instanceof HistogramHandle)) continue;
      reading.count = handle.sketch.count;
      reading.sum = handle.sketch.sum;
    } else if (handle instanceof CounterHandle) reading.value = handle.value;
    else if (handle instanceof GaugeHandle) {
      reading.value = handle.read();
      if (Number.isNaN(reading.value)) continue;
    }
    out[count++] = reading;
  }
  return count;
}

/** Steps in which a window moves on. */
const STEPS = 30;
/** Label sets of all derived metrics that are remembered; beyond, they are worked out anew. */
const MAX_SUMS = 5000;

/** What has happened so far, for one label set of a derived metric. */
interface Sum {
  readonly key: string;
  readonly labels: Labels;
  part: number;
  all: number;
  /** The snapshot that it is of. */
  turn: number;
}
interface Past {
  readonly atMs: number;
  readonly sums: ReadonlyMap<string, { readonly part: number; readonly all: number }>;
}
/** A series, what points it gives, and what it adds to: worked out once. */
interface Fed {
  readonly name: string;
  readonly kind: SeriesReading['kind'];
  /** Of a histogram its count and its sum; else its value, and under the specification's names by their factor. */
  readonly points: readonly MutablePoint[];
  readonly factors: readonly number[];
  readonly adds: readonly Addition[];
}
interface Addition {
  readonly sums: Sum[];
  readonly sum: Sum;
  readonly part: Field | undefined;
  readonly all: Field | undefined;
}
type MutablePoint = { -readonly [key in keyof Point]: Point[key] };
type Field = 'value' | 'count' | 'sum';

export class RegistryFeed {
  readonly #derived: readonly DerivedMetric[];
  readonly #past: Past[][];
  /** By the labels of a series, which it keeps for as long as it lives. */
  #fed = new WeakMap<Labels, Fed>();
  readonly #known: Map<string, Sum>[];
  /** Of the newest snapshot, in the order in which they were met. */
  readonly #sums: Sum[][];
  #turn = 0;
  readonly #points: Point[] = [];
  #count = 0;
  #sources: { readonly of: ReadonlySet<string>; readonly all: Set<string> } | undefined;

  constructor(derived: readonly DerivedMetric[] = DERIVED_METRICS) {
    this.#derived = derived;
    this.#past = derived.map(() => []);
    this.#known = derived.map(() => new Map());
    this.#sums = derived.map(() => []);
  }

  /** Instruments that these metrics are made of; a window needs its past before anybody asks for it, so of those all. */
  sources(metrics: ReadonlySet<string>): Set<string> {
    if (this.#sources?.of === metrics) return this.#sources.all;
    const sources = new Set(this.#derived.flatMap(({ part, all }) => [part.metric, all.metric]));
    for (const metric of metrics) sources.add(metric.replace(/\.(?:count|sum)$/, '')).add(metric);
    for (const { name, metric } of RENAMED_METRICS) if (metrics.has(name)) sources.add(metric);
    this.#sources = { of: metrics, all: sources };
    return sources;
  }

  /** `nowMs` is the host's clock; when it goes back, the windows begin again. The points are good until the next ones. */
  points(snapshot: readonly SeriesReading[], nowMs: number): readonly Point[] {
    this.#begin();
    for (let i = 0; i < snapshot.length; i++) this.#feed(snapshot[i]!);
    for (let i = 0; i < this.#derived.length; i++) this.#derive(i, nowMs);
    if (this.#points.length > this.#count) this.#points.length = this.#count;
    return this.#points;
  }

  #begin(): void {
    this.#turn++;
    this.#count = 0;
    let known = 0;
    for (let i = 0; i < this.#sums.length; i++) {
      this.#sums[i]!.length = 0;
      known += this.#known[i]!.size;
    }
    if (known <= MAX_SUMS) return;
    for (const sums of this.#known) sums.clear();
    this.#fed = new WeakMap();
  }

  #feed(one: SeriesReading): void {
    let fed = this.#fed.get(one.labels);
    // Labels may be shared by series of several instruments.
    if (fed === undefined || fed.name !== one.name || fed.kind !== one.kind) {
      fed = this.#fedBy(one);
      this.#fed.set(one.labels, fed);
    }
    const { points, factors, adds } = fed;
    if (one.kind === 'histogram') {
      points[0]!.value = one.count;
      points[1]!.value = one.sum;
    } else for (let i = 0; i < points.length; i++) points[i]!.value = one.value * factors[i]!;
    for (let i = 0; i < points.length; i++) this.#points[this.#count++] = points[i]!;
    for (let i = 0; i < adds.length; i++) {
      const { sums, sum, part, all } = adds[i]!;
      if (sum.turn !== this.#turn) {
        sum.turn = this.#turn;
        sum.part = 0;
        sum.all = 0;
        sums.push(sum);
      }
      if (part !== undefined) sum.part += amount(one, part);
      if (all !== undefined) sum.all += amount(one, all);
    }
  }

  #fedBy({ name, kind, labels }: SeriesReading): Fed {
    const point = (metric: string): MutablePoint => ({ metric, labels, value: 0 });
    const adds = this.#additions(name, kind, labels);
    if (kind === 'histogram') {
      return { name, kind, points: [point(`${name}.count`), point(`${name}.sum`)], factors: UNCHANGED, adds };
    }
    const renamed = RENAMED_METRICS.filter(({ metric }) => metric === name);
    if (renamed.length === 0) return { name, kind, points: [point(name)], factors: UNCHANGED, adds };
    const points = [point(name), ...renamed.map((one) => point(one.name))];
    return { name, kind, points, factors: [1, ...renamed.map(({ factor }) => factor)], adds };
  }

  #additions(name: string, kind: SeriesReading['kind'], labels: Labels): readonly Addition[] {
    let found: Addition[] | undefined;
    for (let i = 0; i < this.#derived.length; i++) {
      const derived = this.#derived[i]!;
      const part = fieldOf(derived.part, name, kind, labels);
      const all = fieldOf(derived.all, name, kind, labels);
      if (part === undefined && all === undefined) continue;
      (found ??= []).push({ sums: this.#sums[i]!, sum: this.#sumOf(i, derived.by, labels), part, all });
    }
    return found ?? NOTHING;
  }

  #sumOf(i: number, by: readonly string[], of: Labels): Sum {
    const labels = Object.fromEntries(by.map((name) => [name, of[name] ?? '']));
    const key = JSON.stringify(labels);
    let sum = this.#known[i]!.get(key);
    if (sum === undefined) {
      sum = { key, labels, part: 0, all: 0, turn: 0 };
      this.#known[i]!.set(key, sum);
    }
    return sum;
  }

  #derive(i: number, nowMs: number): void {
    const { windowMs, name: metric, factor } = this.#derived[i]!;
    const past = this.#past[i]!;
    const sums = this.#sums[i]!;
    if ((past.at(-1)?.atMs ?? nowMs) > nowMs) past.length = 0;
    // The first is the newest that is at least a window old, or the oldest there is.
    while ((past[1]?.atMs ?? nowMs) <= nowMs - windowMs) past.shift();
    const first = past[0];
    if (first !== undefined) {
      for (const { key, labels, part, all } of sums) {
        const before = first.sums.get(key);
        const happened = all - (before?.all ?? 0);
        if (happened > 0) {
          const value = (factor * (part - (before?.part ?? 0))) / happened;
          this.#points[this.#count++] = { metric, labels, value };
        }
      }
    }
    if (nowMs - (past.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < windowMs / STEPS) return;
    past.push({ atMs: nowMs, sums: new Map(sums.map(({ key, part, all }) => [key, { part, all }])) });
  }
}

// Shared by most series, which are in no derived metric and have one name.
const UNCHANGED: readonly number[] = [1];
const NOTHING: readonly Addition[] = [];

function amount(one: SeriesReading, field: Field): number {
  if (one.kind !== 'histogram') return one.value;
  return field === 'count' ? one.count : one.sum;
}

/** What of a series a selection adds up; undefined: it is not selected. */
function fieldOf(
  { metric, field, where }: Selection,
  name: string,
  kind: SeriesReading['kind'],
  labels: Labels,
): Field | undefined {
  if (name !== metric) return undefined;
  if (where !== undefined && Object.entries(where).some(([label, value]) => labels[label] !== value)) return undefined;
  if (kind !== 'histogram') return field === undefined ? 'value' : undefined;
  return field;
}
