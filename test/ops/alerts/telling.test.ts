// Who is told what and when: groups, waits, reminders, silences, inhibition, acknowledgements, tests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertEngine } from '../../../src/ops/alerts/engine.ts';
import type { Matcher, Notification, Point } from '../../../src/ops/alerts/index.ts';

const RATE = 'api.error_rate';
const RULE = {
  metric: RATE,
  condition: 'greater_than',
  threshold: 0.1,
  severity: 'warning',
  notification_channels: ['webhook'],
};
const rates = (values: Readonly<Record<string, number>>): Point[] =>
  Object.entries(values).map(([provider, value]) => ({ metric: RATE, labels: { provider }, value }));

function open(rule: object = {}, channels = ['webhook', 'slack']) {
  const engine = new AlertEngine({ channels: () => channels });
  engine.setAlertRule('api', { ...RULE, ...rule });
  return engine;
}
function step(engine: AlertEngine, seconds: number, values: Readonly<Record<string, number>>): string[] {
  engine.observe(rates(values), seconds * 1000);
  return engine.evaluate(seconds * 1000).notifications.map(text);
}
const text = ({ reason, alerts }: Notification): string =>
  `${reason}: ${alerts.map(({ labels, status }) => `${labels['provider']} ${status}`).join(', ')}`;
const named = (value: string): Matcher[] => [{ name: 'provider', op: '=', value }];

test('alerts of a group share notifications, each change is told once', () => {
  const engine = open({ group_interval_seconds: 30 });
  assert.deepEqual(step(engine, 0, { a: 1, b: 0 }), ['first notification: a firing']);
  assert.deepEqual(step(engine, 10, { a: 1, b: 1 }), [], 'not within the interval');
  assert.deepEqual(step(engine, 30, { a: 1, b: 1 }), ['new alerts in group: a firing, b firing']);
  assert.deepEqual(step(engine, 70, { a: 0, b: 1 }), ['some alerts resolved: b firing, a resolved']);
  assert.deepEqual(step(engine, 110, { a: 0, b: 0 }), ['all alerts resolved: b resolved']);
  for (let s = 120; s < 400; s += 10) assert.deepEqual(step(engine, s, { a: 0, b: 0 }), []);
});

test('a group waits for company if it is told to, and says nothing of what is over by then', () => {
  const engine = open({ group_wait_seconds: 30 });
  assert.deepEqual(step(engine, 0, { a: 1, b: 1 }), []);
  assert.deepEqual(step(engine, 20, { a: 0, b: 1, c: 1 }), []);
  assert.deepEqual(step(engine, 30, { a: 0, b: 1, c: 1 }), ['first notification: b firing, c firing']);
});

test('what flaps within the interval is not told again', () => {
  const engine = open({ group_interval_seconds: 60 });
  const told = Array.from({ length: 60 }, (_, i) => step(engine, i, { a: i % 2 === 0 ? 1 : 0 })).flat();
  assert.deepEqual(told, ['first notification: a firing']);
  assert.deepEqual(step(engine, 61, { a: 0 }), ['all alerts resolved: a resolved']);
});

test('reminders come after the repeat interval, until somebody acknowledges', () => {
  const engine = open({ repeat_interval_seconds: 3600 });
  const hours = (from: number, to: number) =>
    Array.from({ length: (to - from) * 6 }, (_, i) => step(engine, from * 3600 + i * 600, { a: 1 })).flat();
  assert.deepEqual(hours(0, 3), [
    'first notification: a firing',
    'repeat interval elapsed: a firing',
    'repeat interval elapsed: a firing',
  ]);
  const [alert] = engine.alerts();
  assert.equal(engine.acknowledge(alert?.fingerprint ?? '', 'jo', 3 * 3600_000 - 1), true);
  assert.equal(engine.acknowledge('0000', 'jo', 0), false);
  assert.deepEqual(hours(3, 6), []);
  assert.equal(engine.alerts()[0]?.acknowledgedBy, 'jo');
  assert.deepEqual(step(engine, 6 * 3600, { a: 0 }), ['all alerts resolved: a resolved']);
  assert.deepEqual(step(engine, 6 * 3600 + 60, { a: 1 }), ['first notification: a firing']);
  assert.equal(engine.alerts()[0]?.acknowledgedBy, null, 'it held for that time only');
});

