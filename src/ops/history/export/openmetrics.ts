// OpenMetrics text with a time at each sample: what Prometheus takes as a backfill (`promtool tsdb create-blocks-from openmetrics`).
import { escapeLabel, LATENCY_BOUNDS_S, prometheusLabel, type SeriesInfo } from '../../../metrics/index.ts';
import { keyOf } from '../buckets.ts';
import type { HistorySeries } from '../query.ts';
import { exportedName } from '../selector.ts';
import type { ExportHead, ExportWriter } from './formats.ts';

/** Samples of a piece. */
const PIECE = 500;

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
    *series(one) {
      const { kind } = one.info;
      const name = exportedName(one.info);
      if (name !== family) {
        yield close();
        family = name;
        yield `# TYPE ${kind === 'counter' ? name.replace(/_total$/, '') : name} ${kind}\n`;
      }
      if (one.atMs.length === 0) return;
      const labels = labelsOf(one.info);
      if (kind === 'counter') yield* totals(name + braces(labels), one, one.sum, head);
      else if (kind === 'histogram') yield* histogram(one, name, labels, head);
      else {
        const means = one.sum.map((sum, i) => sum / (one.count[i] ?? 1));
        yield* samples(name + braces(labels), one.atMs, means, head);
        if (head.stepMs === 1000) return;
        for (const which of ['min', 'max'] as const) {
          if (extremes[which] === '') extremes[which] = `# TYPE ${name}_${which} gauge\n`;
          for (const piece of samples(`${name}_${which}${braces(labels)}`, one.atMs, one[which], head)) {
            extremes[which] += piece;
            yield '';
          }
        }
      }
    },
    end: () => `${close()}# EOF\n`,
  };
}

function* histogram(one: HistorySeries, name: string, labels: readonly string[], head: ExportHead): Generator<string> {
  const bounds = boundsOf(one);
  const keys = bounds.map(keyOf);
  /** By bound: values of each step in its bucket or below. */
  const below: number[][] = bounds.map(() => []);
  for (const [step, pairs] of (one.buckets ?? []).entries()) {
    for (const column of below) column.push(0);
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      for (let b = keys.length - 1; b >= 0 && (keys[b] ?? 0) >= (pairs[i] ?? 0); b--)
        (below[b] as number[])[step]! += pairs[i + 1] ?? 0;
    }
    if (step % PIECE === 0) yield '';
  }
  const bucket = (bound: string) => `${name}_bucket${braces([...labels, `le="${bound}"`])}`;
  for (const [b, bound] of bounds.entries()) yield* totals(bucket(String(bound)), one, below[b] ?? [], head);
  yield* totals(bucket('+Inf'), one, one.count, head);
  yield* totals(`${name}_count${braces(labels)}`, one, one.count, head);
  yield* totals(`${name}_sum${braces(labels)}`, one, one.sum, head);
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

/** Increases as a total that begins with 0. */
function* totals(series: string, { atMs }: HistorySeries, increases: readonly number[], head: ExportHead) {
  let total = 0;
  yield `${series} 0 ${seconds(atMs[0] ?? 0)}\n`;
  yield* samples(
    series,
    atMs,
    increases.map((increase) => (total += increase)),
    head,
  );
}

function* samples(series: string, atMs: readonly number[], values: readonly number[], { stepMs, toMs }: ExportHead) {
  for (let from = 0; from < atMs.length; from += PIECE) {
    let text = '';
    for (let i = from; i < Math.min(from + PIECE, atMs.length); i++)
      text += `${series} ${values[i] ?? 'NaN'} ${seconds(Math.min((atMs[i] ?? 0) + stepMs, toMs))}\n`;
    yield text;
  }
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
