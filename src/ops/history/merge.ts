// The history of several processes as one: sums are added, buckets are merged, percentiles come from merged buckets, never from percentiles.
import type { SeriesInfo } from '../../metrics/index.ts';
import { BucketSum } from './buckets.ts';
import {
  checkedQuantiles,
  checkedRange,
  type HistoryAnswer,
  type HistoryQuery,
  type HistorySeries,
  QUERY_LIMITS,
} from './query.ts';
import { seriesKey } from './series-key.ts';
import type { HistorySource, HistoryStatus } from './source.ts';

/** Label that tells the process of what cannot be added. */
export const PROCESS_LABEL = 'process';

/** Nobody who was asked has answered. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** `sources` by the name of their process. One that rejects (with something else than a `RangeError`) is told as missing;
 *  a query rejects where all do. `label.process` chooses one. */
export function mergedSource(sources: ReadonlyMap<string, HistorySource>): HistorySource {
  async function ask<T>(names: readonly string[], question: (source: HistorySource) => Promise<T>) {
    const asked = await Promise.allSettled(names.map(async (name) => question(sources.get(name) as HistorySource)));
    const answers = new Map<string, T>();
    const missing: string[] = [];
    let reason: unknown;
    for (const [i, result] of asked.entries()) {
      const name = names[i] ?? '';
      if (result.status === 'fulfilled') answers.set(name, result.value);
      else if (result.reason instanceof RangeError) throw result.reason;
      else {
        reason = result.reason;
        missing.push(name);
      }
    }
    if (answers.size === 0) throw new UnavailableError('no process tells its history now', { cause: reason });
    return { answers, missing };
  }
  const all = [...sources.keys()];
  return {
    async status() {
      const { answers, missing } = await ask(all, (source) => source.status());
      return joinedStatus(answers, missing);
    },
    async series() {
      const { answers } = await ask(all, (source) => source.series());
      const known = new Map<string, SeriesInfo>();
      for (const [process, infos] of answers) {
        for (const info of infos) {
          const told = addable(info) ? info : ofProcess(info, process);
          known.set(seriesKey(told), told);
        }
      }
      return [...known.values()];
    },
    async query(query) {
      const { [PROCESS_LABEL]: one, ...labels } = query.labels ?? {};
      const range = checkedRange(query);
      const quantiles = checkedQuantiles(query.quantiles ?? []);
      const buckets = query.buckets === true || quantiles.length > 0;
      const each: HistoryQuery = { ...query, ...range, labels, quantiles: [], buckets };
      const names = one === undefined ? all : all.filter((name) => name === one);
      if (names.length === 0) throw new RangeError(`no process "${one}": there are ${all.join(', ')}`);
      const { answers, missing } = await ask(names, (source) => source.query(each));
      const merged = mergeAnswers(answers, { quantiles, buckets: query.buckets === true, apart: one !== undefined });
      return { ...range, ...merged, missing: missing.length === 0 ? undefined : missing };
    },
  };
}

/** Whether the sum over processes means something without knowing the metric. The value of a gauge may be a share as well as a number. */
function addable({ kind }: SeriesInfo): boolean {
  return kind !== 'gauge';
}

function ofProcess(info: SeriesInfo, process: string): SeriesInfo {
  return { ...info, labels: { [PROCESS_LABEL]: process, ...info.labels } };
}

function joinedStatus(answers: ReadonlyMap<string, HistoryStatus>, missing: readonly string[]): HistoryStatus {
  const problems = missing.map((process) => `process ${process} does not answer`);
  let bytes = 0;
  let onDisk = true;
  for (const [process, status] of answers) {
    bytes += status.bytes;
    onDisk &&= status.storage === 'disk';
    if (status.problem !== null) problems.push(`process ${process}: ${status.problem}`);
  }
  const problem = problems.length === 0 ? null : problems.join('; ');
  return { storage: onDisk ? 'disk' : 'memory', problem, bytes };
}

