// The alert engine on virtual time: the specification's rules, both directions, odd clocks, data that is missing, floods.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertEngine } from '../../../src/ops/alerts/engine.ts';
import { createAlertInstruments, type Point } from '../../../src/ops/alerts/index.ts';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';

const LATENCY = 'audio.processing.latency_ms';
const HIGH_LATENCY = {
  metric: LATENCY,
  condition: 'greater_than',
  threshold: 150,
  duration_seconds: 300,
  severity: 'warning',
  notification_channels: ['email', 'webhook'],
};
const CRITICAL_ERRORS = {
  metric: 'session.error_rate',
  condition: 'greater_than',
  threshold: 0.1,
  duration_seconds: 60,
  severity: 'critical',
  notification_channels: ['pagerduty', 'slack'],
};

const at = (metric: string, value: number, labels = {}): Point => ({ metric, labels, value });
const open = (options = {}) =>
  new AlertEngine({ channels: () => ['email', 'webhook', 'pagerduty', 'slack'], ...options });

/** One letter for each evaluation of the only alert there is: i, p, f, k. */
function run(engine: AlertEngine, values: readonly (number | null)[], stepMs: number, startMs = 0, metric = LATENCY) {
  return values
    .map((value, i) => {
      const nowMs = startMs + i * stepMs;
      engine.observe(value === null ? [] : [at(metric, value)], nowMs);
      engine.evaluate(nowMs);
      const [alert] = engine.alerts();
      return alert === undefined ? 'i' : alert.state === 'pending' ? 'p' : alert.kept ? 'k' : 'f';
    })
    .join('');
}

test('ALR-01, ALR-02, ALR-03: both calls of the specification as they are written', () => {
  const engine = open();
  assert.deepEqual(engine.setAlertRule('high_latency', HIGH_LATENCY), []);
  assert.deepEqual(engine.setAlertRule('critical_errors', CRITICAL_ERRORS), []);
  const told: string[] = [];
  for (let s = 0; s <= 420; s += 10) {
    const bad = s < 400;
    engine.observe([at(LATENCY, bad ? 151 : 20), at('session.error_rate', bad ? 0.11 : 0)], s * 1000);
    for (const { channel, status, alerts } of engine.evaluate(s * 1000).notifications) {
      told.push(`${s} ${channel} ${status} ${alerts[0]?.labels['severity']}`);
    }
  }
  assert.deepEqual(told, [
    '60 pagerduty firing critical',
    '60 slack firing critical',
    '300 email firing warning',
    '300 webhook firing warning',
    '400 pagerduty resolved critical',
    '400 slack resolved critical',
    '400 email resolved warning',
    '400 webhook resolved warning',
  ]);
});

test('C-04: exactly 150 ms is not above 150 ms, and five minutes are five minutes', () => {
  const engine = open();
  engine.setAlertRule('high_latency', HIGH_LATENCY);
  assert.equal(run(engine, [150, 150, 150, 150, 150, 150, 150], 60_000), 'iiiiiii');
  assert.equal(run(engine, [151, 151, 151, 151, 151, 151, 100], 60_000, 600_000), 'pppppfi');
  assert.equal(run(engine, [151, 151, 151, 151, 140, 151, 151], 60_000, 1_200_000), 'ppppipp');
});

test('R-07, MON-06: a low score fires, a high one never does', () => {
  const engine = open();
  engine.setAlertRule('low_quality', {
    metric: 'audio.quality_score',
    condition: 'less_than',
    threshold: 3,
    duration_seconds: 0,
  });
  assert.equal(run(engine, [5, 4.2, 3, 2.9, 1, 3.1, 5], 1000, 0, 'audio.quality_score'), 'iiiffii');
});

