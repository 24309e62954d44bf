// The registry as plain data: what the monitor, the alerts and the JSON views read, also from another thread.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import type { Labels, Registry } from './registry.ts';

export type MetricSnapshot = {
  readonly name: string;
  readonly unit: string;
  readonly labels: Labels;
} & (
  | { readonly kind: 'counter' | 'gauge'; readonly value: number }
  | {
      readonly kind: 'histogram';
      readonly count: number;
      readonly sum: number;
      /** Null while nothing was recorded. */
      readonly min: number | null;
      readonly max: number | null;
      readonly p50: number | null;
      readonly p90: number | null;
      readonly p95: number | null;
      readonly p99: number | null;
    }
);

const QUANTILES = [0.5, 0.9, 0.95, 0.99] as const;

/** One entry per series that has a value; unknown gauges are absent. `names`: of these instruments only, for whoever looks
 *  again and again. */
export function takeSnapshot(registry: Registry, names?: ReadonlySet<string>): MetricSnapshot[] {
  const out: MetricSnapshot[] = [];
  for (const { name, unit, series } of registry.families()) {
    if (names !== undefined && !names.has(name)) continue;
    for (const { labels, handle } of series) {
      if (handle instanceof CounterHandle) out.push({ name, kind: 'counter', unit, labels, value: handle.value });
      else if (handle instanceof HistogramHandle) {
        const { sketch } = handle;
        const [p50 = null, p90 = null, p95 = null, p99 = null] = sketch.quantiles(QUANTILES);
        const { count, sum, min, max } = sketch;
        out.push({ name, kind: 'histogram', unit, labels, count, sum, min, max, p50, p90, p95, p99 });
      } else if (handle instanceof GaugeHandle) {
        const value = handle.value;
        if (value !== null) out.push({ name, kind: 'gauge', unit, labels, value });
      }
    }
  }
  return out;
}
