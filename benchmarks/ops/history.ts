// The history's store by itself: bytes of a day, the longest slice of work through full hours and purges, and queries over a month.
// `history.ts day|month|hours...`; each prints its figures as one line of JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { openDataFolder, readFolder } from '../../src/hosts/node-data-folder.ts';
import type { DataFolder } from '../../src/hosts/port.ts';
import { createReader, createRegistry, type Registry } from '../../src/metrics/index.ts';
import { History, queryHistory, wholeSeries, sourceOf } from '../../src/ops/history/index.ts';
import { MemoryFolder } from '../../src/ops/history/memory-folder.ts';
import { percentile } from '../statistics.ts';

const isBun = (process.versions as Record<string, string | undefined>).bun !== undefined;
/** As the host has it. */
const { compression } = isBun
  ? await import('../../src/hosts/bun-compression.ts')
  : await import('../../src/hosts/node-compression.ts');

const DAY_S = 86_400;
const LIMIT_MS = 2;
const WARM_S = 600;
const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

export interface DayFigures {
  readonly series: number;
  readonly hours: number;
  /** Of all files in the folder. */
  readonly megabytes: number;
  readonly bytesPerSample: number;
  /** One reading of all series taken in, ms. */
  readonly sampleMs: { readonly median: number; readonly longest: number };
  /** Slices of work behind the samples: journals, sealed hours, merged days, purges. */
  readonly slices: {
    readonly count: number;
    readonly p999Ms: number;
    readonly longestMs: number;
    readonly over2Ms: number;
    /** The same without the first ten minutes, in which the program is compiled. */
    readonly warm: { readonly count: number; readonly longestMs: number; readonly over2Ms: number };
  };
}

/** Lives through `hours` at one reading a second, on a real disk, as fast as it goes. */
export async function measureDay(series: number, hours: number): Promise<DayFigures> {
  return await inFolder(async (path) => {
    const folder = await openDataFolder(path);
    const slices = new Slices();
    const rig = createStore(async () => slices.folder(folder), slices, { retentionHours: 24 });
    const load = voiceLoad(rig.registry, series);
    await rig.history.start();
    const took: number[] = [];
    let cold = 0;
    for (let second = 0; second < hours * 3600; second++) {
      if (second === WARM_S) cold = slices.ms.length;
      load(second);
      const from = performance.now();
      rig.sample();
      took.push(performance.now() - from);
      await rig.settled();
    }
    await rig.history.stop();
    const left = await readFolder(path);
    let bytes = 0;
    for (const name of await left.list()) bytes += await left.size(name);
    const ms = slices.ms;
    return {
      series,
      hours,
      megabytes: bytes / 1e6,
      bytesPerSample: bytes / (series * hours * 3600),
      sampleMs: { median: percentile(took, 0.5), longest: Math.max(...spared(took)) },
      slices: {
        count: ms.length,
        p999Ms: percentile(ms, 0.999),
        longestMs: ms.reduce((a, b) => Math.max(a, b), 0),
        over2Ms: ms.filter((one) => one > LIMIT_MS).length,
        warm: {
          count: ms.length - cold,
          longestMs: ms.slice(cold).reduce((a, b) => Math.max(a, b), 0),
          over2Ms: ms.slice(cold).filter((one) => one > LIMIT_MS).length,
        },
      },
    };
  });
}

/** The first minute compiles; it is no work of the store's. */
function spared(took: readonly number[]): readonly number[] {
  return took.slice(60).reduce<number[]>((most, one) => (one > (most[0] ?? 0) ? [one] : most), [0]);
}

export interface QueryFigure {
  readonly what: string;
  /** One query over a month: what has a limit. */
  readonly limited: boolean;
  readonly points: number;
  readonly medianMs: number;
  readonly longestMs: number;
}

/** A month of one counter, one gauge and one histogram, each with a value in every second; asked for from a real disk by a fresh store. */
export async function measureQueries(runs = 15): Promise<QueryFigure[]> {
  const memory = new MemoryFolder();
  const writing = createStore(async () => memory, new Slices(), { retentionHours: 24 });
  const load = voiceLoad(writing.registry, 4);
  await writing.history.start();
  const days = 30;
  for (let second = 0; second < days * DAY_S; second++) {
    load(second);
    writing.sample();
    // Work is waited for where there is some.
    if (second % 60 === 0) await writing.settled();
  }
  await writing.history.stop();
  return await inFolder(async (path) => {
    const folder = await openDataFolder(path);
    for (const name of await memory.list()) await folder.replace(name, (await memory.read(name)) ?? new Uint8Array(0));
    const reading = createStore(async () => folder, new Slices(), { startMs: writing.epochMs() });
    await reading.history.start();
    const toMs = writing.epochMs();
    const fromMs = toMs - days * DAY_S * 1000;
    const host = { now: () => performance.now(), pause };
    const figures: QueryFigure[] = [];
    const time = async (what: string, limited: boolean, ask: () => Promise<number>) => {
      const took: number[] = [];
      let points = 0;
      for (let i = 0; i < runs; i++) {
        const from = performance.now();
        points = await ask();
        took.push(performance.now() - from);
      }
      figures.push({ what, limited, points, medianMs: percentile(took, 0.5), longestMs: Math.max(...took) });
    };
    for (const { info } of reading.history.catalogue.all()) {
      if (!info.name.startsWith('load.')) continue;
      const query = { name: info.name, labels: info.labels, fromMs, toMs };
      const points = async (more: object) =>
        (await queryHistory(reading.history, { ...query, ...more }, host)).series[0]?.atMs.length ?? 0;
      await time(`30 d of a ${info.kind}, steps of 2 h`, true, () => points({}));
      const quantiles = [0.5, 0.95, 0.99];
      await time(`30 d of a ${info.kind}, steps of 2 h, 3 percentiles`, true, () => points({ quantiles }));
      await time(`24 h of a ${info.kind} by the second, steps of 15 s`, false, () =>
        points({ fromMs: toMs - DAY_S * 1000, stepMs: 15_000 }),
      );
      await time(`30 d of a ${info.kind}, each minute, in pieces`, false, async () => {
        const range = { fromMs, toMs, stepMs: 60_000 };
        return (await wholeSeries(sourceOf(reading.history, host), info, range, {}))?.atMs.length ?? 0;
      });
    }
    await reading.history.stop();
    return figures;
  });
}