test('a silence holds its tongue for its time; the end of what was told comes all the same', () => {
  const engine = open();
  assert.deepEqual(step(engine, 0, { a: 1 }), ['first notification: a firing']);
  const during = { startsAtMs: 0, endsAtMs: 200_000, createdBy: 'jo', comment: 'maintenance' };
  engine.silence({ ...during, matchers: named('a') }, 1000);
  const id = engine.silence({ ...during, matchers: named('b') }, 1000);
  assert.deepEqual(step(engine, 60, { a: 1, b: 1 }), []);
  assert.match(engine.alerts().find(({ labels }) => labels['provider'] === 'b')?.muted ?? '', /^silence /);
  assert.deepEqual(step(engine, 120, { a: 0, b: 1 }), ['all alerts resolved: a resolved']);
  assert.equal(engine.endSilence(id, 121_000), true);
  assert.deepEqual(step(engine, 180, { a: 0, b: 1 }), ['first notification: b firing']);
  assert.deepEqual(step(engine, 240, { a: 1, b: 1 }), ['new alerts in group: b firing, a firing']);
  assert.deepEqual(engine.silences(), [], 'forgotten when it is over');
  assert.throws(() => engine.silence({ ...during, endsAtMs: 0, matchers: named('a') }, 0), RangeError);
  assert.throws(() => engine.silence({ ...during, matchers: [] }, 0), RangeError);
  const unreadable: Matcher = { name: 'a', op: '=~', value: '(' };
  assert.throws(() => engine.silence({ ...during, matchers: [unreadable] }, 0), SyntaxError);
});

test('a critical alert mutes the warning about the same topic, and no other', () => {
  const engine = new AlertEngine({ channels: () => ['webhook'] });
  const rule = (threshold: number, severity: string, topic: string) => ({
    ...RULE,
    threshold,
    severity,
    labels: { topic },
  });
  engine.setAlertRule('warning', rule(0.05, 'warning', 'api'));
  engine.setAlertRule('critical', rule(0.1, 'critical', 'api'));
  engine.setAlertRule('other', rule(0.05, 'warning', 'else'));
  engine.setAlertRule('untold', { ...RULE, threshold: 0.05, labels: {} });
  const names = (seconds: number, value: number) => {
    engine.observe(rates({ a: value }), seconds * 1000);
    return engine
      .evaluate(seconds * 1000)
      .notifications.map(({ groupLabels, status }) => `${groupLabels['alertname']} ${status}`)
      .sort();
  };
  assert.deepEqual(names(0, 0.5), ['critical firing', 'other firing', 'untold firing']);
  assert.deepEqual(names(60, 0.07), ['critical resolved', 'warning firing']);
  assert.deepEqual(names(120, 0), ['other resolved', 'untold resolved', 'warning resolved']);
});

test('a test goes through every channel of the rule, is marked, and changes nothing', () => {
  const engine = open({ notification_channels: ['webhook', 'slack'] });
  const tests = engine.test('api', 5000);
  assert.deepEqual(
    tests.map(({ channel, reason, alerts }) => `${channel} ${reason} ${alerts[0]?.labels['alertname']}`),
    ['webhook test api (test)', 'slack test api (test)'],
  );
  assert.equal(engine.unsettled().length, 2);
  for (const { id } of tests) engine.settled(id, 5000);
  assert.deepEqual(engine.unsettled(), []);
  assert.deepEqual(engine.alerts(), []);
  assert.deepEqual(engine.test('unknown', 0), []);
});

test('what stands is known by channel', () => {
  const engine = open({ notification_channels: ['webhook', 'slack'] });
  step(engine, 0, { a: 1, b: 1 });
  assert.deepEqual(
    engine.standing('slack').map(({ labels }) => labels['provider']),
    ['a', 'b'],
  );
  assert.deepEqual(engine.standing('email'), []);
});
