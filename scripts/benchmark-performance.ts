// The performance report: every line of the specification's baselines, measured here and now or said why not.
// `npm run benchmark -- [--out FILE] [--json FILE] [--baseline FILE] [--quick]`, or this file on Bun, Deno or Node.
// Exit code 1 when a measured line misses its target or is more than 25 % worse than the stored run's ratio to its control.
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { describeMachine } from '../benchmarks/machine.ts';
import { measureAudioCore } from '../benchmarks/performance/audio.ts';
import { measureCapacity } from '../benchmarks/performance/capacity.ts';
import { measureComponents } from '../benchmarks/performance/components.ts';
import { measureIdle } from '../benchmarks/performance/idle.ts';
import { measureNetwork } from '../benchmarks/performance/network.ts';
import {
  measureDefinitions,
  measureMessages,
  measureSessionStart,
  measureToolMemory,
} from '../benchmarks/performance/rates.ts';
import {
  complaints,
  type Findings,
  judge,
  markdown,
  type Measurement,
  type StoredLine,
  stored,
} from '../benchmarks/performance/report.ts';
import { measureRequestBytes, measureResponses } from '../benchmarks/performance/responses.ts';
import { measureBuffers, measureOutput, measureStages, measureStreamCpu } from '../benchmarks/performance/stages.ts';

const USAGE = `npm run benchmark -- [options]
  --out FILE       the report as Markdown (it is printed too)
  --json FILE      the report as JSON, also to be stored for --baseline
  --baseline FILE  JSON of an earlier run: what became more than 25 % worse is a failure
  --quick          short runs: about half a minute, coarser figures`;

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    json: { type: 'string' },
    baseline: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const quick = values.quick;
const before = values.baseline === undefined ? [] : readBaseline(values.baseline);
const machine = describeMachine();
const startedMs = performance.now();
const measurements: Measurement[] = [];
const remarks: Findings['remarks'][number][] = [];

interface Part {
  readonly name: string;
  /** Lines that stay "not measured" when it fails. */
  measure(): Promise<Partial<Findings>>;
}
const some = (...found: (Measurement | null)[]): Partial<Findings> => ({
  measurements: found.filter((one) => one !== null),
});
const parts: readonly Part[] = [
  { name: 'agents and tools', measure: async () => some(...measureDefinitions(), measureToolMemory()) },
  { name: 'session start', measure: async () => some(await measureSessionStart(quick ? 200 : 1000)) },
  { name: 'messages', measure: async () => some(await measureMessages(quick ? 100 : 500)) },
  { name: 'audio stages', measure: async () => some(...measureStages(quick ? 500 : 3000)) },
  { name: 'audio core beside its twins', measure: async () => ({ remarks: await measureAudioCore() }) },
  { name: 'a stream of audio', measure: async () => some(measureStreamCpu(quick ? 1000 : 2500), measureBuffers()) },
  { name: 'audio output', measure: async () => some(await measureOutput(quick ? 50 : 200)) },
  { name: 'requests', measure: async () => some(await measureRequestBytes()) },
  {
    name: 'capacity: 1 to 100 sessions',
    measure: () =>
      measureCapacity(quick ? 3 : 8, ({ sessions, frameP95Ms, cpuPercent }) =>
        progress(`  ${sessions} sessions: frames p95 ${frameP95Ms.toFixed(2)} ms, CPU ${cpuPercent.toFixed(0)} %`),
      ),
  },
  { name: 'responses with simulated models', measure: () => measureResponses(quick ? 6 : 8, quick ? 1 : 4) },
  { name: 'the program at rest', measure: async () => some(...(await measureIdle(quick ? 2 : 10))) },
  { name: 'network', measure: async () => ({ remarks: await measureNetwork() }) },
];

// First of all: a component is made for the first time only once.
const components = await measureComponents();
for (const [i, part] of parts.entries()) {
  progress(`[${i + 1}/${parts.length}] ${part.name}`);
  try {
    const found = await part.measure();
    measurements.push(...(found.measurements ?? []));
    remarks.push(...(found.remarks ?? []));
  } catch (error) {
    // The rest is worth having; the lines of this part say "not measured", and the run fails.
    progress(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  }
}

const lines = judge({ measurements, remarks });
const wrong = complaints(lines, before);
const head = { machine, seconds: (performance.now() - startedMs) / 1000, quick };
const text = markdown(head, lines, components, wrong);
console.log(text);
if (values.out !== undefined) writeFileSync(values.out, text);
if (values.json !== undefined) {
  const json = { ...head, lines: lines.map(describeLine), components, stored: stored(lines), complaints: wrong };
  writeFileSync(values.json, `${JSON.stringify(json, null, 2)}\n`);
}
process.exit(wrong.length > 0 ? 1 : (process.exitCode ?? 0));

function describeLine({ baseline, measurement, verdict, text }: (typeof lines)[number]) {
  const { id, what, target, unit } = baseline;
  const { value = null, control = null, simulated = false } = measurement ?? {};
  return { id, what, target, unit, value, control, simulated, verdict, text };
}

function readBaseline(path: string): StoredLine[] {
  try {
    const { stored: found } = JSON.parse(readFileSync(path, 'utf8')) as { stored?: unknown };
    if (Array.isArray(found)) return found as StoredLine[];
    throw new TypeError('it has no "stored": write it with --json');
  } catch (error) {
    console.error(`Cannot use the baseline ${path}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
}

/** Work that takes long says where it is. */
function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
