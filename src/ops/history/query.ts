// Ranges of the history in steps: counts, sums, extremes and percentiles of each step, from merged buckets, never from percentiles.
import type { SeriesInfo } from '../../metrics/index.ts';
import type { Archive } from './archive.ts';
import { type Block, DamagedError, type Tier } from './block.ts';
import { BucketSum } from './buckets.ts';
import { ByteWriter } from './bytes.ts';
import type { Entry } from './catalogue.ts';
import { readMinute, SecondsReader } from './chunk-reader.ts';
import { type ChunkPlace, MINUTE_MS, placesOf } from './chunks.ts';
import type { History } from './history.ts';
import { Fold } from './fold.ts';
import { type Hour, HOUR_MS, isLost } from './hour.ts';
import { Pacer, type PacerOptions } from './pacer.ts';
import { selector } from './selector.ts';
import { BUCKET_LIMIT, Steps, type StepsOptions } from './steps.ts';

export interface HistoryQuery {
  /** Name of an instrument, as in the registry or as at `/metrics`; `*` stands for any characters. */
  readonly name: string;
  /** Labels that must be equal. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** ms since 1970; `fromMs` belongs to the range, `toMs` does not. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of a step; whole seconds. Default: such that there are at most 500. */
  readonly stepMs?: number | undefined;
  /** 0..1, rising. None: nothing is merged, which is quicker. */
  readonly quantiles?: readonly number[] | undefined;
  /** Wants the buckets of each step: what percentiles of longer ranges, or of several processes, are made from. */
  readonly buckets?: boolean | undefined;
}

/** Columns: one row for each step in which there was something. */
export interface HistorySeries {
  readonly info: SeriesInfo;
  /** Start of the step, ms since 1970. */
  readonly atMs: number[];
  /** Samples of a counter or gauge, values of a histogram. */
  readonly count: number[];
  /** Of a counter: its increase. */
  readonly sum: number[];
  /** Of a counter: the least and the greatest increase of a second. */
  readonly min: number[];
  readonly max: number[];
  /** One column for each quantile that was asked for. */
  readonly quantiles: (number | null)[][];
  /** Of each step: key and count of its buckets by turns, rising (`buckets.ts`). Where they were asked for. */
  readonly buckets?: number[][] | undefined;
}

export interface HistoryAnswer {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly tier: Tier;
  readonly quantiles: readonly number[];
  readonly series: readonly HistorySeries[];
  /** Of several processes: those that did not answer. */
  readonly missing?: readonly string[] | undefined;
}

export const QUERY_LIMITS = {
  /** As Prometheus has it. */
  maxPoints: 11_000,
  maxSeries: 100,
  /** Points of all series together. */
  maxTotalPoints: 200_000,
} as const;

const DEFAULT_POINTS = 500;
const STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000,
];
/** Series whose part of the open hour is read together: mostly some kilobytes of each. */
const READ_AT_ONCE = 64;
const SERIES_BYTES = 8192;
/** Blocks whose bytes are fetched at the same time. */
const FETCHED_AT_ONCE = 16;

/** Rejects with a `RangeError` that says what is wrong with the query. */
export async function queryHistory(history: History, query: HistoryQuery, host: PacerOptions): Promise<HistoryAnswer> {
  const { fromMs, toMs, stepMs } = checkedRange(query);
  const quantiles = checkedQuantiles(query.quantiles ?? []);
  const tier: Tier = stepMs % MINUTE_MS === 0 ? 'minutes' : 'seconds';
  const entries = matching(history, query);
  const points = Math.ceil((toMs - fromMs) / stepMs);
  if (entries.length > QUERY_LIMITS.maxSeries || entries.length * points > QUERY_LIMITS.maxTotalPoints)
    throw new RangeError(
      `${entries.length} series with ${points} steps each are too many: name labels, or take a longer step`,
    );
  const pacer = new Pacer(host);
  const range: Range = { fromMs, toMs, stepMs };
  const room = query.buckets === true ? { left: BUCKET_LIMIT } : undefined;
  const wanted: StepsOptions = { range, quantiles, sums: new BucketSum(), room };
  const series: HistorySeries[] = [];
  const reading: Reading = { history, tier, range, pacer, fold: new Fold() };
  for (let at = 0; at < entries.length; at += READ_AT_ONCE) {
    for (const found of await chosenOf(entries.slice(at, at + READ_AT_ONCE), reading)) {
      const one = await readSeries(found, new Steps(found.entry.info, wanted), reading);
      if (one.atMs.length > 0) series.push(one);
    }
  }
  return { ...range, tier, quantiles, series };
}

