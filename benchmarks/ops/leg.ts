// One leg of the comparison, in a process of its own: 100 calls and 500 series in real time, with the operations on, off, or one of them.
// `leg.ts on|off|monitor|history|alerts STEADY_SECONDS HOUR_SECONDS WARM_SECONDS FOLDER PAGER_PORT [sampled]`, begins with a line of input; the last line is its figures as JSON.
// `leg.ts day _ _ _ FOLDER _` only lives through most of a day, so that what such haste leaves behind in a process is in no figure. The folder is what history has of it:
// the leg starts in it as a process does that is started again within the hour.
import process from 'node:process';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { prepareAlerts } from '../../src/cli/alerts/alerts.ts';
import { composeRuntime, type Runtime } from '../../src/cli/compose.ts';
import { loadNeuralVad } from '../../src/cli/ear.ts';
import { startHistory } from '../../src/cli/operations/history.ts';
import { startMonitor } from '../../src/cli/operations/monitor.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { DataFolder, Host } from '../../src/hosts/port.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { callerLoop, instantModels } from '../conversation.ts';
import { openCall, pace } from '../performance/calls.ts';
import { percentile } from '../statistics.ts';
import { waitForStart } from './child.ts';
import { type CollectionFigure, watchCollections } from './collections.ts';
import { sampleCore } from './core-samples.ts';
import { CONTROL_SLICE, loadRules, loadSeries } from './load.ts';
import { arenaBytes, type MemoryFigure, memoryFigure, type ThreadTimes, threadTimes } from './process-figures.ts';
import { type SpanFigure, Spans, spannedFolder } from './spans.ts';
import { createThreadClocks } from './thread-clock.ts';
import { createTimes, type Times } from './times.ts';

export interface PartFigure {
  readonly cpuPercent: number;
  /** The same by threads that still run, in percent of a core; null where the system does not tell. */
  readonly threadPercent: ThreadTimes | null;
  readonly frames: number;
  readonly framesLate: number;
  /** Times that frames began to be late. */
  readonly pauses: number;
  /** At its end. */
  readonly memory: MemoryFigure;
  /** Resident, once a second: collections move it by megabytes, at other moments in each leg. */
  readonly rssBytes: readonly number[];
  /** How long it took, and the collections of that time; null where the host does not tell. */
  readonly seconds: number;
  readonly collections: CollectionFigure | null;
}
export interface LegFigure {
  readonly mode: string;
  readonly series: number;
  /** After the day that was lived through, before the first call. */
  readonly begun: MemoryFigure;
  readonly steady: PartFigure;
  /** With the end of the hour and of the day, and the purge. */
  readonly hour: PartFigure;
  /** After collections at the end of it: what is alive. */
  readonly settled: MemoryFigure;
  /** Of that, what the C library keeps for further threads; null where the system does not tell. */
  readonly arenaBytes: number | null;
  /** By how much the callers, in this very process, sent their packets too late: whatever holds the loop. */
  readonly sentLateP99Ms: number;
  readonly spans: readonly SpanFigure[];
  readonly blocks: readonly string[];
}

const CALLS = 100;
/** Slices of nothing: together they take twice the time of all that the operations' do, so that whatever else is long shows in them. */
const SPIN_MS = 0.3;
const SPIN_EVERY_MS = 20;
/** Late frames that are not so far apart are of one pause. */
const PAUSE_MS = 100;
const MODEL_REQUESTS = 20;
const DAY_MS = 86_400_000;
const LAST_HOUR_MS = 23 * 3_600_000;
/** History purges, and merges days, by a wall clock that has run evenly for ten minutes. */
const STARTED_MS = DAY_MS - 12 * 60_000;
const MIDNIGHT = Date.UTC(2026, 0, 3);
export const SLICE_LIMIT_MS = 2;
/** An hour is sealed with its successor's first minute. */
const SEAL_AFTER_MS = 60_000;
/** For collections after the full hour. */
const SETTLE_SECONDS = 2;

const [mode = 'off', steady = '16', hour = '16', warm = '16', folder = '', port = '9', sampled] = process.argv.slice(2);
const steadySeconds = Number(steady);
const hourSeconds = Number(hour);
const warmSeconds = Number(warm);
const isOn = mode !== 'off';
const pager = `http://127.0.0.1:${port}`;
/** Whether this part of the operations works in this leg. */
const has = (part: 'monitor' | 'history' | 'alerts'): boolean => mode === 'on' || mode === part;

console.log(JSON.stringify(mode === 'day' ? await day() : await leg()));
process.exit(0);

