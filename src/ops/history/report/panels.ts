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
  /** Lets others have their turn, where it is time. */
  rest(): Promise<void>;
}

/** Lines of one plot; further series stand in the table alone. */
const MAX_LINES = 8;
/** Histograms of one metric that have a plot each. */
const MAX_PLOTS = 6;

/** `all` are the series of one metric. */
export async function panelHtml(all: readonly HistorySeries[], context: PanelContext): Promise<string> {
  const [first] = all;
  if (first === undefined) return '';
  const { info } = first;
  const ranked = [...all].sort((a, b) => weight(b) - weight(a));
  const scale = panelScale(all, context.range);
  const unit = scale.sign.trim();
  const body =
    info.kind === 'histogram' ? await percentilePlots(ranked, scale, context) : linePlot(ranked, scale, context);
  const kind = { counter: 'increase', gauge: 'mean of each step', histogram: 'percentiles' }[info.kind];
  return `<section id="${anchorOf(info.name)}"><h2>${escapeText(info.name)}</h2><p class="sub">${kind}${unit === '' ? '' : `, ${escapeText(unit)}`} · <code>${escapeText(exportedName(info))}</code></p>${body}${await table(ranked, scale, context)}</section>`;
}

export function anchorOf(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '-');
}

function weight({ info, sum, count }: HistorySeries): number {
  return added(info.kind === 'histogram' ? count : sum);
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
async function percentilePlots(
  ranked: readonly HistorySeries[],
  scale: Scale,
  { range, gaps, quantiles, rest }: PanelContext,
): Promise<string> {
  const keys = quantiles.map((q, i) => `<span class="key c${i % MAX_LINES}">${percentName(q)}</span>`);
  let html = `<p class="keys">${keys.join('')}<span class="key bars">values a step</span></p>`;
  for (const one of ranked.slice(0, MAX_PLOTS)) {
    const lines = quantiles.map((q, i): Line => {
      return { name: percentName(q), colour: i % MAX_LINES, atMs: one.atMs, values: one.quantiles[i] ?? [] };
    });
    const counts = { atMs: one.atMs, values: one.count };
    const title = `${one.info.name} ${labelText(one)}`;
    if (ranked.length > 1) html += `<h3>${escapeText(labelText(one))}</h3>`;
    html += plotSvg({ title, range, scale, lines, gaps, counts });
    await rest();
  }
  return html;
}

/** Percentiles of the range come from all its buckets. */
async function table(
  ranked: readonly HistorySeries[],
  scale: Scale,
  { range, quantiles, rest }: PanelContext,
): Promise<string> {
  const isCounter = ranked[0]?.info.kind === 'counter';
  const isHistogram = ranked[0]?.info.kind === 'histogram';
  const head = isCounter
    ? ['total', 'mean rate', 'highest rate']
    : [...(isHistogram ? ['values'] : []), 'mean', 'least', ...quantiles.map(percentName), 'most'];
  let rows = '';
  for (const [i, one] of ranked.entries()) {
    const cells = isCounter
      ? counterCells(one, scale, range)
      : [...(isHistogram ? [digits(added(one.count))] : []), ...valueCells(one, scale, quantiles)];
    const key = !isHistogram && ranked.length > 1 && i < MAX_LINES ? `<span class="key c${i}"></span>` : '';
    const texts = cells.map((cell) => `<td>${escapeText(cell)}</td>`).join('');
    rows += `<tr><th scope="row">${key}${escapeText(labelText(one))}</th>${texts}</tr>`;
    await rest();
  }
  const titles = ['', ...head].map((title) => `<th scope="col">${title}</th>`).join('');
  return `<table><thead><tr>${titles}</tr></thead><tbody>${rows}</tbody></table>`;
}

function counterCells(one: HistorySeries, scale: Scale, { stepMs }: Range): string[] {
  const sum = added(one.sum);
  const seconds = (one.atMs.length * stepMs) / 1000;
  const most = one.sum.reduce((a, b) => Math.max(a, b), 0);
  return [total(one, sum), shown(sum / seconds, scale), shown((most * 1000) / stepMs, scale)];
}

function valueCells(one: HistorySeries, scale: Scale, quantiles: readonly number[]): string[] {
  const values = [
    added(one.sum) / added(one.count),
    one.min.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    ...quantilesOfRange(one, quantiles),
    one.max.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
  return values.map((value) => shown(value, scale));
}

function added(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
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
