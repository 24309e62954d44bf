// The monitor on virtual time: its four rhythms, thresholds in their direction, scores, and nothing left when a session ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MonitorSource, RealtimeMonitor, type SessionReading } from '../../../src/ops/monitor/realtime-monitor.ts';
import { healthOf, trendOf } from '../../../src/ops/monitor/score.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';

const EXAMPLE = {
  components: ['audio_processor', 'webrtc_handler', 'llm_client'],
  alertThresholds: { latency_ms: 150, quality_score: 3.0, memory_mb: 500, cpu_percent: 70, error_rate: 0.05 },
};

function rig() {
  const time = new VirtualTime(-5000);
  const asked = { session: 0, system: 0 };
  const state: { reading: SessionReading | undefined } = {
    reading: { id: 's', components: { audio_processor: { latency_ms: 20, quality_score: 4.5 } } },
  };
  const source: MonitorSource = {
    now: () => time.now(),
    setTimer: (run, ms) => time.setTimer(run, ms),
    session: (id) => (asked.session++, id === 's' ? state.reading : undefined),
    system: () => (asked.system++, { memoryMb: 100 }),
  };
  return { time, asked, state, source, start: () => RealtimeMonitor.start({ sessionPid: 's', ...EXAMPLE }, source) };
}

test("the specification's example starts: 4 Hz, system each second, a report each minute", async () => {
  const { time, asked, start } = rig();
  const monitor = start();
  let told = 0;
  monitor.subscribe(() => told++);
  await time.runTo(-5000 + 60_000);
  assert.equal(told, 240);
  assert.equal(asked.system, 61);
  assert.equal(monitor.reports.length, 1);
  assert.deepEqual(monitor.snapshot()?.components, { audio_processor: { latency_ms: 20, quality_score: 4.5 } });
  assert.equal(monitor.report(1).trends['audio_processor.latency_ms'], 'stable');
  assert.equal(monitor.snapshot()?.health.grade, 'excellent');
  monitor.stop();
  assert.equal(time.pending, 0);
});

test('quality alerts below, the others above; what is not measured never', async () => {
  const { time, state, start } = rig();
  const monitor = start();
  assert.deepEqual(monitor.snapshot()?.alerts, []);
  state.reading = { id: 's', components: { audio_processor: { latency_ms: 151, quality_score: 2.9 } } };
  await time.runTo(-4750);
  assert.deepEqual(
    monitor.snapshot()?.alerts.map(({ metric }) => metric),
    ['latency_ms', 'quality_score'],
  );
  monitor.stop();
});

test('a thousand sessions that end leave no timer', async () => {
  const { time, state, start } = rig();
  const monitors = Array.from({ length: 1000 }, start);
  state.reading = undefined;
  await time.runTo(0);
  assert.equal(time.pending, 0);
  assert.ok(monitors.every(({ running }) => !running));
});

test('off: no timer; unknown names are refused', () => {
  assert.equal(RealtimeMonitor.start({ sessionPid: 's', ...EXAMPLE }).running, false);
  const { source } = rig();
  const refuse = (more: object, message: RegExp) =>
    assert.throws(() => RealtimeMonitor.start({ sessionPid: 's', ...EXAMPLE, ...more }, source), message);
  refuse({ components: ['audio'] }, /Unknown component 'audio'/);
  refuse({ alertThresholds: { latency: 1 } }, /Unknown threshold 'latency'/);
  refuse({ sessionPid: 'x' }, /No session 'x'/);
});

test('parts are clamped, absent ones left out', () => {
  assert.deepEqual(healthOf({ latencyMs: 10 }), { score: 100, grade: 'excellent', parts: { latency: 100 } });
  assert.deepEqual(healthOf({ latencyMs: 500, memoryMb: 750 }).parts, { latency: 0, memory: 50 });
  assert.equal(healthOf({}).score, null);
  assert.deepEqual([trendOf([1, 1, 2, 2]), trendOf([2, 2, 1, 1]), trendOf([1])], ['increasing', 'decreasing', null]);
});