async function prepare() {
  const file = {
    models: { provider: 'simulated' },
    capacity: { max_sessions: CALLS, late_frame_share: 0, loop_lag_ms: 0 },
    monitoring: { real_time_enabled: has('monitor') },
    telemetry: { enabled: isOn, data_directory: folder },
    alerts: {
      enabled: has('alerts'),
      allow_private: true,
      webhook: { url: `${pager}/page` },
      rules: loadRules(['webhook']),
    },
  };
  const loaded = loadConfig({ file: { path: 'load.json', text: JSON.stringify(file) }, environment: {} });
  const { config } = loaded;
  const log = createLogger({ level: 'error', format: 'json', write: (text) => console.error(text), now: Date.now });
  const runtime = composeRuntime({
    config,
    agent: defineAgent({ instructions: 'Answer briefly.' }),
    log,
    models: instantModels(3500),
    neural: await loadNeuralVad(config),
  });
  const series = loadSeries(runtime.registry);
  const collections = watchCollections();
  const clocks = await createThreadClocks();
  const spans = new Spans(SLICE_LIMIT_MS, collections, clocks?.coreMs ?? null);
  const host = spannedHost(await createHost(), spans);
  const times = createTimes(MIDNIGHT - DAY_MS);
  Date.now = () => Math.floor(times.epochNow());
  const begin = () =>
    startHistory({
      host,
      config,
      registry: runtime.registry,
      log,
      clock: spannedClock(times, spans, 'history sample'),
    });
  return { loaded, config, log, runtime, series, collections, clocks, spans, host, times, begin };
}

/** All but the last hour with a sample each 20 s, and of that one all seconds. */
async function day(): Promise<null> {
  const { times, series, host, begin } = await prepare();
  const history = begin();
  await live(times, series.turn, host, LAST_HOUR_MS, 20_000);
  await live(times, series.turn, host, STARTED_MS, 1000);
  await history?.stop();
  return null;
}

/** As models that are reached over HTTP have by their first answers: the host's client is loaded, and is no cost of whoever asks next. */
async function askModels(): Promise<void> {
  for (let i = 0; i < MODEL_REQUESTS; i++) await (await fetch(`${pager}/model`, { method: 'POST', body: '{}' })).text();
}

async function leg(): Promise<LegFigure> {
  const wall = Date.now;
  await askModels();
  const { loaded, config, log, runtime, series, collections, clocks, spans, host, times, begin } = await prepare();
  times.wind(STARTED_MS);
  const history = has('history') ? begin() : null;
  await host.idle();
  // On to where the steady part begins.
  const endMs = DAY_MS + SEAL_AFTER_MS - 1000 * (steadySeconds + warmSeconds + 3);
  await live(times, series.turn, host, endMs, 1000);
  // Minutes in a moment leave more behind than minutes: both legs begin without it.
  await collect();
  const begun = memoryFigure();
  await waitForStart();
  times.release();
  const monitor = startMonitor({ config, runtime, log, clock: spannedClock(times, spans, 'monitor') });
  const alerts = prepareAlerts({
    ...loaded,
    // All that pauses there is a notification that is about to be sent.
    host: { ...host, pause: () => spans.outside('notification', () => host.unspannedPause()) },
    registry: runtime.registry,
    agentName: 'load',
    log,
    clock: spannedClock(times, spans, 'alerts'),
  });
  await alerts?.start();
  const mover = setInterval(() => series.turn(), 100);
  // What the machine and collections do to any slice: one that does nothing, for as long as ours may take. In both legs, since it costs something.
  const idler = setInterval(() => spans.run(CONTROL_SLICE, spin), SPIN_EVERY_MS);

  const calls = Array.from({ length: CALLS }, () => openCall(runtime));
  const { packets } = callerLoop(8000);
  const inputs = calls.map(({ input }) => input);
  const frames = () => calls.reduce((sum, { session }) => sum + session.framesIn, 0);
  const late = () => calls.reduce((sum, { session }) => sum + session.framesLate, 0);
  let pauses = 0;
  let lateBefore = 0;
  let isLate = false;
  const pauseWatch = setInterval(() => {
    const wasLate = isLate;
    isLate = late() > lateBefore;
    if (isLate && !wasLate) pauses++;
    lateBefore = late();
  }, PAUSE_MS);
  const look = () => ({
    frames: frames(),
    late: late(),
    pauses,
    cpu: process.cpuUsage(),
    threads: threadTimes(),
    atMs: performance.now(),
  });
  // One rhythm for all parts: what begins anew would be late for good.
  const sentLate = pace(inputs, packets, warmSeconds + steadySeconds + hourSeconds + SETTLE_SECONDS);
  const measure = async (untilMs: number): Promise<PartFigure> => {
    const before = look();
    collections?.figure();
    const rssBytes: number[] = [];
    const watch = setInterval(() => rssBytes.push(process.memoryUsage.rss()), 1000);
    await new Promise((done) => setTimeout(done, Math.max(0, untilMs - performance.now())));
    clearInterval(watch);
    const after = look();
    const percent = 100 / (after.atMs - before.atMs);
    const micros = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
    return {
      cpuPercent: (micros / 1000) * percent,
      threadPercent: threadsBetween(before.threads, after.threads, percent),
      frames: after.frames - before.frames,
      framesLate: after.late - before.late,
      pauses: after.pauses - before.pauses,
      memory: memoryFigure(),
      rssBytes,
      seconds: (after.atMs - before.atMs) / 1000,
      collections: collections?.figure() ?? null,
    };
  };
  const startMs = performance.now();
  const samples = sampled === 'sampled' && clocks !== null ? sampleCore(clocks) : null;
  await measure(startMs + 1000 * warmSeconds);
  spans.enabled = true;
  const steadyPart = await measure(startMs + 1000 * (warmSeconds + steadySeconds));
  const hourPart = await measure(startMs + 1000 * (warmSeconds + steadySeconds + hourSeconds));
  spans.enabled = false;
  await samples?.stop();
  await collect();
  const settled = memoryFigure();
  const arenas = arenaBytes();
  const blocks = await sizes(host);
  clearInterval(idler);
  clearInterval(pauseWatch);
  monitor?.stop();
  await Promise.all([alerts?.stop(1000), history?.stop()]);
  const sentLateP99Ms = percentile(await sentLate, 0.99);
  clearInterval(mover);
  const figures = spans.figures(samples?.ranMs);
  await runtime.closeAll('measured');
  Date.now = wall;
  return {
    mode,
    series: countSeries(runtime),
    begun,
    steady: steadyPart,
    hour: hourPart,
    settled,
    arenaBytes: arenas,
    sentLateP99Ms,
    spans: figures,
    blocks,
  };
}

