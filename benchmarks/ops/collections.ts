// For how long the engine's collector stopped the program: in one slice of work, and over some time. What counts is the stop itself;
// what a collection does beside the program is no stop.
import { openSync, readSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import process from 'node:process';
import { GCProfiler } from 'node:v8';

export interface CollectionFigure {
  /** Collections that have ended. */
  readonly count: number;
  /** JavaScriptCore collects in several stops, V8 in one. */
  readonly stoppedMs: number;
  readonly longestStopMs: number;
}

export interface Collections {
  /** A slice begins: what was before is not of it. */
  begin(): void;
  /** ms of stops since `begin`, as far as they are told at once. */
  end(): number;
  /** ms of stops between these moments of `performance.now`, where they are told later. */
  toldLater?(fromMs: number, toMs: number): number;
  /** All since the last time this was asked. */
  figure(): CollectionFigure;
}

/** Where the parent has a child on Bun write the collector's log. */
export const GC_LOG = 'BENCHMARK_GC_LOG';
/** The log's lines, which are no message of the program. */
export const GC_LINE = /^(\[GC<|Requesting GC |GC END!$|$)/;

/** Null where the host does not tell. */
export function watchCollections(): Collections | null {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (deno !== undefined) return new ProfiledCollections();
  if (bun === undefined) return new ObservedCollections();
  const path = process.env[GC_LOG];
  return path === undefined ? null : new LoggedCollections(path);
}

/** On Node a profiler makes each stop three times as long by what it notes of it (8.8 ms for 2.7), and frames late; an observer does not. */
class ObservedCollections implements Collections {
  readonly #stops: { readonly fromMs: number; readonly ms: number }[] = [];
  #asked = 0;

  constructor() {
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) this.#stops.push({ fromMs: startTime, ms: duration });
    }).observe({ entryTypes: ['gc'] });
  }

  begin(): void {}

  end(): number {
    return 0;
  }

  toldLater(fromMs: number, toMs: number): number {
    return this.#stops.reduce(
      (sum, stop) => sum + Math.max(0, Math.min(toMs, stop.fromMs + stop.ms) - Math.max(fromMs, stop.fromMs)),
      0,
    );
  }

  figure(): CollectionFigure {
    const stops = this.#stops.slice(this.#asked).map(({ ms }) => ms);
    this.#asked = this.#stops.length;
    return { count: stops.length, stoppedMs: stops.reduce((sum, ms) => sum + ms, 0), longestStopMs: longest(stops) };
  }
}

/** Deno tells in nanoseconds. */
const UNITS_PER_MS = 1e6;

class ProfiledCollections implements Collections {
  readonly #slice = new GCProfiler();
  readonly #all = new GCProfiler();

  constructor() {
    this.#all.start();
  }

  begin(): void {
    this.#slice.stop();
    this.#slice.start();
  }

  end(): number {
    return this.#stops(this.#slice).reduce((sum, ms) => sum + ms, 0);
  }

  figure(): CollectionFigure {
    const stops = this.#stops(this.#all);
    this.#all.start();
    return { count: stops.length, stoppedMs: stops.reduce((sum, ms) => sum + ms, 0), longestStopMs: longest(stops) };
  }

  #stops(profiler: GCProfiler): number[] {
    return profiler.stop()?.statistics.map(({ cost }) => cost / UNITS_PER_MS) ?? [];
  }
}

/** By `BUN_JSC_logGC`: each stop's length is written before the program goes on, and nothing of a stop while the program runs. So what comes into the file
 *  between the two ends of a slice are stops within it. */
class LoggedCollections implements Collections {
  readonly #file: number;
  readonly #bytes = new Uint8Array(65_536);
  readonly #decoder = new TextDecoder();
  #rest = '';
  #stops: number[] = [];
  #count = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.figure();
  }

  begin(): void {
    this.#read();
  }

  end(): number {
    const before = this.#stops.length;
    this.#read();
    return this.#stops.slice(before).reduce((sum, ms) => sum + ms, 0);
  }

  figure(): CollectionFigure {
    this.#read();
    const stops = this.#stops;
    const count = this.#count;
    this.#stops = [];
    this.#count = 0;
    return { count, stoppedMs: stops.reduce((sum, ms) => sum + ms, 0), longestStopMs: longest(stops) };
  }

  #read(): void {
    for (;;) {
      const length = readSync(this.#file, this.#bytes, 0, this.#bytes.length, null);
      if (length === 0) return;
      const text = this.#rest + this.#decoder.decode(this.#bytes.subarray(0, length));
      let end = 0;
      for (const found of text.matchAll(/ p=([\d.]+)ms \(max [\d.]+\)(?:\.\.\.|(, cycle [\d.]+ms END))\]/g)) {
        this.#stops.push(Number(found[1]));
        if (found[2] !== undefined) this.#count++;
        end = found.index + found[0].length;
      }
      this.#rest = text.slice(Math.max(end, text.length - 200));
    }
  }
}

function longest(stops: readonly number[]): number {
  return stops.reduce((a, b) => Math.max(a, b), 0);
}
