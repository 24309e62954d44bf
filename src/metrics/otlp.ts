// The registry as OpenTelemetry's metric data: the shapes of `@opentelemetry/sdk-metrics`, without needing it.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import type { Family, Labels, Registry } from './registry.ts';
import type { Sketch } from './sketch.ts';

/** Seconds since 1970 and nanoseconds. */
export type OtlpTime = [seconds: number, nanoseconds: number];

/** `DataPointType`, `ValueType` and `AggregationTemporality` of the SDK (on the wire the numbers are others). */
export const OTLP_POINT = { histogram: 0, exponential: 1, gauge: 2, sum: 3 } as const;
const DOUBLE = 1;
export const OTLP_TEMPORALITY = { delta: 0, cumulative: 1 } as const;

export interface OtlpPoint<Value = unknown> {
  readonly attributes: Labels;
  readonly startTime: OtlpTime;
  readonly endTime: OtlpTime;
  readonly value: Value;
}
export interface OtlpMetric {
  readonly descriptor: {
    readonly name: string;
    readonly description: string;
    readonly unit: string;
    readonly valueType: number;
  };
  readonly aggregationTemporality: number;
  readonly dataPointType: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly OtlpPoint[];
}

export interface OtlpProducerOptions {
  /** `delta`: what happened since the last batch that was delivered. */
  readonly temporality: 'cumulative' | 'delta';
  /** `exponential`: quantiles within 0.55 %; `explicit`: the buckets of the text format. */
  readonly histograms: 'explicit' | 'exponential';
  /** ms since 1970. It may jump: no point ends before it begins. */
  readonly now: () => number;
}

export interface OtlpBatch {
  readonly metrics: readonly OtlpMetric[];
  readonly points: number;
  /** The batch has arrived: deltas count from it on. Without this the next batch holds it again. */
  delivered(): void;
}

export interface OtlpProducer {
  collect(): OtlpBatch;
}

/** What of a series has been delivered. */
interface Told {
  readonly value: number;
  readonly sketch: Sketch | undefined;
}

export function createOtlpProducer(registry: Registry, options: OtlpProducerOptions): OtlpProducer {
  const isDelta = options.temporality === 'delta';
  const temporality = isDelta ? OTLP_TEMPORALITY.delta : OTLP_TEMPORALITY.cumulative;
  let told = new Map<object, Told>();
  let sinceMs = options.now();

  function collect(): OtlpBatch {
    const nowMs = options.now();
    const startTime = timeOf(Math.min(sinceMs, nowMs));
    const endTime = timeOf(nowMs);
    const telling = new Map<object, Told>();
    const metrics: OtlpMetric[] = [];
    let points = 0;
    for (const family of registry.families()) {
      const dataPoints: OtlpPoint[] = [];
      for (const { handle, labels } of family.series) {
        const value = valueOf(family, handle, isDelta ? told.get(handle) : undefined);
        if (isDelta) telling.set(handle, reached(handle));
        if (value !== undefined) dataPoints.push({ attributes: given(labels), startTime, endTime, value });
      }
      if (dataPoints.length === 0) continue;
      points += dataPoints.length;
      metrics.push(metricOf(family, dataPoints, temporality, options.histograms));
    }
    return {
      metrics,
      points,
      delivered() {
        if (!isDelta) return;
        told = telling;
        sinceMs = nowMs;
      },
    };
  }

  function valueOf(family: Family, handle: unknown, before: Told | undefined): unknown {
    if (handle instanceof GaugeHandle) return handle.value ?? undefined;
    if (handle instanceof CounterHandle) {
      const value = handle.value - (before?.value ?? 0);
      return isUnchanged(value, before) ? undefined : value;
    }
    if (!(handle instanceof HistogramHandle)) return undefined;
    const { sketch } = handle;
    const count = sketch.count - (before?.sketch?.count ?? 0);
    if (isUnchanged(count, before)) return undefined;
    const common = {
      count,
      sum: sketch.sum - (before?.sketch?.sum ?? 0),
      // Of a part of the time they are not known.
      ...(before?.sketch === undefined && count > 0
        ? { min: sketch.min ?? undefined, max: sketch.max ?? undefined }
        : {}),
    };
    if (options.histograms === 'explicit')
      return { ...common, buckets: explicit(family.bounds, sketch, before?.sketch) };
    const { scale, offset, counts } = sketch.exponential(before?.sketch);
    return {
      ...common,
      scale,
      zeroCount: sketch.zeros - (before?.sketch?.zeros ?? 0),
      positive: { offset, bucketCounts: counts },
      negative: { offset: 0, bucketCounts: [] },
    };
  }

  return { collect };
}

/** What was told before and has not grown is not told again: only deltas know what was told. */
function isUnchanged(grown: number, before: Told | undefined): boolean {
  return before !== undefined && grown === 0;
}

/** A label without a value is no label: receivers differ in what they make of an empty one. */
function given(labels: Labels): Labels {
  for (const name in labels) {
    if (labels[name] === '') return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
  }
  return labels;
}

function reached(handle: unknown): Told {
  return {
    value: handle instanceof CounterHandle ? handle.value : 0,
    sketch: handle instanceof HistogramHandle ? handle.sketch.copy() : undefined,
  };
}

function explicit(boundaries: readonly number[], sketch: Sketch, before: Sketch | undefined) {
  const below = sketch.cumulative(boundaries);
  const earlier = before?.cumulative(boundaries);
  const counts: number[] = [];
  let passed = 0;
  for (let i = 0; i <= boundaries.length; i++) {
    const upTo = i < boundaries.length ? below[i]! - (earlier?.[i] ?? 0) : sketch.count - (before?.count ?? 0);
    counts.push(upTo - passed);
    passed = upTo;
  }
  return { boundaries: [...boundaries], counts };
}

function metricOf(
  { name, help, unit, kind }: Family,
  dataPoints: readonly OtlpPoint[],
  aggregationTemporality: number,
  histograms: 'explicit' | 'exponential',
): OtlpMetric {
  const descriptor = { name, description: help, unit, valueType: DOUBLE };
  if (kind === 'gauge') return { descriptor, aggregationTemporality, dataPointType: OTLP_POINT.gauge, dataPoints };
  if (kind === 'counter') {
    return { descriptor, aggregationTemporality, dataPointType: OTLP_POINT.sum, isMonotonic: true, dataPoints };
  }
  const dataPointType = histograms === 'explicit' ? OTLP_POINT.histogram : OTLP_POINT.exponential;
  return { descriptor, aggregationTemporality, dataPointType, dataPoints };
}

function timeOf(ms: number): OtlpTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
