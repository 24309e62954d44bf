// The real-time monitor over 100 sessions: what a turn costs (there are four a second), alone, with readers of its stream and with
// monitors of users; and memory. Control: the rows of all sessions are copied and nothing is made of them.
// `bun benchmarks/monitor.ts`, also on Deno and Node (`--expose-gc`); no arguments.
import process from 'node:process';
import type { MeteredCall } from '../src/cli/operations/session-meter.ts';
import { SessionMeters } from '../src/cli/operations/session-meters.ts';
import { nearest } from '../src/config/nearest.ts';
import { createRegistry } from '../src/metrics/index.ts';
import {
  createMonitorInstruments,
  MonitorDesk,
  readThresholds,
  systemReader,
  WIDTH,
} from '../src/ops/monitor/index.ts';
import type { CallObserver } from '../src/runner/call.ts';
import { monitorRoutes } from '../src/server/routes/monitor.ts';
import { Hono } from 'hono';
import { describeMachine } from './machine.ts';
import { nsPerCall, percentile, round } from './statistics.ts';

const SESSIONS = 100;
const TURNS_PER_SECOND = 4;
const MINUTE_TURNS = 240;
const THRESHOLDS = { latency_ms: 150, quality_score: 3, memory_mb: 500, cpu_percent: 70, error_rate: 0.05 };

/** A desk whose turns are run by hand; its clock goes a quarter of a second a turn. */
function rig() {
  const registry = createRegistry();
  registry.gauge({ name: 'memory', unit: 'By', help: 'Memory.' }).labels().set(1e8);
  const meters = new SessionMeters();
  const calls = new Map<string, MeteredCall>();
  let nowMs = 0;
  let run: (() => void) | undefined;
  let waitMs = 0;
  const instruments = createMonitorInstruments(registry);
  const desk = new MonitorDesk({
    now: () => nowMs,
    setTimer(slice, delayMs) {
      run = slice;
      waitMs = delayMs;
      return () => {
        run = undefined;
      };
    },
    epochNowMs: () => nowMs,
    sessions: () => meters.rows(calls, nowMs),
    system: systemReader(registry),
    thresholds: readThresholds(THRESHOLDS, nearest),
    instruments,
    nearest,
    onError(error) {
      throw error;
    },
  });
  meters.follow(desk);
  const observers: CallObserver[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const id = crypto.randomUUID();
    const { observer, opened } = meters.observe(id, {});
    calls.set(id, { call: { session: { framesIn: 1000, framesLate: 1, queuedMs: 300 } }, startedAtMs: 0 });
    opened();
    observers.push(observer);
  }
  return {
    desk,
    meters,
    calls,
    instruments,
    ids: [...calls.keys()],
    now: () => nowMs,
    /** What a quarter of a second of calls adds, which is not a part of the turn. */
    hear() {
      for (const observer of observers) for (let i = 0; i < 12; i++) observer.frames?.(1, 0, 3 + i, 0.02, 640);
      observers[0]?.attemptAnswered?.('llm', 'm', 200);
    },
    /** What each slice of a turn took, in ms. */
    turn(): number[] {
      nowMs += 250;
      const slices: number[] = [];
      do {
        const from = performance.now();
        run?.();
        slices.push(performance.now() - from);
      } while (waitMs === 0);
      return slices;
    },
  };
}

/** Turns of some minutes. */
function turns(one: ReturnType<typeof rig>, minutes: number): number[][] {
  const taken: number[][] = [];
  for (let i = 0; i < minutes * MINUTE_TURNS; i++) {
    one.hear();
    taken.push(one.turn());
  }
  return taken;
}

/** `taken`: by turn, ms of its slices. */
function tell(name: string, taken: readonly (readonly number[])[]): void {
  const slices = taken.flat();
  const mean = slices.reduce((sum, ms) => sum + ms, 0) / taken.length;
  const core = (mean * TURNS_PER_SECOND) / 10;
  const [p99, worst] = [percentile(slices, 0.99), Math.max(...slices)];
  console.log(
    `${name.padEnd(62)} ${round(mean * 1000, 1)} us a turn; its slices p99 ${round(p99 * 1000, 1)} us, worst ${round(worst, 2)} ms: ${round(core, 3)} % of a core`,
  );
}

function readAll(response: Response): void {
  const reader = response.body?.getReader();
  const go = (): void => void reader?.read().then(({ done }) => (done ? undefined : go()));
  go();
}

const { runtime, cpu, loadAverage, commit } = describeMachine();
console.log(`${runtime}, ${cpu}, load ${loadAverage}, ${commit}`);

const control = new Float64Array(SESSIONS * WIDTH);
const row = new Float64Array(WIDTH).fill(1);
const copying: number[][] = [];
for (let i = 0; i < 40 * MINUTE_TURNS; i++) {
  const from = performance.now();
  for (let session = 0; session < SESSIONS; session++) control.set(row, session * WIDTH);
  copying.push([performance.now() - from]);
}
tell('control: rows are copied', copying.slice(MINUTE_TURNS));

const gc = (globalThis as { gc?: () => void; Bun?: { gc(sync: boolean): void } }).gc;
const collect = () => gc?.();
collect();
const before = process.memoryUsage();
const plain = rig();
tell('100 sessions, nobody looks (20 minutes)', turns(plain, 20).slice(MINUTE_TURNS));
collect();
const after = process.memoryUsage();
const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
if (gc !== undefined) console.log(`memory of a session after 20 minutes: ${round(bytes / SESSIONS / 1024, 1)} kB`);

const own = rig();
let told = 0;
for (const sessionPid of own.ids) {
  const components = ['audio_processor', 'webrtc_handler', 'llm_client'];
  own.desk.start({ sessionPid, components, alertThresholds: THRESHOLDS }).subscribe(() => told++);
}
tell("besides, the specification's example in each, with a subscriber", turns(own, 20).slice(MINUTE_TURNS));
if (told < SESSIONS * MINUTE_TURNS) throw new Error('subscribers were not told');

const streamed = rig();
const app = new Hono();
monitorRoutes({ now: streamed.now, desk: streamed.desk, instruments: streamed.instruments }).add(app);
for (let i = 0; i < 3; i++) readAll(await app.request('/monitor/stream'));
for (const id of streamed.ids.slice(0, 3)) readAll(await app.request(`/monitor/stream?session=${id}`));
const withReaders: number[][] = [];
for (let i = 0; i < 5 * MINUTE_TURNS; i++) {
  streamed.hear();
  withReaders.push(streamed.turn());
  // Readers read between the turns.
  await new Promise((go) => setTimeout(go, 0));
}
tell('three readers of all sessions, three of one each (5 minutes)', withReaders.slice(MINUTE_TURNS));

const { observer } = new SessionMeters().observe('x', {});
const meter = nsPerCall(() => observer.frames?.(1, 0, 3, 0.02, 640), 1_000_000);
console.log(
  `meter of a packet, on the path of the audio: ${round(meter.median, 1)} ns (${round(meter.min, 1)} to ${round(meter.max, 1)})`,
);
process.exit(0);
