// What Linux tells about processes: processor time, proportional memory, children; and how idle the machine is.
import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second on every machine that Linux has run on for twenty years. */
const TICK_MS = 10;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

/** User and system time of a process so far, all threads. */
export function cpuMs(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

/** Proportional share of memory: pages that processes share count once in a sum. */
export function pssMb(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

/** A process and all that it started. */
export function family(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

/** Of all cores together, since the machine's start. */
export function machineMs(): { readonly idle: number; readonly total: number } {
  const [, ...fields] = (read('/proc/stat').split('\n')[0] ?? '').split(/\s+/).map(Number);
  const [, , , idle = 0, ioWait = 0] = fields;
  const total = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  return { idle: (idle + ioWait) * TICK_MS, total: total * TICK_MS };
}
