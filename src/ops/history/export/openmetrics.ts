// OpenMetrics text with a time at each sample: what Prometheus takes as a backfill (`promtool tsdb create-blocks-from openmetrics`).
import { escapeLabel, LATENCY_BOUNDS_S, prometheusLabel, type SeriesInfo } from '../../../metrics/index.ts';
import { keyOf } from '../buckets.ts';
import type { HistorySeries } from '../query.ts';
import { exportedName } from '../selector.ts';
import type { ExportHead, ExportWriter } from './formats.ts';

/** Each sample bears the end of its step, when it was known. Counters and histograms are totals that begin with 0 at the first
 *  step: `rate` and `increase` are right, and what was counted before the range is left out. A gauge is the mean of its step,
 *  with the least and the most beside it where a step is longer than a second. */
export function openMetricsWriter(head: ExportHead): ExportWriter {
  let family = '';
  /** Families that go with the open one and may stand only behind it. */
  let extremes = { min: '', max: '' };
  const close = (): string => {
    const behind = extremes.min + extremes.max;
    extremes = { min: '', max: '' };
    return behind;
  };
  return {
    begin: () => '',
    series(one) {
      const { kind } = one.info;
      const name = exportedName(one.info);
      let text = '';
      if (name !== family) {
        text = close();
        family = name;
        text += `# TYPE ${kind === 'counter' ? name.replace(/_total$/, '') : name} ${kind}\n`;
      }
      if (one.atMs.length === 0) return text;
      if (kind === 'counter') return text + totals(one, name, head);
      if (kind === 'histogram') return text + histogram(one, name, head);
      const labels = labelsOf(one.info);
      const means = one.sum.map((sum, i) => sum / (one.count[i] ?? 1));
      text += samples(name + braces(labels), one.atMs, means, head);
      if (head.stepMs === 1000) return text;
      for (const which of ['min', 'max'] as const) {
        if (extremes[which] === '') extremes[which] = `# TYPE ${name}_${which} gauge\n`;
        extremes[which] += samples(`${name}_${which}${braces(labels)}`, one.atMs, one[which], head);
      }
      return text;
    },
    end: () => `${close()}# EOF\n`,
  };
}

function totals(one: HistorySeries, name: string, head: ExportHead): string {
  let total = 0;
  const running = one.sum.map((sum) => (total += sum));
  return fromZero(name + braces(labelsOf(one.info)), one, running, head);
}

function histogram(one: HistorySeries, name: string, head: ExportHead): string {
  const labels = labelsOf(one.info);
  const bounds = boundsOf(one);
  const keys = bounds.map(keyOf);
  const columns: number[][] = bounds.map(() => []);
  const below = bounds.map(() => 0);
  for (const pairs of one.buckets ?? []) {
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      for (let b = keys.length - 1; b >= 0 && (keys[b] ?? 0) >= (pairs[i] ?? 0); b--) below[b]! += pairs[i + 1] ?? 0;
    }
    below.forEach((count, b) => columns[b]?.push(count));
  }
  let seen = 0;
  const counts = one.count.map((count) => (seen += count));
  let sum = 0;
  const sums = one.sum.map((more) => (sum += more));
  const bucket = (bound: string) => `${name}_bucket${braces([...labels, `le="${bound}"`])}`;
  return [
    ...bounds.map((bound, b) => fromZero(bucket(String(bound)), one, columns[b] ?? [], head)),
    fromZero(bucket('+Inf'), one, counts, head),
    fromZero(`${name}_count${braces(labels)}`, one, counts, head),
    fromZero(`${name}_sum${braces(labels)}`, one, sums, head),
  ].join('');
}

/** Times as `/metrics` has them; for the rest powers of two over what was seen, on which the buckets of the history have their borders too. */
function boundsOf({ info, min, max }: HistorySeries): readonly number[] {
  if (info.unit === 's') return LATENCY_BOUNDS_S;
  const most = max.reduce((a, b) => Math.max(a, b), 0);
  const least = min.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), most);
  if (!(most > 0)) return [1];
  const last = Math.ceil(Math.log2(most));
  const first = Math.max(Math.ceil(Math.log2(least)), last - 24);
  return Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i));
}

function fromZero(series: string, { atMs }: HistorySeries, values: readonly number[], head: ExportHead): string {
  return `${series} 0 ${seconds(atMs[0] ?? 0)}\n${samples(series, atMs, values, head)}`;
}

function samples(
  series: string,
  atMs: readonly number[],
  values: readonly number[],
  { stepMs, toMs }: ExportHead,
): string {
  let text = '';
  for (let i = 0; i < atMs.length; i++)
    text += `${series} ${values[i] ?? 'NaN'} ${seconds(Math.min((atMs[i] ?? 0) + stepMs, toMs))}\n`;
  return text;
}

function seconds(ms: number): string {
  return String(ms / 1000);
}

function labelsOf({ labels }: SeriesInfo): string[] {
  return Object.entries(labels).map(([label, value]) => `${prometheusLabel(label)}="${escapeLabel(value)}"`);
}

function braces(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}
