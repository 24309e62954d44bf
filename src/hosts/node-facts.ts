// Measured facts of the process and the machine, through node: modules and Linux's own files.
import { statfsSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { createMachineFacts, known, readText } from './machine-facts.ts';
import type { ProcessFacts } from './port.ts';

export function createFacts(): ProcessFacts {
  return {
    memoryBytes: () => known(() => process.memoryUsage.rss()),
    memoryLimitBytes: () => smallest([...cgroupLimits(readText), known(() => os.totalmem())]),
    cpuMicros: () =>
      known(() => {
        const used = process.cpuUsage();
        return used.user + used.system;
      }),
    cores: () => known(() => os.availableParallelism()),
    loadAverage,
    diskUsage,
    machine: createMachineFacts(),
  };
}

/** Memory limits that apply to this process, innermost group first. `read` gives a file's text or null. */
export function cgroupLimits(read: (path: string) => string | null): number[] {
  const limits: number[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    const isV2 = controllers === '';
    if (!isV2 && !controllers.split(',').includes('memory')) continue;
    const root = isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
    const file = isV2 ? 'memory.max' : 'memory.limit_in_bytes';
    // A parent's limit binds its children too; inside a container the root shows the container's own group.
    for (let path = group; ; path = path.slice(0, path.lastIndexOf('/'))) {
      const limit = parseLimit(read(`${root}${path === '/' ? '' : path}/${file}`));
      if (limit !== null) limits.push(limit);
      if (path === '' || path === '/') break;
    }
  }
  return limits;
}

/** "max" (v2) and numbers near 2^63 (v1) mean "no limit". */
function parseLimit(text: string | null): number | null {
  const value = Number(text?.trim() || Number.NaN);
  return value > 0 && value < Number.MAX_SAFE_INTEGER ? value : null;
}

function loadAverage(): readonly [number, number, number] | null {
  // Windows has no load average: Node answers three zeros there.
  if (os.platform() === 'win32') return null;
  try {
    const [one, five, fifteen] = os.loadavg();
    return one === undefined || five === undefined || fifteen === undefined ? null : [one, five, fifteen];
  } catch {
    return null;
  }
}

/** As `df` counts it: blocks kept for root are neither used nor free. */
function diskUsage(path: string): number | null {
  try {
    const disk = statfsSync(path);
    const used = disk.blocks - disk.bfree;
    const total = used + disk.bavail;
    return total > 0 ? used / total : null;
  } catch {
    return null;
  }
}

function smallest(values: readonly (number | null)[]): number | null {
  let least: number | null = null;
  for (const value of values) if (value !== null && (least === null || value < least)) least = value;
  return least;
}
