// Measures the process and the machine at an interval: what the host does not tell has no series.
import type { ProcessFacts } from '../../hosts/port.ts';
import type { GaugeHandle, Registry } from '../../metrics/index.ts';
import type { ProbeClock } from './loop-probe.ts';

export interface SamplerOptions {
  readonly registry: Registry;
  readonly facts: ProcessFacts;
  readonly clock: ProbeClock;
  readonly intervalMs: number;
  /** Disk whose free space counts. */
  readonly diskPath: string;
  /** Bits per second of the link, in each direction; undefined: its use is not measured. */
  readonly linkBitsPerS?: number | undefined;
}

export interface Sampler {
  /** Measures now; the interval does it besides. */
  sample(): void;
  stop(): void;
}

/** A difference needs two looks: shares of time appear with the second. */
interface Before {
  readonly atMs: number;
  readonly processMicros: number | null;
  readonly busyMicros: number | null;
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
}

export function startSampler({ registry, facts, clock, intervalMs, diskPath, linkBitsPerS }: SamplerOptions): Sampler {
  const gauge = (name: string, help: string, unit?: string): GaugeHandle =>
    registry.gauge({ name: `syrinx.${name}`, help, unit }).labels();
  const total = (name: string, help: string, unit: string) =>
    registry.counter({ name: `syrinx.${name}`, help, unit }).labels();
  const machine = facts.machine;
  const processCpu = gauge('process.cpu', 'CPU time of this process, of all cores that it may use.', '1');
  const openFiles = gauge('process.open.files', 'Open file descriptors of this process.');
  const systemCpu = gauge('system.cpu', 'CPU time in use of all that the container or machine has.', '1');
  const memory = gauge('system.memory', 'Memory in use of what the container or machine has.', '1');
  const memoryUsed = gauge('system.memory.used', 'Memory in use in the container or machine.', 'By');
  const memoryLimit = gauge('system.memory.limit', 'Memory that the container or machine has.', 'By');
  const diskFree = gauge('system.disk.free', 'Free share of the disk with the data directory.', '1');
  const utilization = gauge(
    'network.utilization',
    'Traffic of the busier direction, of the capacity of the link.',
    '1',
  );
  const load = registry.gauge({ name: 'syrinx.system.load', help: 'Load average, by minutes.', labels: ['minutes'] });
  const loads = ['1', '5', '15'].map((minutes) => load.labels({ minutes }));
  // Counters of what is not told would say 0.
  const cpuTime =
    facts.cpuMicros() === null ? undefined : total('process.cpu.time', 'User and system time of this process.', 's');
  const network = machine?.network() ?? null;
  const received = network === null ? undefined : total('network.received', 'Bytes received by the machine.', 'By');
  const sent = network === null ? undefined : total('network.sent', 'Bytes sent by the machine.', 'By');
  let before: Before | undefined;
  let cancel = clock.setTimer(tick, intervalMs);

  function sample(): void {
    const traffic = machine?.network() ?? null;
    const cpu = machine?.cpu() ?? null;
    const now: Before = {
      atMs: clock.now(),
      processMicros: facts.cpuMicros(),
      busyMicros: cpu?.busyMicros ?? null,
      receivedBytes: traffic?.receivedBytes ?? null,
      sentBytes: traffic?.sentBytes ?? null,
    };
    const use = machine?.memory() ?? null;
    set(memory, use === null ? null : use.usedBytes / use.limitBytes);
    set(memoryUsed, use?.usedBytes ?? null);
    set(memoryLimit, use?.limitBytes ?? facts.memoryLimitBytes());
    const used = facts.diskUsage(diskPath);
    set(diskFree, used === null ? null : 1 - used);
    set(openFiles, machine?.openFiles() ?? null);
    const averages = facts.loadAverage();
    loads.forEach((handle, i) => set(handle, averages?.[i] ?? null));
    // A process has used its CPU time since it began.
    if (before === undefined) cpuTime?.add((now.processMicros ?? 0) / 1e6);
    else if (now.atMs > before.atMs) differences(before, now, cpu?.cores ?? null);
    before = now;
  }

  function differences(old: Before, now: Before, limitCores: number | null): void {
    const micros = (now.atMs - old.atMs) * 1000;
    const spent = grown(old.processMicros, now.processMicros);
    if (spent !== null) cpuTime?.add(spent / 1e6);
    const cores = facts.cores();
    set(processCpu, spent === null || cores === null ? null : spent / micros / (limitCores ?? cores));
    const busy = grown(old.busyMicros, now.busyMicros);
    set(systemCpu, busy === null || limitCores === null ? null : Math.min(1, busy / micros / limitCores));
    const inBytes = grown(old.receivedBytes, now.receivedBytes);
    const outBytes = grown(old.sentBytes, now.sentBytes);
    if (inBytes !== null) received?.add(inBytes);
    if (outBytes !== null) sent?.add(outBytes);
    if (linkBitsPerS === undefined || inBytes === null || outBytes === null) return;
    utilization.set((Math.max(inBytes, outBytes) * 8 * 1e6) / micros / linkBitsPerS);
  }

  function tick(): void {
    sample();
    cancel = clock.setTimer(tick, intervalMs);
  }

  sample();
  return { sample, stop: () => cancel() };
}

/** Null where one side is not known, or the counter began anew. */
function grown(before: number | null, now: number | null): number | null {
  return before === null || now === null || now < before ? null : now - before;
}

function set(gauge: GaugeHandle, value: number | null): void {
  if (value === null) gauge.unset();
  else gauge.set(value);
}
