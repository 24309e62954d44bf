// Metrics that others hold as OpenTelemetry's metric data, in the text format beside ours.
import { escapeHelp, escapeLabel, type Kind, prometheusLabel, prometheusName } from './names.ts';
import { OTLP_POINT, type OtlpMetric, type OtlpPoint } from './otlp.ts';

interface HistogramValue {
  readonly count: number;
  readonly sum?: number;
  readonly buckets: { readonly boundaries: readonly number[]; readonly counts: readonly number[] };
}

/** Text of one block each. A name that `taken` holds, or that came already, is left out and told to `onCollision`: a series
 *  that comes twice takes the whole page down. */
export function renderForeign(
  metrics: readonly OtlpMetric[],
  taken: ReadonlySet<string>,
  onCollision: (name: string) => void,
): string {
  const seen = new Set<string>();
  let text = '';
  for (const metric of metrics) {
    const kind = kindOf(metric);
    // Exponential histograms have no form in this format.
    if (kind === undefined) continue;
    const { name: given, unit, description } = metric.descriptor;
    const name = prometheusName(given, unit, kind);
    if (taken.has(name) || seen.has(name)) {
      onCollision(given);
      continue;
    }
    seen.add(name);
    const lines = new Map<string, string>();
    for (const point of metric.dataPoints) {
      const labels = labelsOf(point);
      if (lines.has(labels)) onCollision(given);
      else lines.set(labels, kind === 'histogram' ? histogram(name, labels, point) : single(name, labels, point));
    }
    text += `# HELP ${name} ${escapeHelp(description)}\n# TYPE ${name} ${kind}\n${[...lines.values()].join('')}`;
  }
  return text;
}

function kindOf({ dataPointType, isMonotonic }: OtlpMetric): Kind | undefined {
  if (dataPointType === OTLP_POINT.histogram) return 'histogram';
  if (dataPointType === OTLP_POINT.gauge) return 'gauge';
  if (dataPointType === OTLP_POINT.sum) return isMonotonic ? 'counter' : 'gauge';
  return undefined;
}

/** Names that become one are joined, as OpenTelemetry wants it. */
function labelsOf({ attributes }: OtlpPoint): string {
  const labels = new Map<string, string>();
  for (const [name, value] of Object.entries(attributes)) {
    const label = prometheusLabel(name);
    const before = labels.get(label);
    const text = String(value).slice(0, 128);
    labels.set(label, before === undefined ? text : `${before};${text}`);
  }
  return [...labels].map(([label, value]) => `${label}="${escapeLabel(value)}"`).join(',');
}

function single(name: string, labels: string, { value }: OtlpPoint): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${number(Number(value))}\n`;
}

function histogram(name: string, labels: string, point: OtlpPoint): string {
  const { buckets, count, sum } = point.value as HistogramValue;
  const before = labels === '' ? '' : `${labels},`;
  const braces = labels === '' ? '' : `{${labels}}`;
  let seen = 0;
  let text = '';
  buckets.boundaries.forEach((bound, i) => {
    seen += buckets.counts[i] ?? 0;
    text += `${name}_bucket{${before}le="${number(bound)}"} ${seen}\n`;
  });
  text += `${name}_bucket{${before}le="+Inf"} ${count}\n`;
  if (sum !== undefined) text += `${name}_sum${braces} ${number(sum)}\n`;
  return `${text}${name}_count${braces} ${count}\n`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