function threadsBetween(before: ThreadTimes | null, after: ThreadTimes | null, percent: number): ThreadTimes | null {
  if (before === null || after === null) return null;
  const of = (kind: keyof ThreadTimes) => (after[kind] - before[kind]) * percent;
  return { main: of('main'), compiler: of('compiler'), collector: of('collector'), other: of('other') };
}

async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const { gc, Bun: bun } = globalThis as { gc?: () => void; Bun?: { gc(now: boolean): void } };
    if (bun === undefined) gc?.();
    else bun.gc(true);
    await new Promise((go) => setTimeout(go, 500));
  }
}

function spin(): void {
  for (const untilMs = performance.now() + SPIN_MS; performance.now() < untilMs; );
}

/** Winds the clocks on, step by step. */
async function live(times: Times, turn: () => void, host: LegHost, untilMs: number, stepMs: number): Promise<void> {
  let minute = Math.floor(times.now() / 60_000);
  while (times.now() + stepMs <= untilMs) {
    turn();
    times.wind(stepMs);
    const next = Math.floor(times.now() / 60_000);
    if (next === minute) continue;
    minute = next;
    await host.idle();
  }
}

interface LegHost extends Host {
  /** Resolves when nothing has been asked of the disk, and nothing has paused, for some turns. */
  idle(): Promise<void>;
  unspannedPause(): Promise<void>;
  folders: DataFolder[];
}

function spannedHost(host: Host, spans: Spans): LegHost {
  let asked = 0;
  let kind = 'history';
  const folders: DataFolder[] = [];
  const kindOf = (name: string): string => {
    if (/^(seconds|minutes)-\d{4}-\d\d-\d\dT/.test(name)) kind = 'history hour';
    else if (name.startsWith('minutes-')) kind = 'history day';
    else if (name.startsWith('journal-')) kind = 'history minute';
    return kind;
  };
  return {
    ...host,
    folders,
    unspannedPause: () => host.pause(),
    // In haste nobody rests.
    pause(ms) {
      asked++;
      return spans.outside(kind, () => host.pause(spans.enabled ? ms : 0));
    },
    async openDataFolder(path) {
      const opened = await host.openDataFolder(path);
      folders.push(opened);
      const counted = new Proxy(opened, {
        get(target, key) {
          asked++;
          const value = Reflect.get(target, key) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return spannedFolder(counted, spans, path.endsWith('alerts') ? () => 'alerts journal' : kindOf);
    },
    async idle() {
      for (let quiet = 0, seen = asked; quiet < 5; seen = asked) {
        await new Promise((go) => setTimeout(go, 0));
        quiet = asked === seen ? quiet + 1 : 0;
      }
    },
  };
}

function spannedClock(times: Times, spans: Spans, kind: string) {
  return {
    now: times.now,
    setTimer: (run: () => void, delayMs: number) => times.setTimer(() => spans.run(kind, run), delayMs),
  };
}

async function sizes(host: LegHost): Promise<string[]> {
  const lines: string[] = [];
  for (const one of host.folders) for (const name of await one.list()) lines.push(`${name} ${await one.size(name)}`);
  return lines;
}

function countSeries({ registry }: Runtime): number {
  return registry.families().reduce((sum, { series }) => sum + series.length, 0);
}

async function createHost(): Promise<Host> {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return (await import('../../src/hosts/bun.ts')).createBunHost();
  if (deno !== undefined) return (await import('../../src/hosts/deno.ts')).createDenoHost();
  return (await import('../../src/hosts/node.ts')).createNodeHost();
}