test('R-23: the clock may start anywhere, also below zero', () => {
  for (const startMs of [-1e9, -150_000, 0, 1, 1_764_000_000_000]) {
    const engine = open();
    engine.setAlertRule('high_latency', { ...HIGH_LATENCY, duration_seconds: 120, keep_firing_for_seconds: 60 });
    assert.equal(run(engine, [151, 151, 151, 151, 1, 1, 1], 60_000, startMs), 'ppffkii', String(startMs));
  }
});

test('a clock that goes back neither fires, nor resolves, nor pages again', () => {
  const engine = open();
  engine.setAlertRule('high_latency', { ...HIGH_LATENCY, duration_seconds: 60 });
  const pages: string[] = [];
  const clock = [0, 30, 60, 90, -100_000, -99_990, -99_980, 120, 150, 1_000_000, 1_000_010];
  for (const s of clock) {
    engine.observe([at(LATENCY, 200)], s * 1000);
    pages.push(...engine.evaluate(s * 1000).notifications.map(({ reason, channel }) => `${s} ${channel} ${reason}`));
  }
  const repeat = pages.filter((page) => page.endsWith('repeat interval elapsed'));
  // More than the four hours between reminders go by twice, at both jumps forward.
  assert.equal(repeat.length, 4, pages.join('\n'));
  assert.deepEqual(
    pages.filter((page) => !repeat.includes(page)),
    ['60 email first notification', '60 webhook first notification'],
  );
});

test('a pause of ten minutes without an evaluation changes nothing by itself', () => {
  const engine = open();
  engine.setAlertRule('high_latency', HIGH_LATENCY);
  assert.equal(run(engine, [151, 151], 10_000), 'pp');
  assert.equal(run(engine, [20], 10_000, 620_000), 'i');
  assert.equal(run(engine, [151, 151, 151, 151, 151, 151], 60_000, 700_000), 'pppppf');
  assert.equal(run(engine, [151], 10_000, 1_700_000), 'f');
});

test('with a clear threshold it takes more to end an alert than to hold it off', () => {
  const engine = open();
  engine.setAlertRule('high_latency', { ...HIGH_LATENCY, duration_seconds: 0, clear_threshold: 120 });
  assert.equal(run(engine, [130, 151, 149, 130, 121, 120, 130, 149, 151], 1000), 'iffffiiif');
});

test('no data: false, kept, or an alert, as the rule says', () => {
  const values = [151, 151, null, null, 20];
  const states = (no_data: string) => {
    const engine = open();
    engine.setAlertRule('high_latency', { ...HIGH_LATENCY, duration_seconds: 0, no_data });
    return run(engine, values, 60_000);
  };
  assert.equal(states('ok'), 'ffiii');
  assert.equal(states('keep'), 'ffffi');
  assert.equal(states('alert'), 'ffffi');
  const engine = open();
  engine.setAlertRule('high_latency', { ...HIGH_LATENCY, duration_seconds: 60, no_data: 'alert' });
  assert.equal(run(engine, [null, null, 20, null, null], 60_000), 'pfipf');
  const kept = open();
  kept.setAlertRule('high_latency', { ...HIGH_LATENCY, duration_seconds: 0, no_data: 'keep' });
  assert.equal(run(kept, [151, ...Array.from({ length: 8 }, () => null)], 600_000), 'fffffffii');
});

test('two series that become one alert are an error, and nothing changes by it', () => {
  const engine = open();
  engine.setAlertRule('api', {
    metric: 'api.error_rate',
    condition: 'greater_than',
    threshold: 0.1,
    labels: { provider: 'any' },
  });
  const both = [at('api.error_rate', 0.5, { provider: 'a' }), at('api.error_rate', 0.5, { provider: 'b' })];
  engine.observe(both, 0);
  const first = engine.evaluate(0);
  assert.equal(first.problems.length, 1);
  assert.match(first.problems[0]?.message ?? '', /do not tell them apart/);
  assert.deepEqual(engine.alerts(), []);
  engine.observe(both, 1000);
  assert.deepEqual(engine.evaluate(1000).problems, [], 'said once');
});

