// Bytes that a record leaves on the heap, on each host. Bun tells its heap only when it collects: there a process of its own runs without
// a collector (`BUN_JSC_useGC=0`), in which every allocation stays and is counted. `bun benchmarks/metrics/bytes.ts` prints them as JSON.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createRegistry } from '../../src/metrics/index.ts';
import { loadRivals, type Recorder } from './rivals.ts';

/** As in the reference: 17 buckets. */
export const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.5, 2.5, 5];
/** Latencies around 300 ms, the same each time. */
export const values = Float64Array.from({ length: 4096 }, (_, i) => 0.3 * Math.exp(0.6 * Math.sin(i * 12.9898) * 2));

export function ownRecorders(): Recorder[] {
  const registry = createRegistry();
  const labels = { agent: 'a', stage: 'llm', model: 'm' };
  const counter = registry.counter({ name: 'c', help: 'C.', labels: Object.keys(labels) }).labels(labels);
  const gauge = registry.gauge({ name: 'g', help: 'G.', labels: Object.keys(labels) }).labels(labels);
  const histogram = registry
    .histogram({ name: 'h', help: 'H.', unit: 's', labels: Object.keys(labels) })
    .labels(labels);
  return [
    { name: 'counter', record: () => counter.add(1) },
    { name: 'gauge', record: (i) => gauge.set(i) },
    { name: 'histogram', record: (i) => histogram.record(values[i & 4095] as number) },
  ];
}

let kept: unknown;
/** One small object a call: what the measurement must see, or it is none. */
const PROBE: Recorder = { name: 'one object', record: (i) => (kept = { i }) };

/** By name of the recorder; the probe and, where it is installed, OpenTelemetry's histogram are among them. */
export async function bytesPerRecord(): Promise<Readonly<Record<string, number>>> {
  if (process.versions.bun !== undefined && process.env.BUN_JSC_useGC === undefined) {
    const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { ...process.env, BUN_JSC_useGC: '0' },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error('The process without a collector failed');
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  }
  const rivals = await loadRivals(BOUNDS, values);
  const recorders = [
    ...ownRecorders(),
    PROBE,
    ...rivals.recorders.filter(({ name }) => name.startsWith('OpenTelemetry')),
  ];
  const bytes = Object.fromEntries(recorders.map(({ name, record }) => [name, bytesPerCall(record)]));
  if (kept === undefined) throw new Error('The probe did not run');
  return bytes;
}

const CALLS = 20_000;
const RUNS = 5;

/** The least growth of the heap over some runs without a collection: whatever else the host does only adds. */
function bytesPerCall(record: (i: number) => void): number {
  const gc = (globalThis as { gc?: () => void }).gc;
  for (let i = 0; i < 10 * CALLS; i++) record(i);
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) record(i);
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / CALLS);
  }
  return Math.max(0, least);
}

if (import.meta.main) console.log(JSON.stringify(await bytesPerRecord()));
