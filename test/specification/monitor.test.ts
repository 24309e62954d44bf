// The specification's block for the real-time monitor, written in TypeScript and run as it stands in a call on virtual time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { createAudioCore } from '../../src/audio/index.ts';
import { composeRuntime } from '../../src/cli/compose.ts';
import { startMonitor } from '../../src/cli/operations/monitor.ts';
import type { MeteredCall } from '../../src/cli/operations/session-meter.ts';
import { SessionMeters } from '../../src/cli/operations/session-meters.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ProcessFacts } from '../../src/hosts/port.ts';
import { type MonitorAlert, type MonitorEvent, RealtimeMonitor } from '../../src/index.ts';
import { createRegistry } from '../../src/metrics/index.ts';
import { ModelError } from '../../src/models/port.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { startSampler } from '../../src/ops/system/sampler.ts';
import type { CallObserver } from '../../src/runner/call.ts';
import type { Effects } from '../../src/session/effects.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { createSession } from '../../src/session/session.ts';
import { begin, checkNothingLeft, createWorld, type Scenario, type Simulated } from '../simulation/simulated-call.ts';
import { writes } from '../simulation/models.ts';
import { createFakeHost } from '../cli/fake-host.ts';

const MEGABYTE = 2 ** 20;
const EPOCH_MS = 1_700_000_000_000;
const log = createLogger({ level: 'error', format: 'json', write: (line) => assert.fail(line), now: () => 0 });

/** The parts of a running program that the monitor touches, on virtual time. */
function program(file: Readonly<Record<string, unknown>> = {}) {
  const world = createWorld();
  const { time } = world;
  const registry = createRegistry();
  const calls = new Map<string, MeteredCall>();
  const meters = new SessionMeters();
  const { config } = loadConfig({ file: { path: 'syrinx.json', text: JSON.stringify(file) } });
  const epochNowMs = () => EPOCH_MS + time.now();
  const clock = { now: () => time.now(), setTimer: (run: () => void, ms: number) => time.setTimer(run, ms) };
  /** What the machine does: tests change it. */
  const machine = { megabytes: 100, cpu: 0.2, busyMicros: 0, lookedMs: 0 };
  const facts: ProcessFacts = {
    ...createFakeHost().facts,
    memoryBytes: () => machine.megabytes * MEGABYTE,
    cores: () => 2,
    machine: {
      memory: () => ({ usedBytes: 400 * MEGABYTE, limitBytes: 1000 * MEGABYTE }),
      cpu() {
        machine.busyMicros += (time.now() - machine.lookedMs) * 1000 * 2 * machine.cpu;
        machine.lookedMs = time.now();
        return { busyMicros: machine.busyMicros, cores: 2 };
      },
      network: () => null,
      openFiles: () => null,
    },
  };
  registry
    .gauge({ name: 'memory', unit: 'By', help: 'Resident memory of this process.' })
    .labels()
    .observe(() => facts.memoryBytes());
  const sampler = startSampler({ registry, facts, clock, intervalMs: 1000, diskPath: '/' });
  const monitor = startMonitor({ config, runtime: { calls, meters, registry }, log, clock, epochNowMs });
  assert.ok(monitor !== null);
  return {
    world,
    calls,
    meters,
    machine,
    desk: monitor.desk,
    /** A call from its beginning to its end; `watch` runs where an agent's `onSession` does. */
    async call(scenario: Scenario, watch: (sessionPid: string) => void): Promise<Simulated> {
      const opened: (() => void)[] = [];
      const { finish } = begin(world, {
        ...scenario,
        observe(id, base) {
          const metered = meters.observe(id, base);
          opened.push(metered.opened);
          return metered.observer;
        },
        opened(call) {
          calls.set(call.id, { call, startedAtMs: epochNowMs() });
          opened[0]?.();
          watch(call.id);
        },
      });
      await time.runTo(time.now() + scenario.endMs);
      return finish();
    },
    async stop() {
      sampler.stop();
      monitor.stop();
      await time.runTo(time.now() + 70_000);
      checkNothingLeft(world);
    },
  };
}

/** As the specification has it; `start_link` is `start`. */
function asWritten(sessionPid: string): RealtimeMonitor {
  const monitor = RealtimeMonitor.start({
    sessionPid,
    components: ['audio_processor', 'webrtc_handler', 'llm_client'],
    alertThresholds: {
      latency_ms: 150, // Alert if latency > 150ms
      quality_score: 3.0, // Alert if quality < 3.0
      memory_mb: 500, // Alert if memory > 500MB
      cpu_percent: 70, // Alert if CPU > 70%
      error_rate: 0.05, // Alert if errors > 5%
    },
  });
  return monitor;
}

function hearing(monitor: RealtimeMonitor) {
  const events: MonitorEvent[] = [];
  monitor.subscribe((event) => events.push(event));
  return {
    of: (type: MonitorEvent['type']) => events.filter((event) => event.type === type),
    alerts: () => events.flatMap((event): MonitorAlert[] => (event.type === 'alert' ? [event.alert] : [])),
  };
}