interface Merging {
  readonly quantiles: readonly number[];
  /** Buckets are told too. */
  readonly buckets: boolean;
  /** Each series keeps its process. */
  readonly apart: boolean;
}

/** Answers to the same query, with buckets where percentiles are wanted. */
export function mergeAnswers(answers: ReadonlyMap<string, HistoryAnswer>, merging: Merging) {
  const groups = new Map<string, { readonly info: SeriesInfo; readonly parts: HistorySeries[] }>();
  let tier: HistoryAnswer['tier'] = 'minutes';
  for (const [process, answer] of answers) {
    ({ tier } = answer);
    for (const part of answer.series) {
      const info = merging.apart || !addable(part.info) ? ofProcess(part.info, process) : part.info;
      const key = seriesKey(info);
      const group = groups.get(key) ?? { info, parts: [] };
      groups.set(key, group);
      group.parts.push(part);
    }
  }
  if (groups.size > QUERY_LIMITS.maxSeries)
    throw new RangeError(`${groups.size} series of all processes together are too many: name labels`);
  const series = [...groups.values()].map(({ info, parts }) => mergeSeries(info, parts, merging));
  return { tier, quantiles: merging.quantiles, series };
}

function mergeSeries(info: SeriesInfo, parts: readonly HistorySeries[], { quantiles, buckets }: Merging) {
  const rows = new Map<number, Row>();
  for (const part of parts) {
    part.atMs.forEach((atMs, i) => {
      const row = rows.get(atMs) ?? {
        count: 0,
        sum: 0,
        min: Number.POSITIVE_INFINITY,
        max: -Number.POSITIVE_INFINITY,
        buckets: [],
      };
      rows.set(atMs, row);
      row.count += part.count[i] ?? 0;
      row.sum += part.sum[i] ?? 0;
      row.min = Math.min(row.min, part.min[i] ?? Number.POSITIVE_INFINITY);
      row.max = Math.max(row.max, part.max[i] ?? -Number.POSITIVE_INFINITY);
      const pairs = part.buckets?.[i];
      if (pairs !== undefined) row.buckets.push(pairs);
    });
  }
  const atMs = [...rows.keys()].sort((a, b) => a - b);
  const sorted = atMs.map((at) => rows.get(at) as Row);
  const sums = new BucketSum();
  const merged: number[][] = [];
  const columns: (number | null)[][] = quantiles.map(() => []);
  for (const row of sorted) {
    if (!buckets && quantiles.length === 0) break;
    addPairs(sums, row.buckets);
    sums.quantiles(quantiles, row.min, row.max).forEach((value, q) => columns[q]?.push(value));
    if (buckets) merged.push(pairsOf(sums));
    sums.clear();
  }
  const made: HistorySeries = {
    info,
    atMs,
    count: sorted.map(({ count }) => count),
    sum: sorted.map(({ sum }) => sum),
    min: sorted.map(({ min }) => min),
    max: sorted.map(({ max }) => max),
    quantiles: columns,
  };
  return buckets ? { ...made, buckets: merged } : made;
}

interface Row {
  count: number;
  sum: number;
  min: number;
  max: number;
  readonly buckets: number[][];
}

function addPairs(sums: BucketSum, many: readonly (readonly number[])[]): void {
  for (const pairs of many) for (let i = 0; i + 1 < pairs.length; i += 2) sums.add(pairs[i] ?? 0, pairs[i + 1] ?? 0);
}

function pairsOf(sums: BucketSum): number[] {
  const pairs: number[] = [];
  sums.each((key, count) => pairs.push(key, count));
  return pairs;
}

/** Percentiles of all steps of a series together; null where there is nothing. Needs its buckets. */
export function quantilesOfRange(series: HistorySeries, quantiles: readonly number[]): (number | null)[] {
  const sums = new BucketSum();
  addPairs(sums, series.buckets ?? []);
  const min = series.min.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const max = series.max.reduce((a, b) => Math.max(a, b), -Number.POSITIVE_INFINITY);
  return sums.quantiles(quantiles, min, max);
}
