// Processor time of the thread that asks: Linux takes off what it gave to others, and what the machine's host took (steal), which `schedstat` tells only by ticks.
import process from 'node:process';

const MONOTONIC_ID = 1;
const THREAD_CPUTIME_ID = 3;
const LIBRARY = 'libc.so.6';
/** A module of WebAssembly that is nothing but a page of memory, for WASI to write to. */
const PAGE = [0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 10, 1, 6, 109, 101, 109, 111, 114, 121, 2, 0];

type ClockGetTime = (clock: number, into: BigInt64Array) => number;
interface DenoForeign {
  dlopen(
    library: string,
    symbols: { clock_gettime: { parameters: ['i32', 'buffer']; result: 'i32' } },
  ): { symbols: { clock_gettime: ClockGetTime } };
}

/** In ms. */
export interface ThreadClocks {
  /** Processor time of this thread. */
  coreMs(): number;
  /** The system's own, which other programs have as well. */
  monotonicMs(): number;
}

/** Null where the system does not tell. */
export async function createThreadClocks(): Promise<ThreadClocks | null> {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  try {
    if (bun !== undefined) {
      const { dlopen } = await import('bun:ffi');
      const { symbols } = dlopen(LIBRARY, { clock_gettime: { args: ['i32', 'ptr'], returns: 'i32' } });
      return clocksOf((clock, into) => symbols.clock_gettime(clock, into));
    }
    if (deno !== undefined) {
      const { Deno: foreign } = globalThis as unknown as { Deno: DenoForeign };
      const { symbols } = foreign.dlopen(LIBRARY, {
        clock_gettime: { parameters: ['i32', 'buffer'], result: 'i32' },
      });
      return clocksOf((clock, into) => symbols.clock_gettime(clock, into));
    }
    return await wasiClocks();
  } catch {
    return null;
  }
}

function clocksOf(getTime: ClockGetTime): ThreadClocks {
  const time = new BigInt64Array(2);
  if (getTime(THREAD_CPUTIME_ID, time) !== 0) throw new Error('the system has no such clock');
  const of = (clock: number) => () => {
    getTime(clock, time);
    return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
  };
  return { coreMs: of(THREAD_CPUTIME_ID), monotonicMs: of(MONOTONIC_ID) };
}

/** Node has no foreign functions, but a WASI that asks the same clocks. */
async function wasiClocks(): Promise<ThreadClocks> {
  const { WASI } = await import('node:wasi');
  const wasi = new WASI({ version: 'preview1' });
  const { instance } = await WebAssembly.instantiate(new Uint8Array(PAGE));
  wasi.initialize(instance);
  const time = new BigUint64Array((instance.exports['memory'] as WebAssembly.Memory).buffer, 0, 1);
  const getTime = wasi.wasiImport['clock_time_get'] as (clock: number, precision: bigint, at: number) => number;
  if (getTime(THREAD_CPUTIME_ID, 0n, 0) !== 0) throw new Error('the system has no such clock');
  const of = (clock: number) => () => {
    getTime(clock, 0n, 0);
    return Number(time[0]) / 1e6;
  };
  return { coreMs: of(THREAD_CPUTIME_ID), monotonicMs: of(MONOTONIC_ID) };
}
