// Ranges that are longer than one query may be: asked for in pieces, one series after the other, so that nothing large is held.
import type { SeriesInfo } from '../../../metrics/index.ts';
import { checkedRange, type HistoryQuery, type HistorySeries, QUERY_LIMITS, type Range } from '../query.ts';
import { selector } from '../selector.ts';
import { seriesKey } from '../series-key.ts';
import type { HistorySource } from '../source.ts';

/** Steps of a piece: of few numbers each, and of steps with all their buckets. */
const PIECE_STEPS = 10_000;
const PIECE_BUCKET_STEPS = 1000;
/** A month of minutes is 43,200; a day of seconds 86,400. */
const MAX_STEPS = 1_000_000;

/** The range in whole steps. Throws `RangeError`. */
export function exportRange(query: Omit<HistoryQuery, 'name'>): Range {
  const stepMs = query.stepMs ?? checkedRange(query).stepMs;
  // One step is checked as a query would be, the length by a limit of its own.
  if (query.fromMs < query.toMs) checkedRange({ fromMs: query.toMs - 1, toMs: query.toMs, stepMs });
  else checkedRange(query);
  const fromMs = Math.floor(query.fromMs / stepMs) * stepMs;
  if ((query.toMs - fromMs) / stepMs > MAX_STEPS)
    throw new RangeError(`more than ${MAX_STEPS} steps: take a shorter range or a longer step`);
  return { fromMs, toMs: query.toMs, stepMs };
}

/** Those that a name (or several) and labels mean, by name. */
export function chosenSeries(
  all: readonly SeriesInfo[],
  names: readonly string[],
  labels: Readonly<Record<string, string>> = {},
): SeriesInfo[] {
  const selectors = names.map((name) => selector(name, labels));
  return all
    .filter((info) => selectors.some((isMeant) => isMeant(info)))
    .map((info) => ({ info, key: seriesKey(info) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ info }) => info);
}

/** One series over the whole range; undefined where it has nothing there. */
export async function wholeSeries(
  source: HistorySource,
  info: SeriesInfo,
  { fromMs, toMs, stepMs }: Range,
  wanted: Pick<HistoryQuery, 'quantiles' | 'buckets'>,
): Promise<HistorySeries | undefined> {
  const key = seriesKey(info);
  const piece = stepMs * Math.min(QUERY_LIMITS.maxPoints, wanted.buckets === true ? PIECE_BUCKET_STEPS : PIECE_STEPS);
  let whole: HistorySeries | undefined;
  for (let at = fromMs; at < toMs; at += piece) {
    const end = Math.min(toMs, at + piece);
    const query = { ...wanted, name: info.name, labels: info.labels, fromMs: at, toMs: end, stepMs };
    const { series } = await source.query(query);
    // Labels that are given need not be all labels.
    const part = series.find((one) => seriesKey(one.info) === key);
    if (part !== undefined) whole = whole === undefined ? part : joined(whole, part);
  }
  return whole;
}

function joined(a: HistorySeries, b: HistorySeries): HistorySeries {
  return {
    info: a.info,
    atMs: [...a.atMs, ...b.atMs],
    count: [...a.count, ...b.count],
    sum: [...a.sum, ...b.sum],
    min: [...a.min, ...b.min],
    max: [...a.max, ...b.max],
    quantiles: a.quantiles.map((column, i) => [...column, ...(b.quantiles[i] ?? [])]),
    ...(a.buckets === undefined ? {} : { buckets: [...a.buckets, ...(b.buckets ?? [])] }),
  };
}
