// The registry in Prometheus' text format, version 0.0.4.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import { escapeHelp } from './names.ts';
import type { Family, Registry, Series } from './registry.ts';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One block for each instrument that has a value; ends with a line end. */
export function renderPrometheus(registry: Registry): string {
  return registry.families().map(block).join('');
}

function block(family: Family): string {
  const lines = family.series.map((series) => sample(family, series)).join('');
  if (lines === '') return '';
  const name = family.prometheusName;
  return `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.kind}\n${lines}`;
}

function sample({ prometheusName: name, bounds }: Family, { text, handle }: Series<unknown>): string {
  const braces = text === '' ? '' : `{${text}}`;
  if (handle instanceof CounterHandle) return `${name}${braces} ${number(handle.value)}\n`;
  if (handle instanceof GaugeHandle) {
    const value = handle.value;
    return value === null ? '' : `${name}${braces} ${number(value)}\n`;
  }
  if (!(handle instanceof HistogramHandle)) return '';
  const { sketch } = handle;
  const before = text === '' ? '' : `${text},`;
  const below = sketch.cumulative(bounds);
  const buckets = bounds
    .map((bound, i) => `${name}_bucket{${before}le="${number(bound)}"} ${below[i] ?? 0}\n`)
    .join('');
  return `${buckets}${name}_bucket{${before}le="+Inf"} ${sketch.count}\n${name}_sum${braces} ${number(sketch.sum)}\n${name}_count${braces} ${sketch.count}\n`;
}

function number(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