/** A store on a clock of its own: each sample is a second later, whatever the machine needs for it. */
function createStore(
  open: () => Promise<DataFolder>,
  slices: Slices,
  more: { retentionHours?: number; startMs?: number },
) {
  const registry = createRegistry();
  const read = createReader(registry, 2000);
  let seconds = 0;
  const startMs = more.startMs ?? Date.UTC(2026, 10, 1);
  const history = new History({
    openFolder: open,
    compression,
    // Real between samples, so that slices are as long as they are.
    now: () => performance.now() + seconds * 1000,
    epochMs: () => startMs + seconds * 1000,
    pause: () => slices.outside(pause),
    retentionHours: more.retentionHours,
  });
  return {
    registry,
    history,
    epochMs: () => startMs + seconds * 1000,
    sample() {
      seconds++;
      history.sample(read());
    },
    async settled() {
      slices.begin();
      await history.settled();
      slices.end();
    },
  };
}

/** Times between two moments at which others may run. */
class Slices {
  readonly ms: number[] = [];
  #fromMs: number | undefined;

  begin(): void {
    this.#fromMs = performance.now();
  }
  end(): void {
    if (this.#fromMs !== undefined) this.ms.push(performance.now() - this.#fromMs);
    this.#fromMs = undefined;
  }
  async outside<T>(work: () => Promise<T>): Promise<T> {
    const promise = work();
    this.end();
    try {
      return await promise;
    } finally {
      this.begin();
    }
  }

  folder(folder: DataFolder): DataFolder {
    const timed =
      <A extends unknown[], R>(work: (...given: A) => Promise<R>) =>
      (...given: A) =>
        this.outside(() => work(...given));
    return {
      path: folder.path,
      list: timed(folder.list),
      read: timed(folder.read),
      readAt: timed(folder.readAt),
      size: timed(folder.size),
      replace: timed(folder.replace),
      rename: timed(folder.rename),
      remove: timed(folder.remove),
      release: timed(folder.release),
      append: timed(async (name: string) => {
        const file = await folder.append(name);
        return { write: timed(file.write), sync: timed(file.sync), close: timed(file.close) };
      }),
    };
  }
}

/** What a voice agent measures, without a rhythm that compression could learn: of four series one is a latency (5 values a second), one a
 *  counter, one a smooth level, and one a level that moves now and then. */
function voiceLoad(registry: Registry, series: number): (second: number) => void {
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const moves: ((second: number) => void)[] = [];
  for (let i = 0; i < series; i++) {
    const labels = { place: String(i >> 2) };
    const options = { help: 'Load.', labels: ['place'] };
    if (i % 4 === 0) {
      const time = registry.histogram({ name: 'load.time', unit: 's', ...options }).labels(labels);
      moves.push(() => {
        for (let n = 0; n < 5; n++) time.record(0.3 * Math.exp(0.5 * (random() + random() + random() - 1.5)));
      });
    } else if (i % 4 === 1) {
      const counter = registry.counter({ name: 'load.frames', ...options }).labels(labels);
      moves.push(() => counter.add(Math.floor(50 * random())));
    } else if (i % 4 === 2) {
      const level = registry.gauge({ name: 'load.share', unit: '1', ...options }).labels(labels);
      moves.push((second) => level.set(0.5 + 0.4 * Math.sin(second / 1800) + 0.05 * random()));
    } else {
      const calls = registry.gauge({ name: 'load.calls', ...options }).labels(labels);
      moves.push(() => random() < 0.05 && calls.set(Math.floor(20 * random())));
    }
  }
  return (second) => {
    for (const move of moves) move(second);
  };
}

async function inFolder<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'syrinx-history-'));
  try {
    return await use(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const legs: Readonly<Record<string, () => Promise<unknown>>> = {
    day: async () => await measureDay(200, 24),
    hours: async () => await measureDay(500, 2.1),
    month: async () => await measureQueries(),
  };
  for (const leg of process.argv.slice(2)) console.log(JSON.stringify(await legs[leg]?.()));
}
