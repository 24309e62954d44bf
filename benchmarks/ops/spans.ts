// How long each slice of work held the event loop, by its kind. Time in which the kernel let something else run or the machine's host did, and
// collections where the engine tells of them, are kept apart: they are no work of the slice.
import { openSync, readSync } from 'node:fs';
import type { DataFolder, FileAppender } from '../../src/hosts/port.ts';
import type { Collections } from './collections.ts';

export interface SpanFigure {
  readonly kind: string;
  readonly count: number;
  /** Longest as it was on the clock, ms. */
  readonly longestMs: number;
  /** Longest without what the kernel and collections took of it. They may have been at the same time: only the greater is taken off. And no longer than
   *  its thread had a core: where the machine's host took it, the kernel does not say that the thread waited. */
  readonly longestOwnMs: number;
  /** Longest without what the kernel took of it: with collections. */
  readonly longestCollectingMs: number;
  /** Of the longest on the clock: waiting for a core, in a collection, and with a core; null where that is not known. */
  readonly waitedMs: number | null;
  readonly collectedMs: number | null;
  readonly coreMs: number | null;
  readonly totalMs: number;
  /** Slices above the limit: on the clock, without what the kernel took, and by themselves. */
  readonly over: number;
  readonly overCollecting: number;
  readonly overOwn: number;
  /** By themselves, as far as the thread's own clock tells. */
  readonly overByThread: number;
  /** Of slices above the limit on the clock, the first of them: ms since the process began, how long, and which of its kind. */
  readonly longOnes: readonly LongOne[];
}

export interface LongOne {
  readonly atMs: number;
  readonly ms: number;
  readonly waitedMs: number;
  readonly collectedMs: number;
  readonly coreMs: number;
  readonly number: number;
}

interface Span {
  readonly kind: string;
  readonly fromMs: number;
  readonly ms: number;
  readonly waitedMs: number;
  readonly collectedMs: number;
  /** With a core; as long as the slice where that is not known. */
  readonly coreMs: number;
}

interface OpenSpan {
  readonly kind: string;
  readonly fromMs: number;
  readonly waitedMs: number;
  readonly coreMs: number;
}

const MAX_HOPS = 100;
const MAX_LONG_ONES = 20;

export class Spans {
  readonly #limitMs: number;
  readonly #done: Span[] = [];
  readonly #waited = waitClock();
  readonly #core: (() => number) | null;
  #open: OpenSpan | undefined;
  readonly #collections: Collections | null;
  enabled = false;

  /** `core`: ms of processor time of this thread. */
  constructor(limitMs: number, collections: Collections | null, core: (() => number) | null) {
    this.#limitMs = limitMs;
    this.#collections = collections;
    this.#core = core;
  }

  /** One slice from the beginning to the end of `work`. */
  run<T>(kind: string, work: () => T): T {
    this.end();
    this.begin(kind);
    try {
      return work();
    } finally {
      this.end();
    }
  }

  begin(kind: string): void {
    if (!this.enabled) return;
    this.#collections?.begin();
    this.#open = { kind, waitedMs: this.#waited(), coreMs: this.#core?.() ?? 0, fromMs: performance.now() };
  }

  /** A slice that ends with the microtasks of this turn, if nothing ends it before: so many promises deep may its end lie. */
  #beginTurn(kind: string): void {
    this.begin(kind);
    const open = this.#open;
    if (open === undefined) return;
    let hops = 0;
    const hop = (): void => {
      if (this.#open !== open) return;
      if (++hops < MAX_HOPS) queueMicrotask(hop);
      else this.end();
    };
    queueMicrotask(hop);
  }

  end(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const ms = performance.now() - open.fromMs;
    const coreMs = this.#core === null ? ms : this.#core() - open.coreMs;
    const waitedMs = this.#waited() - open.waitedMs;
    const collectedMs = Math.min(ms, this.#collections?.end() ?? 0);
    this.#done.push({ kind: open.kind, fromMs: open.fromMs, ms, waitedMs, collectedMs, coreMs });
  }

  /** Asynchronous work: what comes after the answer is a slice of `kind`, what comes before it ends one. */
  async outside<T>(kind: string, work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      const begun = work();
      this.end();
      result = await begun;
    } catch (error) {
      this.#beginTurn(kind);
      throw error;
    }
    this.#beginTurn(kind);
    return result;
  }

