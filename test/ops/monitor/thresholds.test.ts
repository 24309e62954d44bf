// Limits: their direction, what raises and what clears them, and what is refused where they are set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MonitorAlert } from '../../../src/ops/monitor/thresholds.ts';
import { EPOCH_MS, EXAMPLE, Rig } from './rig.ts';

function alerting(thresholds: Readonly<Record<string, number>> = EXAMPLE.alertThresholds) {
  const rig = new Rig();
  rig.open();
  const monitor = rig.desk.start({ sessionPid: 's', alertThresholds: thresholds });
  const alerts: MonitorAlert[] = [];
  monitor.subscribe((event) => {
    if (event.type === 'alert') alerts.push(event.alert);
  });
  const told = () => alerts.map(({ metric, state, value }) => [metric, state, value]);
  return { rig, monitor, alerts, told };
}

test('MON-05, MON-07 to MON-09: above fires, at the limit does not', async () => {
  const { rig, told, monitor } = alerting();
  const set = (over: number) => {
    rig.set('audio_processor', 'latency_ms', 150 + over);
    rig.setSystem('memory_mb', 500 + over);
    rig.setSystem('cpu_percent', 70 + over);
    rig.set('session', 'requests', 100);
    rig.set('session', 'errors', 5 + over);
  };
  set(0);
  await rig.run(1000);
  assert.deepEqual(told(), []);
  set(1);
  // The system is looked at once a second.
  await rig.run(1000);
  assert.deepEqual(told(), [
    ['latency_ms', 'raised', 151],
    ['memory_mb', 'raised', 501],
    ['cpu_percent', 'raised', 71],
    ['error_rate', 'raised', 0.06],
  ]);
  assert.equal(monitor.alerts.length, 4);
});

test('MON-06: quality fires below, and a high score does not', async () => {
  const { rig, told } = alerting();
  for (const score of [5, 4, 3]) {
    rig.set('audio_processor', 'quality_score', score);
    await rig.run(1000);
  }
  assert.deepEqual(told(), []);
  rig.set('audio_processor', 'quality_score', 2.9);
  await rig.run(250);
  assert.deepEqual(told(), [['quality_score', 'raised', 2.9]]);
});

test('what is not measured raises nothing', async () => {
  const { rig, told } = alerting();
  await rig.run(60_000);
  assert.deepEqual(told(), []);
});

test('hysteresis: a value around the limit raises once; it clears when it is well inside for a second', async () => {
  const { rig, told, alerts } = alerting({ latency_ms: 100 });
  for (let i = 0; i < 160; i++) {
    rig.set('audio_processor', 'latency_ms', i % 2 === 0 ? 101 : 99);
    await rig.run(250);
  }
  assert.deepEqual(told(), [['latency_ms', 'raised', 101]]);
  rig.set('audio_processor', 'latency_ms', 96);
  await rig.run(10_000);
  assert.equal(alerts.length, 1, 'not a twentieth inside');
  rig.set('audio_processor', 'latency_ms', 95);
  await rig.run(750);
  assert.equal(alerts.length, 1);
  await rig.run(250);
  assert.deepEqual(told()[1], ['latency_ms', 'cleared', 95]);
  assert.equal(alerts[1]?.raisedAtMs, EPOCH_MS + 250);
  assert.equal(rig.desk.of('s')?.alerts.length, 0);
});

test('one alert in 30 s, however the value jumps', async () => {
  const { rig, alerts } = alerting({ latency_ms: 100 });
  for (let second = 0; second < 90; second++) {
    rig.set('audio_processor', 'latency_ms', second % 3 === 0 ? 500 : 10);
    await rig.run(1000);
  }
  const raised = alerts.filter(({ state }) => state === 'raised').map(({ atMs }) => atMs);
  assert.ok(raised.length >= 2);
  for (let i = 1; i < raised.length; i++) assert.ok((raised[i] as number) - (raised[i - 1] as number) >= 30_000);
});

test('an alert whose value is measured no more ends after 30 s', async () => {
  const { rig, told } = alerting({ quality_score: 3 });
  rig.set('audio_processor', 'quality_score', 2);
  await rig.run(40_000);
  rig.set('audio_processor', 'quality_score', Number.NaN);
  await rig.run(29_000);
  assert.equal(told().length, 1);
  await rig.run(2000);
  assert.deepEqual(told()[1], ['quality_score', 'cleared', null]);
});

