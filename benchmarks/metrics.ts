// What measuring costs: a record and a scrape beside OpenTelemetry's SDK and prom-client, and everything on at 100 calls beside everything off.
// Prints a table and one JSON line; `--gate` makes a missed limit an error. Rivals come from benchmarks/package.json; without them ours stands
// alone. On each host: `npx bun benchmarks/metrics.ts`, `npx deno run -A benchmarks/metrics.ts`, `node --expose-gc benchmarks/metrics.ts`.
import { createServer } from 'node:http';
import process from 'node:process';
import { startOtlpPush } from '../src/cli/telemetry/otlp-push.ts';
import { createPrometheusPage, createRegistry, renderPrometheus, takeSnapshot } from '../src/metrics/index.ts';
import { createFacts } from '../src/hosts/node-facts.ts';
import { createLogger } from '../src/ops/logs.ts';
import { probeLoop } from '../src/ops/system/loop-probe.ts';
import { startSampler } from '../src/ops/system/sampler.ts';
import { systemClock } from '../src/runner/clock.ts';
import { callerLoop, instantModels } from './conversation.ts';
import { describeMachine, runtimeName } from './machine.ts';
import { BOUNDS, bytesPerRecord, ownRecorders, values } from './metrics/bytes.ts';
import { loadRivals, type Scraper } from './metrics/rivals.ts';
import { benchmarkRuntime, openCall, pace } from './performance/calls.ts';
import { nsPerCall, round, type Spread, timeMs } from './statistics.ts';

const RECORDS = 1_000_000;
const SERIES = 200;
const CALLS = 100;
const misses: string[] = [];
const figures: Record<string, unknown> = { benchmark: 'metrics', machine: describeMachine() };

function limit(ok: boolean, text: string): void {
  console.log(`${ok ? 'ok  ' : 'MISS'} ${text}`);
  if (!ok) misses.push(text);
}
/** The least is judged: whatever else the machine does only adds. */
const shown = ({ median, min, max }: Spread, unit: string): string =>
  `${round(min)} ${unit} (median ${round(median)}, most ${round(max)})`;
// ---- records ----

const rivals = await loadRivals(BOUNDS, values);
console.log(`${runtimeName()}\n`);
const ownNs: Record<string, number> = {};
const records: Record<string, unknown> = {};
const bytes = await bytesPerRecord();
const probed = bytes['one object'] ?? 0;
limit(probed >= 8, `bytes are seen: one object a call is ${round(probed, 1)} bytes`);
for (const { name, record } of ownRecorders()) {
  const ns = nsPerCall(record, RECORDS);
  const own = bytes[name] ?? Number.NaN;
  ownNs[name] = ns.min;
  records[`syrinx ${name}`] = { ns, bytes: own };
  const rival = bytes[`OpenTelemetry ${name}`];
  const beside = rival === undefined ? '' : ` (OpenTelemetry ${round(rival, 0)})`;
  limit(ns.min <= 50, `${name}: ${shown(ns, 'ns')} a record, limit 50`);
  limit(own < 1, `${name}: ${round(own, 1)} bytes a record${beside}, limit 0`);
}
for (const { name, record } of rivals.recorders) {
  const ns = nsPerCall(record, RECORDS / 10);
  records[name] = { ns };
  const ratio = ns.min / (ownNs[name.split(' ')[1] ?? ''] ?? Number.NaN);
  limit(ratio >= 8, `${name}: ${shown(ns, 'ns')} a record, ${round(ratio, 1)} times ours, wanted 8`);
}
figures.records = records;

// ---- scrapes ----

