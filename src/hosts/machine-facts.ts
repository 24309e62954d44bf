// What the machine or the container does as a whole: cgroups where they set a limit, else Linux's own counters, else what node:os tells.
import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import type { MachineFacts } from './port.ts';

type Read = (path: string) => string | null;

export function createMachineFacts(read: Read = readText): MachineFacts {
  return {
    memory: () => containerMemory(read) ?? machineMemory(read),
    cpu: () => containerCpu(read) ?? machineCpu(read),
    network: () => networkBytes(read('/proc/net/dev')),
    openFiles: () => known(() => readdirSync('/proc/self/fd').length - 1),
  };
}

/** Folders of this process' group, innermost first, in either version of cgroups. */
function groupFolders(read: Read, controller: string): string[] {
  const folders: string[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    const isV2 = controllers === '';
    if (!isV2 && !controllers.split(',').includes(controller)) continue;
    const root = isV2 ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
    for (let path = group; ; path = path.slice(0, path.lastIndexOf('/'))) {
      folders.push(`${root}${path === '/' ? '' : path}`);
      if (path === '' || path === '/') break;
    }
  }
  return folders;
}

function containerMemory(read: Read) {
  for (const folder of groupFolders(read, 'memory')) {
    const limitBytes = limit(read(`${folder}/memory.max`) ?? read(`${folder}/memory.limit_in_bytes`));
    const used = limit(read(`${folder}/memory.current`) ?? read(`${folder}/memory.usage_in_bytes`));
    if (limitBytes === null || used === null) continue;
    // Files that can be dropped at any time are no use that hurts: the kernel's own killer does not count them either.
    const dropped = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(read(`${folder}/memory.stat`) ?? '')?.[1] ?? 0);
    return { usedBytes: Math.max(0, used - dropped), limitBytes };
  }
  return null;
}

function machineMemory(read: Read) {
  const text = read('/proc/meminfo');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1]);
  const total = kib('MemTotal') * 1024;
  const free = kib('MemAvailable') * 1024;
  if (total > 0 && free >= 0) return { usedBytes: total - free, limitBytes: total };
  const limitBytes = known(() => os.totalmem());
  const available = known(() => os.freemem());
  return limitBytes === null || available === null ? null : { usedBytes: limitBytes - available, limitBytes };
}

/** Only where a quota makes the container smaller than the machine. */
function containerCpu(read: Read) {
  for (const folder of groupFolders(read, 'cpu')) {
    const [quota, period] = (
      read(`${folder}/cpu.max`) ?? `${read(`${folder}/cpu.cfs_quota_us`)} ${read(`${folder}/cpu.cfs_period_us`)}`
    )
      .trim()
      .split(/\s+/)
      .map(Number);
    if (!(quota !== undefined && period !== undefined && quota > 0 && period > 0)) continue;
    const micros = /^usage_usec (\d+)$/m.exec(read(`${folder}/cpu.stat`) ?? '')?.[1];
    const nanos = read(`${folder.replace('/cgroup/cpu', '/cgroup/cpuacct')}/cpuacct.usage`);
    const busyMicros = micros === undefined ? Number(nanos ?? Number.NaN) / 1000 : Number(micros);
    if (Number.isFinite(busyMicros)) return { busyMicros, cores: quota / period };
  }
  return null;
}

/** A tick of /proc/stat is 10 ms on every Linux there is. */
const TICK_MICROS = 10_000;

function machineCpu(read: Read) {
  const cores = known(() => os.availableParallelism());
  if (cores === null) return null;
  const fields = /^cpu +([\d ]+)$/m
    .exec(read('/proc/stat') ?? '')?.[1]
    ?.split(' ')
    .map(Number);
  const machineCores = (read('/proc/stat') ?? '').match(/^cpu\d+ /gm)?.length ?? 0;
  if (fields !== undefined && fields.length >= 8 && machineCores > 0) {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
    return { busyMicros: (user + nice + system + irq + softirq + steal) * TICK_MICROS, cores: machineCores };
  }
  const cpus = known(() => os.cpus().length) === null ? [] : os.cpus();
  if (cpus.length === 0) return null;
  const busy = cpus.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return busy > 0 ? { busyMicros: busy * 1000, cores: cpus.length } : null;
}

/** Of all interfaces but the loopback. */
export function networkBytes(text: string | null) {
  let receivedBytes = 0;
  let sentBytes = 0;
  let seen = false;
  for (const line of (text ?? '').split('\n')) {
    const [, name, rest] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined || name === 'lo') continue;
    const fields = rest.trim().split(/\s+/).map(Number);
    if (!(fields.length >= 9 && Number.isFinite(fields[0]) && Number.isFinite(fields[8]))) continue;
    receivedBytes += fields[0] ?? 0;
    sentBytes += fields[8] ?? 0;
    seen = true;
  }
  return seen ? { receivedBytes, sentBytes } : null;
}

/** "max" and numbers near 2^63 mean "no limit". */
function limit(text: string | null): number | null {
  const value = Number(text?.trim() || Number.NaN);
  return value > 0 && value < Number.MAX_SAFE_INTEGER ? value : null;
}

export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Null for what the host refuses to tell, and for a zero that no running process can have. */
export function known(measure: () => number): number | null {
  try {
    const value = measure();
    return Number.isFinite(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}