/** The range as it is answered: whole steps from its beginning on. Throws `RangeError`. */
export function checkedRange({ fromMs, toMs, stepMs: given }: Omit<HistoryQuery, 'name'>): Range {
  if (!(Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs < toMs))
    throw new RangeError('"from" must be a time before "to"');
  const seconds = (toMs - fromMs) / 1000 / DEFAULT_POINTS;
  const stepMs = given ?? 1000 * (STEPS_S.find((step) => step >= seconds) ?? Math.ceil(seconds / 86_400) * 86_400);
  if (!(Number.isInteger(stepMs / 1000) && stepMs >= 1000))
    throw new RangeError('"step" must be whole seconds, from 1');
  const start = Math.floor(fromMs / stepMs) * stepMs;
  if ((toMs - start) / stepMs > QUERY_LIMITS.maxPoints)
    throw new RangeError(`more than ${QUERY_LIMITS.maxPoints} steps: take a shorter range or a longer step`);
  return { fromMs: start, toMs, stepMs };
}

export function checkedQuantiles(quantiles: readonly number[]): readonly number[] {
  if (quantiles.length > 10 || quantiles.some((q) => !(q >= 0 && q <= 1)))
    throw new RangeError('quantiles are at most 10 numbers from 0 to 1');
  return [...quantiles].sort((a, b) => a - b);
}