test('a flood of labels is bounded, counted, and leaves the alerts that were there', () => {
  const registry = createRegistry();
  const engine = open({ instruments: createAlertInstruments(registry) });
  engine.setAlertRule('api', {
    metric: 'api.error_rate',
    condition: 'greater_than',
    threshold: 0.1,
    max_instances: 10,
    notification_channels: ['webhook'],
  });
  const flood = (n: number) => Array.from({ length: n }, (_, i) => at('api.error_rate', 1, { provider: `p${i}` }));
  engine.observe(flood(5), 0);
  assert.equal(engine.evaluate(0).notifications.length, 1);
  engine.observe(flood(5000), 60_000);
  const { notifications, problems } = engine.evaluate(60_000);
  assert.equal(engine.alerts().length, 10);
  assert.equal(notifications.length, 1);
  assert.equal(problems.length, 1);
  const value = (name: string) =>
    takeSnapshot(registry)
      .filter((one) => one.name === name)
      .reduce((sum, one) => sum + (one.kind === 'histogram' ? 0 : one.value), 0);
  assert.equal(value('syrinx.alerts.samples.dropped'), 3000);
  assert.equal(value('syrinx.alerts.failures'), 1990);
  assert.equal(value('syrinx.alerts.series'), 2000);
});

test('a template that fails at run time is counted and said, and the alert goes out', () => {
  const registry = createRegistry();
  const engine = open({ instruments: createAlertInstruments(registry) });
  engine.setAlertRule('api', {
    ...CRITICAL_ERRORS,
    duration_seconds: 0,
    annotations: { summary: '{{ $labels.provider }} fails', value: '{{ $value | humanizePercentage }}' },
  });
  engine.observe([at('session.error_rate', 0.25)], 0);
  const { notifications, problems } = engine.evaluate(0);
  assert.deepEqual(notifications[0]?.alerts[0]?.annotations, {
    summary: '<error expanding template: no label "provider">',
    value: '25%',
  });
  assert.deepEqual(
    problems.map(({ kind, message }) => `${kind}: ${message}`),
    ['template: annotation summary: no label "provider"'],
  );
});

test('windows, folds and absence of rules as users write them', () => {
  const engine = open();
  engine.setAlertRule('windowed', {
    metric: LATENCY,
    condition: 'greater_than',
    threshold: 100,
    aggregation: 'avg',
    window_seconds: 30,
  });
  assert.equal(run(engine, [50, 150, 160, 40, 40, 40], 10_000), 'iiffii');
  const gone = open();
  gone.setAlertRule('gone', { metric: 'api.error_rate', condition: 'absent', where: { provider: 'openai' } });
  gone.observe([at('api.error_rate', 0, { provider: 'other' })], 0);
  gone.evaluate(0);
  assert.deepEqual(
    gone.alerts().map(({ labels }) => labels),
    [{ alertname: 'gone', provider: 'openai' }],
  );
  gone.observe([at('api.error_rate', 0, { provider: 'openai' })], 1000);
  gone.evaluate(1000);
  assert.deepEqual(gone.alerts(), []);
});

test('a rule that is taken away or switched off takes its alerts back', () => {
  const engine = open();
  const rule = { ...CRITICAL_ERRORS, duration_seconds: 0, notification_channels: ['slack'] };
  engine.setAlertRule('a', rule);
  engine.setAlertRule('b', rule);
  engine.observe([at('session.error_rate', 0.5)], 0);
  assert.equal(engine.evaluate(0).notifications.length, 2);
  assert.equal(engine.removeAlertRule('a'), true);
  engine.setAlertRule('b', { ...rule, enabled: false });
  const { notifications, transitions } = engine.evaluate(60_000);
  assert.deepEqual(
    notifications.map(({ groupLabels, status }) => `${groupLabels['alertname']} ${status}`),
    ['a resolved', 'b resolved'],
  );
  assert.deepEqual(
    transitions.map(({ to }) => to),
    ['resolved', 'resolved'],
  );
});