  /** `ranMs`: how long the thread can have run at most between two moments, where a better clock than its own is at hand. */
  figures(ranMs: (fromMs: number, toMs: number) => number = unlimited): SpanFigure[] {
    const kinds = new Map<string, Span[]>();
    for (const done of this.#done) {
      const laterMs = this.#collections?.toldLater?.(done.fromMs, done.fromMs + done.ms) ?? 0;
      const span = { ...done, collectedMs: Math.min(done.ms, done.collectedMs + laterMs) };
      const some = kinds.get(span.kind);
      if (some === undefined) kinds.set(span.kind, [span]);
      else some.push(span);
    }
    return [...kinds]
      .map(([kind, spans]) => {
        const byThread = spans.map(({ ms, waitedMs, collectedMs, coreMs }) =>
          Math.min(ms - Math.max(waitedMs, collectedMs), coreMs),
        );
        const own = spans.map(({ fromMs, ms }, i) => {
          const ownMs = byThread[i] as number;
          return ownMs > this.#limitMs ? Math.min(ownMs, ranMs(fromMs, fromMs + ms)) : ownMs;
        });
        const collecting = spans.map((span) => span.ms - span.waitedMs);
        const longest = spans.reduce((a, b) => (b.ms > a.ms ? b : a));
        const over = (some: readonly number[]): number => some.filter((ms) => ms > this.#limitMs).length;
        return {
          kind,
          count: spans.length,
          longestMs: longest.ms,
          longestOwnMs: Math.max(...own),
          longestCollectingMs: Math.max(...collecting),
          waitedMs: this.#waited === unknown ? null : longest.waitedMs,
          collectedMs: this.#collections === null ? null : longest.collectedMs,
          coreMs: this.#core === null ? null : longest.coreMs,
          totalMs: spans.reduce((sum, { ms }) => sum + ms, 0),
          over: over(spans.map(({ ms }) => ms)),
          overCollecting: over(collecting),
          overOwn: over(own),
          overByThread: over(byThread),
          longOnes: spans
            .map(({ fromMs: atMs, kind: _, ...figures }, number) => ({ atMs, ...figures, number }))
            .filter(({ ms }) => ms > this.#limitMs)
            .slice(0, MAX_LONG_ONES),
        };
      })
      .sort((a, b) => a.kind.localeCompare(b.kind));
  }
}

const unknown = (): number => 0;
const unlimited = (): number => Number.POSITIVE_INFINITY;

/** ms that this thread was ready to run and did not, as Linux counts it. */
function waitClock(): () => number {
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r');
    const bytes = new Uint8Array(128);
    const decoder = new TextDecoder();
    return () => Number(decoder.decode(bytes.subarray(0, readSync(file, bytes, 0, 128, 0))).split(' ')[1]) / 1e6;
  } catch {
    return unknown;
  }
}

/** A data folder whose answers begin slices; `kindOf` says what a file's name means. */
export function spannedFolder(folder: DataFolder, spans: Spans, kindOf: (name: string) => string): DataFolder {
  let kind = kindOf('');
  const seen = (name: string): string => {
    kind = kindOf(name);
    return kind;
  };
  const appender = (name: string, file: FileAppender): FileAppender => ({
    write: (bytes) => spans.outside(seen(name), () => file.write(bytes)),
    sync: () => spans.outside(seen(name), () => file.sync()),
    close: () => spans.outside(seen(name), () => file.close()),
  });
  return {
    path: folder.path,
    list: () => spans.outside(kind, () => folder.list()),
    read: (name) => spans.outside(seen(name), () => folder.read(name)),
    readAt: (name, offset, length, into) => spans.outside(kind, () => folder.readAt(name, offset, length, into)),
    size: (name) => spans.outside(kind, () => folder.size(name)),
    append: async (name) => appender(name, await spans.outside(seen(name), () => folder.append(name))),
    replace: (name, bytes) => spans.outside(seen(name), () => folder.replace(name, bytes)),
    rename: (name, to) => spans.outside(seen(to), () => folder.rename(name, to)),
    remove: (name) => spans.outside(kind, () => folder.remove(name)),
    release: () => folder.release(),
  };
}