const raisedOf = (alerts: readonly MonitorAlert[]) =>
  alerts.filter(({ state }) => state === 'raised').map(({ metric, value }) => [metric, value]);

test('R-09, MON-01 to MON-04, MON-10 to MON-12: the example starts as written and sees a real turn, four times a second', async () => {
  const { call, desk, meters, stop, world } = program();
  let monitor: RealtimeMonitor | undefined;
  let heard: ReturnType<typeof hearing> | undefined;
  const { ledger } = await call(
    {
      caller: [{ atMs: 500, ms: 600, text: 'what is the weather' }],
      endMs: 61_000,
      llm: () => writes('It is sunny.'),
    },
    (sessionPid) => {
      monitor = asWritten(sessionPid);
      heard = hearing(monitor);
    },
  );
  assert.ok(monitor !== undefined && heard !== undefined);
  assert.equal(heard.of('metrics').length, 61 * 4 - 1, 'the last turn is due when the call has ended');
  assert.equal(heard.of('health').length, 13);
  assert.equal(heard.of('ended').length, 1);
  const [report, ...others] = monitor.reports;
  assert.deepEqual([report?.ticks, others.length], [240, 0]);
  assert.equal(report?.metrics['system.memory_mb']?.mean, 100);
  assert.ok(Math.abs((report?.metrics['system.cpu_percent']?.mean ?? 0) - 20) < 1e-6);

  const last = monitor.snapshot();
  assert.deepEqual(Object.keys(last?.components ?? {}), ['audio_processor', 'webrtc_handler', 'llm_client']);
  const { audio_processor: audio, webrtc_handler: line, llm_client: llm } = last?.components ?? {};
  // 50 frames a second, each decided in the moment in which it came.
  assert.ok(Math.abs((audio?.frames ?? 0) - 60.75 * 50) <= 2, `${audio?.frames}`);
  assert.deepEqual([audio?.latency_ms, audio?.frames_late], [0, 0]);
  // The fake ear measures no quality, and a line that is no room has no statistics.
  assert.equal(audio?.quality_score, null);
  assert.ok(Object.values(line ?? {}).length === 9 && Object.values(line ?? {}).every((value) => value === null));
  assert.deepEqual([llm?.requests, llm?.failures], [1, 0]);
  const wait = ledger.turns[0]?.stages.find(({ name }) => name === 'llm');
  assert.ok((llm?.first_token_ms ?? -1) >= 0 && (wait === undefined || llm?.first_token_ms !== null));
  assert.deepEqual(raisedOf(heard.alerts()), []);
  assert.equal(last?.health.grade, 'excellent');

  // The session is over: nothing of it is left.
  assert.equal(monitor.running, false);
  assert.deepEqual([desk.size, meters.size, desk.isTurning], [0, 0, false]);
  await stop();
  assert.equal(world.time.pending, 0);
});

test('MON-05: a loop that is blocked for 400 ms raises latency_ms, one of 100 ms does not', async () => {
  const { calls, meters, world, stop } = program();
  const nothing = () => {};
  const effects = new Proxy({} as Effects, { get: () => nothing });
  const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(16_000);
  const identity = { id: 'x', agent: 'x', transport: 'x', inputRateHz: 16_000, outputRateHz: 16_000 } as const;
  const session = createSession({ ...DEFAULT_SESSION_OPTIONS, ...identity }, analyzer, effects);
  const { observer, opened } = meters.observe('x', {});
  calls.set('x', { call: { session }, startedAtMs: EPOCH_MS });
  opened();
  const heard = hearing(asWritten('x'));
  const packet = new Uint8Array(640);
  let sent = 0;
  const hear = (nowMs: number) => {
    const before = session.framesIn;
    session.audio(packet, sent++ * 320, nowMs);
    observer.frames?.(session.framesIn - before, 0, session.frameLatencyMs, 0.1, 640);
  };
  const blocked = async (ms: number) => {
    // What was due meanwhile comes at once when the loop is back.
    const backMs = sent * 20 + ms;
    await world.time.runTo(sent * 20);
    while ((sent + 1) * 20 <= backMs) hear(backMs);
    for (const untilMs = backMs + 2000; sent * 20 < untilMs; ) {
      await world.time.runTo((sent + 1) * 20);
      hear((sent + 1) * 20);
    }
  };
  await blocked(0);
  await blocked(100);
  assert.deepEqual(raisedOf(heard.alerts()), []);
  await blocked(400);
  const [[metric, value] = []] = raisedOf(heard.alerts());
  assert.equal(metric, 'latency_ms');
  // What was due first waited longest: it was due 20 ms into the block.
  assert.ok(Math.abs(Number(value) - 380) < 1, `${value} ms`);
  observer.ended?.('over');
  analyzer.release();
  await stop();
});

