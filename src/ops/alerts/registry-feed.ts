// Turns snapshots of the registry into the points that rules look at: its instruments as they are, and the specification's rates and means.
import { CounterHandle, GaugeHandle, HistogramHandle, type Registry } from '../../metrics/index.ts';
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

/** A slice for each instrument: what belongs together is read together. */
export const readingsOf = (registry: Registry): TakeReadings =>
  function* (instruments) {
    const readings: SeriesReading[] = [];
    for (const { name, series } of registry.families()) {
      if (!instruments.has(name)) continue;
      for (const { labels, handle } of series) {
        if (handle instanceof HistogramHandle) {
          const { count, sum } = handle.sketch;
          readings.push({ name, labels, kind: 'histogram', count, sum });
        } else if (handle instanceof CounterHandle) {
          readings.push({ name, labels, kind: 'counter', value: handle.value });
        } else if (handle instanceof GaugeHandle && handle.value !== null) {
          readings.push({ name, labels, kind: 'gauge', value: handle.value });
        }
      }
      yield;
    }
    return readings;
  };

/** Steps in which a window moves on. */
const STEPS = 30;

interface Sum {
  readonly labels: Labels;
  part: number;
  all: number;
}
interface Past {
  readonly atMs: number;
  readonly sums: ReadonlyMap<string, Sum>;
}

export class RegistryFeed {
  readonly #derived: readonly DerivedMetric[];
  readonly #past: Past[][];

  constructor(derived: readonly DerivedMetric[] = DERIVED_METRICS) {
    this.#derived = derived;
    this.#past = derived.map(() => []);
  }

  /** Instruments that these metrics are made of; a window needs its past before anybody asks for it, so of those all. */
  sources(metrics: ReadonlySet<string>): Set<string> {
    const sources = new Set(this.#derived.flatMap(({ part, all }) => [part.metric, all.metric]));
    for (const metric of metrics) sources.add(metric.replace(/\.(?:count|sum)$/, '')).add(metric);
    for (const { name, metric } of RENAMED_METRICS) if (metrics.has(name)) sources.add(metric);
    return sources;
  }

  /** `nowMs` is the host's clock; when it goes back, the windows begin again. */
  points(snapshot: readonly SeriesReading[], nowMs: number): Point[] {
    const points: Point[] = [];
    for (const one of snapshot) {
      const { name: metric, labels } = one;
      if (one.kind === 'histogram') {
        points.push({ metric: `${metric}.count`, labels, value: one.count });
        points.push({ metric: `${metric}.sum`, labels, value: one.sum });
        continue;
      }
      points.push({ metric, labels, value: one.value });
      for (const { name, metric: source, factor } of RENAMED_METRICS) {
        if (source === metric) points.push({ metric: name, labels, value: one.value * factor });
      }
    }
    this.#derived.forEach((derived, i) => this.#derive(derived, this.#past[i] ?? [], snapshot, nowMs, points));
    return points;
  }

  #derive(derived: DerivedMetric, past: Past[], snapshot: readonly SeriesReading[], nowMs: number, out: Point[]) {
    const { windowMs, name: metric, factor } = derived;
    const now: Past = { atMs: nowMs, sums: sumsOf(derived, snapshot) };
    if ((past.at(-1)?.atMs ?? nowMs) > nowMs) past.length = 0;
    // The first is the newest that is at least a window old, or the oldest there is.
    while ((past[1]?.atMs ?? nowMs) <= nowMs - windowMs) past.shift();
    const [first] = past;
    if (first !== undefined) {
      for (const [key, { labels, part, all }] of now.sums) {
        const before = first.sums.get(key);
        const happened = all - (before?.all ?? 0);
        if (happened > 0) {
          out.push({ metric, labels, value: (factor * (part - (before?.part ?? 0))) / happened });
        }
      }
    }
    if (nowMs - (past.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= windowMs / STEPS) past.push(now);
  }
}

function sumsOf({ by, part, all }: DerivedMetric, snapshot: readonly SeriesReading[]): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const one of snapshot) {
    const inPart = valueOf(part, one);
    const inAll = valueOf(all, one);
    if (inPart === undefined && inAll === undefined) continue;
    const labels = Object.fromEntries(by.map((name) => [name, one.labels[name] ?? '']));
    const key = JSON.stringify(labels);
    const sum = sums.get(key) ?? { labels, part: 0, all: 0 };
    sum.part += inPart ?? 0;
    sum.all += inAll ?? 0;
    sums.set(key, sum);
  }
  return sums;
}

function valueOf({ metric, field, where = {} }: Selection, one: SeriesReading): number | undefined {
  if (one.name !== metric) return undefined;
  if (Object.entries(where).some(([name, value]) => one.labels[name] !== value)) return undefined;
  if (one.kind !== 'histogram') return field === undefined ? one.value : undefined;
  return field === undefined ? undefined : one[field];
}
