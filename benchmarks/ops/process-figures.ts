// What the process itself uses: processor time by the kind of its threads, as Linux counts it, and where its memory is.
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { getHeapSpaceStatistics } from 'node:v8';

const TASKS = '/proc/self/task';

/** Threads by what they do: `main` runs the program, `compiler`, `collector` and `other` belong to the engine and the host. */
export type ThreadKind = 'main' | 'compiler' | 'collector' | 'other';
export type ThreadTimes = Readonly<Record<ThreadKind, number>>;

/** ms of processor time of each kind since the start; null where the system does not tell. Threads that have ended are not in it. */
export function threadTimes(): ThreadTimes | null {
  const sums = { main: 0, compiler: 0, collector: 0, other: 0 };
  try {
    for (const id of readdirSync(TASKS)) {
      const name = readFileSync(`${TASKS}/${id}/comm`, 'utf8').trim();
      const kind = Number(id) === process.pid ? 'main' : kindOf(name);
      sums[kind] += Number(readFileSync(`${TASKS}/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    }
    return sums;
  } catch {
    return null;
  }
}

function kindOf(name: string): ThreadKind {
  if (/JIT|Compil/i.test(name)) return 'compiler';
  if (/Heap|GC|Marker|Collector/i.test(name)) return 'collector';
  return 'other';
}

export interface MemoryFigure {
  readonly rssBytes: number;
  /** Of the engine's heap, in use. */
  readonly heapBytes: number;
  /** Held by array buffers, outside of it. */
  readonly bufferBytes: number;
  /** Of what is resident, V8's young generation: it grows by what has survived since the start, in whatever program, up to a hundred megabytes. 0 on Bun. */
  readonly youngBytes: number;
}

export function memoryFigure(): MemoryFigure {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed, bufferBytes: arrayBuffers, youngBytes: youngBytes() };
}

function youngBytes(): number {
  if ((process.versions as Record<string, string | undefined>).bun !== undefined) return 0;
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return young?.physical_space_size ?? 0;
}

const ARENA_BYTES = 64 * 2 ** 20;

/** Resident in the arenas that glibc gives to further threads, compilers mostly: one that ends in something alive keeps all that it has ever had. Null where the
 *  system does not tell. They are aligned to their greatest size, as nothing else is that has no name and runs no code. */
export function arenaBytes(): number | null {
  let text: string;
  try {
    text = readFileSync('/proc/self/smaps', 'utf8');
  } catch {
    return null;
  }
  let sum = 0;
  for (const [, from, rights, kilobytes] of text.matchAll(
    /^([\da-f]+)-[\da-f]+ (\S+) \S+ \S+ 0 *\n(?:.+\n)*?Rss: +(\d+) kB/gm,
  )) {
    if (rights === 'rw-p' && Number.parseInt(from as string, 16) % ARENA_BYTES === 0) sum += Number(kilobytes) * 1024;
  }
  return sum;
}