const registry = createRegistry();
for (let i = 0; i < SERIES; i++) {
  const histogram = registry
    .histogram({ name: 'turn.duration', help: 'Turn.', unit: 's', labels: ['series', 'stage'], bounds: BOUNDS })
    .labels({ series: String(i), stage: 'llm' });
  for (let j = 0; j < 500; j++) histogram.record(values[(i * 17 + j) & 4095] as number);
}
const encoder = new TextEncoder();
const scrape = timeMs(() => void encoder.encode(renderPrometheus(registry)), 21);
const lines = renderPrometheus(registry).split('\n').length;
limit(scrape.min <= 1.5, `scrape of ${SERIES} histograms (${lines} lines): ${shown(scrape, 'ms')}, limit 1.5`);
const scrapes: Record<string, unknown> = { syrinx: scrape };
for (const { name, prepare, scrape: rival } of rivals.scrapers as Scraper[]) {
  await prepare(SERIES);
  const taken: number[] = [];
  for (let run = 0; run < 11; run++) {
    const from = performance.now();
    encoder.encode(await rival());
    if (run > 0) taken.push(performance.now() - from);
  }
  taken.sort((a, b) => a - b);
  const spread = { median: taken[5] ?? Number.NaN, min: taken[0] ?? Number.NaN, max: taken.at(-1) ?? Number.NaN };
  scrapes[name] = spread;
  console.log(`     ${name}: ${shown(spread, 'ms')}, ${round(spread.min / scrape.min, 1)} times ours`);
}
const snapshot = timeMs(() => void takeSnapshot(registry), 21);
console.log(`     snapshot of the same: ${shown(snapshot, 'ms')}`);
figures.scrapes = { ...scrapes, snapshot };

// ---- everything on ----

const runtime = benchmarkRuntime({ models: instantModels(3500), maxSessions: CALLS });
const calls = Array.from({ length: CALLS }, () => openCall(runtime));
const { packets } = callerLoop(8000);
const inputs = calls.map(({ input }) => input);
const sink = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end('{}'));
});
await new Promise<void>((ready) => sink.listen(0, '127.0.0.1', ready));
const address = sink.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

/** Machine each second, event loop, a scrape and a delivery over OTLP each 5 s, a look at everything four times a second. */
async function everything(): Promise<() => Promise<void>> {
  const own = runtime.registry;
  const stopProbe = probeLoop(own, systemClock);
  const facts = createFacts();
  const sampler = startSampler({ registry: own, facts, clock: systemClock, intervalMs: 1000, diskPath: '/' });
  const push = await startOtlpPush({
    settings: {
      url: `http://127.0.0.1:${port}/v1/metrics`,
      headers: {},
      protocol: 'http/json',
      temporality: 'cumulative',
      histograms: 'explicit',
      gzip: false,
      timeoutMs: 2000,
      intervalMs: 5000,
    },
    registry: own,
    resource: { 'service.name': 'benchmark' },
    version: '0',
    log: createLogger({ level: 'error', format: 'json', write: (text) => console.error(text), now: Date.now }),
    clock: systemClock,
    epochMs: Date.now,
  });
  const page = createPrometheusPage(own, systemClock.now);
  const scraper = setInterval(() => void encoder.encode(page()), 5000);
  const monitor = setInterval(() => void takeSnapshot(own), 250);
  return async () => {
    clearInterval(scraper);
    clearInterval(monitor);
    stopProbe();
    sampler.stop();
    await push.stop(2000);
  };
}

async function cpuPercent(seconds: number): Promise<number> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  await pace(inputs, packets, seconds);
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 10 / (performance.now() - startMs);
}

const seconds = process.argv.includes('--quick') ? 3 : 10;
await cpuPercent(4);
const off: number[] = [];
const on: number[] = [];
for (let run = 0; run < 3; run++) {
  off.push(await cpuPercent(seconds));
  const stop = await everything();
  on.push(await cpuPercent(seconds));
  await stop();
}
await runtime.closeAll('measured');
sink.close();
const least = (list: readonly number[]): number => Math.min(...list);
const cost = least(on) - least(off);
const text = (list: readonly number[]): string => list.map((one) => round(one, 1)).join(', ');
limit(
  cost <= 2,
  `everything on at ${CALLS} calls: ${round(cost)} % of a core more (off ${text(off)}; on ${text(on)}), limit 2`,
);
figures.everything = { off, on, cost };

console.log(`\n${JSON.stringify(figures)}`);
console.log(misses.length === 0 ? 'all limits kept' : `${misses.length} limits missed`);
process.exit(process.argv.includes('--gate') && misses.length > 0 ? 1 : 0);