test('MON-06: a window of 2.9 raises quality_score, windows of 3.0 and 4.5 do not', async () => {
  const { calls, meters, world, stop } = program();
  const { observer, opened } = meters.observe('x', {});
  calls.set('x', { call: { session: { framesIn: 0, framesLate: 0, queuedMs: 0 } }, startedAtMs: EPOCH_MS });
  opened();
  const heard = hearing(asWritten('x'));
  const window = (score: number) => observer.telemetry?.({ ...SILENT_WINDOW, score }, world.time.now());
  for (const score of [4.5, 3, 4.5]) {
    window(score);
    await world.time.runTo(world.time.now() + 5000);
  }
  assert.deepEqual(raisedOf(heard.alerts()), []);
  window(2.9);
  await world.time.runTo(world.time.now() + 250);
  assert.deepEqual(raisedOf(heard.alerts()), [['quality_score', 2.9]]);
  observer.ended?.('over');
  await stop();
});

const SILENT_WINDOW = {
  type: 'quality',
  atMs: 0,
  windowMs: 5000,
  speechMs: 1000,
  score: null,
  clarity: null,
  levelDb: null,
  snrDb: null,
  clipFraction: null,
  gapFraction: null,
  bandwidthHz: null,
  dc: null,
  degraded: false,
  connection: null,
} as const satisfies Parameters<NonNullable<CallObserver['telemetry']>>[0];

test('MON-07, MON-08: memory above 500 MB and CPU above 70 % of all cores raise, 500 and 70 do not', async () => {
  const { call, machine, stop } = program();
  let heard: ReturnType<typeof hearing> | undefined;
  await call(
    {
      endMs: 12_000,
      at: [
        [2000, () => Object.assign(machine, { megabytes: 500, cpu: 0.7 })],
        [7000, () => Object.assign(machine, { megabytes: 501, cpu: 0.71 })],
      ],
    },
    (sessionPid) => {
      heard = hearing(asWritten(sessionPid));
    },
  );
  const alerts = heard?.alerts() ?? [];
  assert.deepEqual(
    raisedOf(alerts).map(([metric, value]) => [metric, Math.round(Number(value))]),
    [
      ['memory_mb', 501],
      ['cpu_percent', 71],
    ],
  );
  assert.ok(alerts.every(({ atMs }) => atMs - EPOCH_MS >= 7000 && atMs - EPOCH_MS <= 9500));
  await stop();
});

test('MON-09: requests that fail raise error_rate above 5 % of the last minute', async () => {
  const { call, stop } = program();
  let heard: ReturnType<typeof hearing> | undefined;
  await call(
    {
      caller: [{ atMs: 500, ms: 600, text: 'what is the weather' }],
      endMs: 20_000,
      llm: (_, n) => (n === 0 ? [{ fail: new ModelError('unavailable', 'scripted', 'down') }] : writes('It is sunny.')),
    },
    (sessionPid) => {
      heard = hearing(asWritten(sessionPid));
    },
  );
  const [[metric, value] = []] = raisedOf(heard?.alerts() ?? []);
  assert.equal(metric, 'error_rate');
  // One of some requests to three models.
  assert.ok(Number(value) > 0.05 && Number(value) <= 0.5, `${value}`);
  await stop();
});

test('CFG-09 to CFG-12: without thresholds of its own a monitor has those of the configuration', async () => {
  const { call, machine, stop } = program({ monitoring: { alert_thresholds: { memory_mb: 50, memory_percent: 30 } } });
  machine.megabytes = 60;
  let heard: ReturnType<typeof hearing> | undefined;
  await call({ endMs: 3000 }, (sessionPid) => {
    heard = hearing(RealtimeMonitor.start({ sessionPid }));
  });
  assert.deepEqual(raisedOf(heard?.alerts() ?? []), [
    ['memory_mb', 60],
    ['memory_percent', 40],
  ]);
  await stop();
});

test('CFG-08: real_time_enabled false, and telemetry.enabled false: no meters, no routes, no timer', () => {
  for (const off of [{ monitoring: { real_time_enabled: false } }, { telemetry: { enabled: false } }, {}]) {
    const { config } = loadConfig({
      file: { path: 'syrinx.json', text: JSON.stringify({ models: { provider: 'simulated' }, ...off }) },
    });
    const runtime = composeRuntime({ config, agent: defineAgent({ instructions: 'Help.' }), log });
    let timers = 0;
    const setTimer = () => {
      timers++;
      return () => void timers--;
    };
    const clock = { now: () => 0, setTimer };
    const monitor = startMonitor({ config, runtime, log, clock });
    const isOn = Object.keys(off).length === 0;
    assert.equal(monitor !== null, isOn);
    assert.equal(runtime.meters !== null, isOn);
    const call = runtime.open({ id: 's', transport: 'test', inputRateHz: 16_000, outputRateHz: 16_000 });
    if (isOn) assert.throws(() => RealtimeMonitor.start({ sessionPid: 'x' }), /No session 'x' is running/);
    else assert.equal(RealtimeMonitor.start({ sessionPid: 's' }).running, false);
    assert.equal(timers, isOn ? 1 : 0);
    call.close('over');
    assert.equal(timers, 0);
    monitor?.stop();
  }
});
