// The registry in Prometheus' text format, version 0.0.4.
import { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
import { escapeHelp, escapeLabel, prometheusLabel } from './names.ts';
import type { Family, Labels, Registry, Series } from './registry.ts';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const targets = new WeakMap<Registry, string>();

/** Says who is measured, as OpenTelemetry's resource: `target_info`, once, instead of labels on every series. */
export function describeTarget(registry: Registry, attributes: Labels): void {
  const labels = new Map<string, string>();
  // Names that become one are joined, as OpenTelemetry wants it: a label that comes twice takes the whole page down.
  for (const [name, value] of Object.entries(attributes)) {
    const label = prometheusLabel(name);
    const before = labels.get(label);
    labels.set(label, before === undefined ? value : `${before};${value}`);
  }
  const text = [...labels].map(([label, value]) => `${label}="${escapeLabel(value)}"`).join(',');
  targets.set(registry, `# HELP target_info Who is measured.\n# TYPE target_info gauge\ntarget_info{${text}} 1\n`);
}

/** One block for each instrument that has a value; ends with a line end. */
export function renderPrometheus(registry: Registry): string {
  let text = targets.get(registry) ?? '';
  for (const family of registry.families()) text += block(family);
  return text + (appendices.get(registry)?.() ?? '');
}

const appendices = new WeakMap<Registry, () => string>();

/** Serves text of others behind the registry's own. It must be whole blocks, of names that the registry does not have. */
export function appendText(registry: Registry, text: () => string): void {
  appendices.set(registry, text);
}

function block(family: Family): string {
  let lines = '';
  for (const series of family.series) lines += sample(family, series);
  if (lines === '') return '';
  const name = family.prometheusName;
  return `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.kind}\n${lines}`;
}

/** What stands before the values of a series; it never changes, and making it is most of the work. */
interface Heads {
  readonly buckets: readonly string[];
  readonly sum: string;
  readonly count: string;
}
const heads = new WeakMap<Series<unknown>, Heads>();

function headsOf({ prometheusName: name, bounds }: Family, series: Series<unknown>): Heads {
  let known = heads.get(series);
  if (known === undefined) {
    const { text } = series;
    const before = text === '' ? '' : `${text},`;
    const braces = text === '' ? '' : `{${text}}`;
    known = {
      buckets: [...bounds, Number.POSITIVE_INFINITY].map((bound) => `${name}_bucket{${before}le="${number(bound)}"} `),
      sum: `${name}_sum${braces} `,
      count: `${name}_count${braces} `,
    };
    heads.set(series, known);
  }
  return known;
}

function sample(family: Family, series: Series<unknown>): string {
  const { text, handle } = series;
  const name = family.prometheusName;
  if (handle instanceof CounterHandle) return `${name}${text === '' ? '' : `{${text}}`} ${number(handle.value)}\n`;
  if (handle instanceof GaugeHandle) {
    const value = handle.value;
    return value === null ? '' : `${name}${text === '' ? '' : `{${text}}`} ${number(value)}\n`;
  }
  if (!(handle instanceof HistogramHandle)) return '';
  const { sketch } = handle;
  const { buckets, sum, count } = headsOf(family, series);
  const below = sketch.cumulative(family.bounds);
  let lines = '';
  for (let i = 0; i < below.length; i++) lines += `${buckets[i]}${below[i]}\n`;
  return `${lines}${buckets[below.length]}${sketch.count}\n${sum}${number(sketch.sum)}\n${count}${sketch.count}\n`;
}

function number(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : String(value);
}

/** Renders a second. Who asks more often gets the newest text there is, `1 / MAX_RENDERS_PER_S` old at most. */
const MAX_RENDERS_PER_S = 8;

/** `renderPrometheus` for whoever comes: a thousand scrapers at once cost no more than eight a second. `nowMs` is monotonic. */
export function createPrometheusPage(registry: Registry, nowMs: () => number): () => string {
  let text = '';
  let renderedMs = Number.NEGATIVE_INFINITY;
  /** Renders that may be made now; they come back with time. */
  let credit = MAX_RENDERS_PER_S;
  return () => {
    const now = nowMs();
    credit = Math.min(MAX_RENDERS_PER_S, credit + ((now - renderedMs) * MAX_RENDERS_PER_S) / 1000);
    if (credit < 1) return text;
    credit -= 1;
    renderedMs = now;
    text = renderPrometheus(registry);
    return text;
  };
}
