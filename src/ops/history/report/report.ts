// The history of some metrics as one page: plots, percentiles, gaps. It needs nothing from outside, runs no script, and prints well.
import { checkedQuantiles, type HistoryQuery, type HistorySeries, QUERY_LIMITS, type Range } from '../query.ts';
import { chosenSeries } from '../export/whole-series.ts';
import { Pacer, type PacerOptions } from '../pacer.ts';
import type { HistorySource } from '../source.ts';
import { durationText, timeText } from './axis.ts';
import { anchorOf, panelHtml } from './panels.ts';
import { escapeText } from './plot.ts';
import { REPORT_STYLE } from './style.ts';

/** What is shown where nobody says what: how callers fared, and why. */
export const REPORT_METRICS: readonly string[] = [
  'syrinx.sessions.active',
  'syrinx.sessions.ended',
  'syrinx.conversation.response',
  'syrinx.agent.overhead',
  'syrinx.model.first.chunk',
  'syrinx.model.errors',
  'syrinx.failures',
  'syrinx.audio.processing',
  'syrinx.audio.frames.late',
  'syrinx.audio.quality.score',
  'syrinx.event.loop.lag',
  'syrinx.process.cpu',
  'memory',
];
const REPORT_QUANTILES = [0.5, 0.95, 0.99];
/** Of one plot, at least a second each. */
const REPORT_STEPS = 240;
const MAX_METRICS = 60;
/** A gauge that every process has at every second. */
const PRESENCE = 'syrinx.history.on.disk';

export interface ReportRequest {
  readonly names: readonly string[];
  readonly labels?: HistoryQuery['labels'];
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs?: number | undefined;
  readonly quantiles?: readonly number[] | undefined;
  /** When it is made, ms since 1970. */
  readonly madeAtMs: number;
  /** Whose history it is: an address or a folder. */
  readonly origin: string;
  /** Where others want their turn while it is made. */
  readonly pacing?: PacerOptions | undefined;
}

/** Rejects with a `RangeError` that says what is wrong with the request. */
export async function historyReport(source: HistorySource, request: ReportRequest): Promise<string> {
  const { fromMs, toMs, labels } = request;
  const quantiles = checkedQuantiles(request.quantiles?.length ? request.quantiles : REPORT_QUANTILES);
  const stepMs = request.stepMs ?? reportStep(toMs - fromMs);
  const wanted = request.names.length === 0 ? REPORT_METRICS : request.names;
  const names = [...new Set(chosenSeries(await source.series(), wanted, labels).map(({ name }) => name))];
  if (names.length > MAX_METRICS)
    throw new RangeError(`${names.length} metrics are too many for a report: name at most ${MAX_METRICS}`);
  const metrics: { name: string; series: readonly HistorySeries[] }[] = [];
  const missing = new Set<string>();
  let range: Range = { fromMs, toMs, stepMs };
  const ask = async (name: string, more: Partial<HistoryQuery>) => {
    const answer = await source.query({ name, fromMs, toMs, stepMs, ...more });
    range = { fromMs: answer.fromMs, toMs: answer.toMs, stepMs: answer.stepMs };
    for (const process of answer.missing ?? []) missing.add(process);
    return answer.series;
  };
  // In the order in which they were asked for; a pattern's by name.
  for (const name of names) metrics.push({ name, series: await ask(name, { labels, quantiles, buckets: true }) });
  if (request.names.length === 0) metrics.sort((a, b) => wanted.indexOf(a.name) - wanted.indexOf(b.name));
  const presence = await ask(PRESENCE, {});
  const gaps = gapsOf(presence.length > 0 ? presence : metrics.flatMap(({ series }) => series), range);
  const shown = metrics.filter(({ series }) => series.length > 0);
  const silent = metrics.filter(({ series }) => series.length === 0).map(({ name }) => name);
  const status = await source.status();
  const pacer = request.pacing === undefined ? undefined : new Pacer(request.pacing);
  const rest = async () => await pacer?.rest();
  const panels: string[] = [];
  for (const { series } of shown) panels.push(await panelHtml(series, { range, quantiles, gaps, rest }));
  const unseen = gaps.reduce((sum, [a, b]) => sum + b - a, 0);
  const notes = [
    gaps.length === 0 ? '' : `Nothing was recorded for ${durationText(unseen)}: grey in the plots.`,
    missing.size === 0 ? '' : `Process ${[...missing].join(', ')} did not answer and is not in the numbers.`,
    status.problem === null ? '' : `The disk: ${status.problem}`,
    silent.length === 0 ? '' : `Nothing in this range of ${silent.join(', ')}.`,
  ].filter((note) => note !== '');
  const title = 'Syrinx history';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}, ${timeText(range.fromMs)} UTC</title><style>${REPORT_STYLE}</style></head><body><main>
<header><h1>${title}</h1><p class="range">${timeText(range.fromMs)} to ${timeText(range.toMs)} UTC</p>
<p class="sub">${durationText(range.toMs - range.fromMs)} in steps of ${durationText(range.stepMs)} · ${escapeText(request.origin)} · made ${timeText(request.madeAtMs)} UTC</p>
${notes.map((note) => `<p class="note">${escapeText(note)}</p>`).join('\n')}
<nav>${shown.map(({ name }) => `<a href="#${anchorOf(name)}">${escapeText(name)}</a>`).join('')}</nav></header>
${shown.length === 0 ? '<p class="note">There is no history in this range.</p>' : panels.join('\n')}
<footer>Percentiles are those of all values of a step or of the range, from merged buckets, within 0.55 %. Times are UTC. Point at a plot to read a step.</footer>
</main></body></html>
`;
}

const ROUND_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
function reportStep(rangeMs: number): number {
  const seconds = rangeMs / 1000 / REPORT_STEPS;
  return 1000 * (ROUND_STEPS_S.find((step) => step >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400);
}

/** Runs of steps in which no series has anything. */
function gapsOf(series: readonly HistorySeries[], { fromMs, toMs, stepMs }: Range): (readonly [number, number])[] {
  const seen = new Set(series.flatMap(({ atMs }) => atMs));
  const gaps: [number, number][] = [];
  if ((toMs - fromMs) / stepMs > QUERY_LIMITS.maxPoints) return gaps;
  for (let at = fromMs; at < toMs; at += stepMs) {
    if (seen.has(at)) continue;
    const last = gaps.at(-1);
    if (last !== undefined && last[1] === at) last[1] = at + stepMs;
    else gaps.push([at, at + stepMs]);
  }
  return gaps;
}