test('a limit at the end of its range can clear', async () => {
  const { rig, told } = alerting({ error_rate: 0, quality_score: 4.9 });
  rig.set('session', 'requests', 10);
  rig.set('session', 'errors', 1);
  rig.set('audio_processor', 'quality_score', 4);
  await rig.run(61_000);
  rig.set('audio_processor', 'quality_score', 5);
  rig.set('session', 'requests', 20);
  await rig.run(2000);
  assert.deepEqual(
    told().map(([metric, state]) => `${metric} ${state}`),
    ['error_rate raised', 'quality_score raised', 'error_rate cleared', 'quality_score cleared'],
  );
});

test('a limit can be set, moved and given a level', async () => {
  const { rig, monitor, alerts } = alerting({});
  monitor.setAlertThreshold('latencyMs', 10, 'critical');
  rig.set('audio_processor', 'latency_ms', 11);
  await rig.run(250);
  assert.deepEqual(
    alerts.map(({ level, threshold }) => [level, threshold]),
    [['critical', 10]],
  );
  assert.throws(() => monitor.setAlertThreshold('latency_ms', 10, 'loud' as never), /levels are info, warning/);
  assert.throws(() => monitor.setAlertThreshold('latnecy_ms', 10), /did you mean 'latency_ms'/);
});

test('without thresholds those of the configuration hold', async () => {
  const rig = new Rig({ latency_ms: 80 });
  rig.open();
  const monitor = rig.desk.start({ sessionPid: 's' });
  rig.set('audio_processor', 'latency_ms', 90);
  await rig.run(250);
  assert.equal(monitor.alerts[0]?.threshold, 80);
});

test('keys in camelCase and snake_case mean the same, and sessions may be given themselves', () => {
  const rig = new Rig();
  rig.open();
  const { components } = EXAMPLE;
  for (const given of [
    { sessionPid: 's', components, alertThresholds: { latencyMs: 1 } },
    { session_pid: 's', components, alert_thresholds: { latency_ms: 1 } },
    { sessionPid: { id: 's' }, components: [':audio_processor', 'llmClient'] },
  ]) {
    const monitor = rig.desk.start(given);
    assert.equal(monitor.sessionId, 's');
    monitor.stop();
  }
});

test('what does not exist is refused with the nearest name, and the unit where a value cannot be', () => {
  const rig = new Rig();
  rig.open();
  const refuse = (more: object, message: RegExp) =>
    assert.throws(() => rig.desk.start({ sessionPid: 's', ...EXAMPLE, ...more }), message);
  refuse({ components: ['audio_procesor'] }, /Unknown component 'audio_procesor', did you mean 'audio_processor'\?/);
  refuse({ components: [] }, /components must be a list of names/);
  refuse({ alertThresholds: { latency: 1 } }, /Unknown threshold 'latency', did you mean 'latency_ms'\?/);
  refuse({ alertThresholds: { error_rate: 5 } }, /'error_rate' must be a fraction from 0 to 1 \(0\.05 is 5 %\), not 5/);
  refuse({ alertThresholds: { latency_ms: '150' } }, /'latency_ms' must be milliseconds, not 150/);
  refuse({ alertThresholds: { cpu_percent: Number.NaN } }, /percent of all cores, 0 to 100, not NaN/);
  refuse({ alertThresholds: [150] }, /must be an object of numbers/);
  refuse({ alert_treshold: {} }, /Unknown option 'alert_treshold', did you mean 'alert_thresholds'\?/);
  refuse({ sessionPid: 'x' }, /No session 'x' is running/);
  refuse({ sessionPid: undefined }, /sessionPid must be a session, or the id of one/);
  refuse({ sessionPid: {} }, /sessionPid must be a session/);
  refuse({ historyMinutes: 0 }, /historyMinutes must be a number from 1 to 60, not 0/);
  assert.equal(rig.time.pending, 1);
  assert.equal(rig.desk.of('s')?.alerts.length, 0);
});
