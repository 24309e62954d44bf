// For how long the engine's collector stopped the program: in one slice of work, and over some time. What counts is the stop itself;
// what a collection does beside the program is no stop.
import { openSync, readSync } from 'node:fs';
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
  /** ms of stops since `begin`. */
  end(): number;
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
  // The cost of a collection is in microseconds on Node, in nanoseconds on Deno.
  if (bun === undefined) return new ProfiledCollections(deno === undefined ? 1e3 : 1e6);
  const path = process.env[GC_LOG];
  return path === undefined ? null : new LoggedCollections(path);
}

class ProfiledCollections implements Collections {
  readonly #unitsPerMs: number;
  readonly #slice = new GCProfiler();
  readonly #all = new GCProfiler();

  constructor(unitsPerMs: number) {
    this.#unitsPerMs = unitsPerMs;
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
    return profiler.stop()?.statistics.map(({ cost }) => cost / this.#unitsPerMs) ?? [];
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
