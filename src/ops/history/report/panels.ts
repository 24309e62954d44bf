// What the report shows of one metric: its plots by kind, and a table of the whole range.
import type { HistorySeries, Range } from '../query.ts';
import { quantilesOfRange } from '../merge.ts';
import { exportedName } from '../selector.ts';
import { escapeText, type Line, plotSvg } from './plot.ts';
import { digits, type Scale, scaleOf, shown } from './units.ts';

export interface PanelContext {
  readonly range: Range;
  readonly quantiles: readonly number[];
  readonly gaps: readonly (readonly [number, number])[];
}

/** Lines of one plot; further series stand in the table alone. */
const MAX_LINES = 8;
/** Histograms of one metric that have a plot each. */
const MAX_PLOTS = 6;

/** `all` are the series of one metric. */
export function panelHtml(all: readonly HistorySeries[], context: PanelContext): string {
  const [first] = all;
  if (first === undefined) return '';
  const { info } = first;
  const ranked = [...all].sort((a, b) => weight(b) - weight(a));
  const scale = panelScale(all, context.range);
  const unit = scale.sign.trim();
  const body = info.kind === 'histogram' ? percentilePlots(ranked, scale, context) : linePlot(ranked, scale, context);
  const kind = { counter: 'increase', gauge: 'mean of each step', histogram: 'percentiles' }[info.kind];
  return `<section id="${anchorOf(info.name)}"><h2>${escapeText(info.name)}</h2><p class="sub">${kind}${unit === '' ? '' : `, ${escapeText(unit)}`} · <code>${escapeText(exportedName(info))}</code></p>${body}${table(ranked, scale, context)}</section>`;
}

export function anchorOf(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '-');
}

function weight({ info, sum, count }: HistorySeries): number {
  return (info.kind === 'histogram' ? count : sum).reduce((a, b) => a + b, 0);
}

function panelScale(all: readonly HistorySeries[], { stepMs }: Range): Scale {
  const info = (all[0] as HistorySeries).info;
  const perSecond = info.kind === 'counter';
  const most = all
    .flatMap((one) => (perSecond ? one.sum.map((sum) => (sum * 1000) / stepMs) : one.max))
    .reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return scaleOf(info, most, perSecond);
}

function linePlot(ranked: readonly HistorySeries[], scale: Scale, { range, gaps }: PanelContext): string {
  const drawn = ranked.slice(0, MAX_LINES);
  const [first] = drawn as [HistorySeries];
  const isCounter = first.info.kind === 'counter';
  const lines = drawn.map((one, colour): Line => {
    const values = isCounter
      ? one.sum.map((sum) => (sum * 1000) / range.stepMs)
      : one.sum.map((sum, i) => sum / (one.count[i] ?? 1));
    return { name: drawn.length === 1 ? '' : labelText(one), colour, atMs: one.atMs, values };
  });
  const band = { atMs: first.atMs, low: first.min, high: first.max };
  const plot = { title: first.info.name, range, scale, lines, gaps };
  return plotSvg(drawn.length > 1 || isCounter ? plot : { ...plot, band });
}

/** Where there are a few series, each has a plot: what differs in its labels is seldom one population. */
function percentilePlots(
  ranked: readonly HistorySeries[],
  scale: Scale,
  { range, gaps, quantiles }: PanelContext,
): string {
  const plots = ranked.slice(0, MAX_PLOTS).map((one) => {
    const lines = quantiles.map((q, i): Line => {
      return { name: percentName(q), colour: i % MAX_LINES, atMs: one.atMs, values: one.quantiles[i] ?? [] };
    });
    const heading = ranked.length === 1 ? '' : `<h3>${escapeText(labelText(one))}</h3>`;
    const counts = { atMs: one.atMs, values: one.count };
    const title = `${one.info.name} ${labelText(one)}`;
    return heading + plotSvg({ title, range, scale, lines, gaps, counts });
  });
  const keys = quantiles.map((q, i) => `<span class="key c${i % MAX_LINES}">${percentName(q)}</span>`);
  return `<p class="keys">${keys.join('')}<span class="key bars">values a step</span></p>${plots.join('')}`;
}

/** Percentiles of the range come from all its buckets. */
function table(ranked: readonly HistorySeries[], scale: Scale, { range, quantiles }: PanelContext): string {
  const isCounter = ranked[0]?.info.kind === 'counter';
  const isHistogram = ranked[0]?.info.kind === 'histogram';
  const head = isCounter
    ? ['total', 'mean rate', 'highest rate']
    : [...(isHistogram ? ['values'] : []), 'mean', 'least', ...quantiles.map(percentName), 'most'];
  const rows = ranked.map((one, i) => {
    const count = one.count.reduce((a, b) => a + b, 0);
    const sum = one.sum.reduce((a, b) => a + b, 0);
    const seconds = (one.atMs.length * range.stepMs) / 1000;
    const most = one.max.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const cells = isCounter
      ? [
          total(one, sum),
          shown(sum / seconds, scale),
          shown((one.sum.reduce((a, b) => Math.max(a, b), 0) * 1000) / range.stepMs, scale),
        ]
      : [
          ...(isHistogram ? [digits(count)] : []),
          shown(sum / count, scale),
          shown(
            one.min.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
            scale,
          ),
          ...quantilesOfRange(one, quantiles).map((value) => shown(value, scale)),
          shown(most, scale),
        ];
    const key = !isHistogram && ranked.length > 1 && i < MAX_LINES ? `<span class="key c${i}"></span>` : '';
    return `<tr><th scope="row">${key}${escapeText(labelText(one))}</th>${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`;
  });
  const titles = ['', ...head].map((title) => `<th scope="col">${title}</th>`).join('');
  return `<table><thead><tr>${titles}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function total({ info }: HistorySeries, sum: number): string {
  return shown(sum, scaleOf({ ...info, kind: 'gauge', unit: info.unit === '1' ? '' : info.unit }, sum));
}

function labelText({ info }: HistorySeries): string {
  const given = Object.entries(info.labels).filter(([, value]) => value !== '');
  return given.length === 0 ? 'all' : given.map(([label, value]) => `${label} ${value}`).join(', ');
}

/** 0.5 is p50, 0.999 is p99.9. */
function percentName(q: number): string {
  return `p${Number((q * 100).toFixed(4))}`;
}