function matching(history: History, { name, labels }: HistoryQuery): Entry[] {
  const isMeant = selector(name, labels);
  return history.catalogue.all().filter(({ info }) => isMeant(info));
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** What a query reads, and how. */
interface Reading {
  readonly history: History;
  readonly tier: Tier;
  readonly range: Range;
  readonly pacer: Pacer;
  readonly fold: Fold;
}

async function readSeries(chosen: Chosen, steps: Steps, reading: Reading): Promise<HistorySeries> {
  const { tier, pacer } = reading;
  const places = await placesFor(chosen, reading);
  const seconds = new SecondsReader();
  for (const place of places) {
    if (tier === 'minutes') readMinute(place, steps);
    else {
      seconds.reset(place);
      while (seconds.next(steps)) if (pacer.tired) await pacer.rest();
    }
    if (pacer.tired) await pacer.rest();
  }
  return steps.finish();
}

/** What is to be read of a block. */
interface Piece {
  readonly archive: Archive;
  readonly block: Block;
  /** By the hour, where the block has it so. */
  readonly hourly: boolean;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Bytes with chunks; those outside the range are not wanted. */
interface Found {
  readonly bytes: Uint8Array;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Steps of whole hours are made of hours, as far as they go: a month is 720 of them, and 43,200 minutes. */
function piecesOf(archives: readonly Archive[], tier: Tier, { fromMs, toMs, stepMs }: Range): Piece[] {
  const isHourly = tier === 'minutes' && stepMs % HOUR_MS === 0;
  const hoursToMs = isHourly ? Math.floor(toMs / HOUR_MS) * HOUR_MS : fromMs;
  const pieces: Piece[] = [];
  for (const archive of archives) {
    for (const block of archive.blocks) {
      if (block.tier !== tier || block.fromMs >= toMs || block.toMs <= fromMs) continue;
      if (block.fromMs < hoursToMs && hoursToMs > fromMs)
        pieces.push({ archive, block, hourly: true, fromMs, toMs: hoursToMs });
      if (block.toMs > hoursToMs) pieces.push({ archive, block, hourly: false, fromMs: hoursToMs, toMs });
    }
  }
  return pieces;
}

/** What there is of a series. All of it is chosen at one moment: what is sealed or merged meanwhile is read from where it was, and where
 *  that has gone, everything is chosen anew. */
interface Chosen {
  readonly entry: Entry;
  /** Still to be read. */
  readonly pieces: readonly Piece[];
  /** Chunks of seconds that are in journals, and those that no journal has yet. */
  readonly written: ByteWriter;
  readonly unwritten: ByteWriter;
}

/** Of several series: what journals have of them lies side by side, and is read together. */
async function chosenOf(entries: readonly Entry[], reading: Reading, isRepeated = false): Promise<Chosen[]> {
  const { history, tier, range, pacer } = reading;
  const { fromMs, toMs } = range;
  const found = new Map<Entry, Chosen>();
  const open = new Map<Hour, Map<Entry, number>>();
  for (const entry of entries) {
    const { archives, hours, minutes, numberOf } = history.sources;
    const number = numberOf(entry);
    const unwritten = new ByteWriter(256);
    for (const minute of minutes) {
      if (number !== undefined && number >= minute.written && minute.atMs < toMs) minute.write(unwritten, number);
    }
    found.set(entry, {
      entry,
      pieces: piecesOf(archives, tier, range),
      written: new ByteWriter(SERIES_BYTES),
      unwritten,
    });
    for (const hour of hours) {
      const wanted = open.get(hour) ?? new Map<Entry, number>();
      open.set(hour, wanted.set(entry, hour.length));
    }
    if (pacer.tired) await pacer.rest();
  }
  for (const [hour, wanted] of open) {
    const rows = await hour.rowsOf(wanted, pacer, fromMs, toMs);
    const error = await hour.read(rows, pacer, (entry, _, bytes, from, to) => {
      found.get(entry)?.written.part(bytes, from, to);
    });
    if (error === undefined) continue;
    if (!isRepeated) return await chosenOf(entries, reading, true);
    if (!isLost(error)) throw error;
  }
  return [...found.values()];
}

/** All chunks of the range, rising. */
async function placesFor(chosen: Chosen, reading: Reading, isRepeated = false): Promise<ChunkPlace[]> {
  const { range, pacer } = reading;
  const { entry, pieces, written, unwritten } = chosen;
  const found: Found[] = [];
  for (let at = 0; at < pieces.length; at += FETCHED_AT_ONCE) {
    const some = pieces.slice(at, at + FETCHED_AT_ONCE);
    const fetched = await pacer.outside(
      Promise.allSettled(
        some.map(async ({ block, hourly }) => (hourly ? block.fetch(entry.hourHash) : null) ?? block.fetch(entry.hash)),
      ),
    );
    for (const [i, result] of fetched.entries()) {
      const { archive, block, ...wanted } = some[i] as Piece;
      try {
        if (result.status === 'rejected') throw result.reason;
        if (result.value !== null) found.push({ bytes: await block.inflate(result.value, pacer), ...wanted });
      } catch (error) {
        if (error instanceof DamagedError) await archive.setAside(block.name, error.message);
        else if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
        else if (!isRepeated) {
          const [anew] = await chosenOf([entry], reading);
          return await placesFor(anew as Chosen, reading, true);
        }
      }
    }
  }
  for (const seconds of [written, unwritten]) {
    found.push({ bytes: await ofTier(seconds, entry, reading), fromMs: range.fromMs, toMs: range.toMs });
  }
  return await sorted(found, pacer);
}

async function ofTier(seconds: ByteWriter, { info }: Entry, { tier, fold, pacer }: Reading): Promise<Uint8Array> {
  if (tier === 'seconds') return seconds.view();
  const minutes = new ByteWriter(256);
  await fold.minutes(minutes, seconds.view(), info.kind === 'histogram', pacer);
  return minutes.view();
}

async function sorted(found: readonly Found[], pacer: Pacer): Promise<ChunkPlace[]> {
  const places: ChunkPlace[] = [];
  let rising = true;
  for (const { bytes, fromMs, toMs } of found) {
    placesOf(bytes, (place) => {
      if (place.atMs + MINUTE_MS <= fromMs || place.atMs >= toMs) return;
      rising &&= place.atMs >= (places.at(-1)?.atMs ?? 0);
      places.push(place);
    });
    if (pacer.tired) await pacer.rest();
  }
  return rising ? places : places.sort((a, b) => a.atMs - b.atMs);
}
