// Rules as people write them: what is refused, with its place and the name that was meant; templates; the shipped rules and their file.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nearest } from '../../../src/config/nearest.ts';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';
import {
  AlertEngine,
  AlertRuleError,
  catalogueOf,
  readAlertRule,
  RegistryFeed,
  registryCatalogue,
  renderPrometheusRules,
  SHIPPED_RULES,
} from '../../../src/ops/alerts/index.ts';
import { fingerprint } from '../../../src/ops/alerts/labels.ts';
import { parseTemplate, renderTemplate } from '../../../src/ops/alerts/template.ts';

const CHANNELS = ['email', 'webhook', 'pagerduty', 'slack'];
const GOOD = { metric: 'session.error_rate', condition: 'greater_than', threshold: 0.1 };

function problems(given: unknown, name = 'r'): string {
  const engine = new AlertEngine({ channels: () => ['oncall', ...CHANNELS], nearest });
  try {
    engine.setAlertRule(name, given);
    return '';
  } catch (error) {
    assert.ok(error instanceof AlertRuleError);
    assert.deepEqual(engine.rules(), [], 'a refused rule changes nothing');
    return error.message;
  }
}

test('what is wrong is refused with its place and the nearest name', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ metric: 'sesion.error_rate' }, /alerts\.r\.metric names an unknown metric.*Did you mean "session\.error_rate"/],
    [{ metric: 'nothing.like.it' }, /unknown metric, "nothing\.like\.it"\. Known: /],
    [{ notification_channels: ['on-cal'] }, /notification_channels names an unknown channel.*Did you mean "oncall"/],
    [{ condition: 'greater' }, /unknown condition/],
    [{ condition: 'grater_than' }, /Did you mean "greater_than"/],
    [{ duration_second: 5 }, /alerts\.r\.duration_second is not known\. Did you mean "duration_seconds"/],
    [{ severity: 'critcal' }, /Did you mean "critical"/],
    [{ where: { provider: 'x' } }, /unknown label of session\.error_rate/],
    [{ threshold: 10 }, /10 can never be met: session\.error_rate is at least 0 and at most 1\..*10 % is 0\.1/],
    [{ condition: 'less_than', threshold: 0 }, /0 can never be met/],
    [{ condition: '>=', threshold: 0 }, /0 is always met/],
    [{ condition: '==', threshold: 2 }, /2 can never be met/],
    [{ condition: '!=', threshold: 2 }, /2 is always met/],
    [{ threshold: Number.NaN }, /threshold must be a number, not NaN/],
    [{ threshold: '0.1' }, /threshold must be a number, not "0\.1"/],
    [{ threshold: undefined }, /alerts\.r\.threshold is missing/],
    [{ condition: 'absent' }, /threshold has no meaning with "absent"/],
    [{ clear_threshold: 0.2 }, /clear_threshold 0\.2 is above the threshold 0\.1/],
    [{ condition: '==', clear_threshold: 0.2 }, /clear_threshold has no meaning/],
    [{ duration_seconds: -1 }, /duration_seconds must be between 0 and/],
    [{ aggregation: 'avg' }, /"avg" needs window_seconds/],
    [{ across: { fn: 'summ', by: [] } }, /Did you mean "sum"/],
    [{ labels: { team: '{{ $value }}' } }, /must not use \$value/],
    [{ labels: { 'a-b': 'x' } }, /"a-b" is no name/],
    [{ annotations: { summary: '{{ $value | humanise }}' } }, /unknown function "humanise"/],
    [{ annotations: { summary: 'x {{ $value' } }, /"\{\{" at character 3 is not closed/],
    [{ enabled: 'yes' }, /enabled must be true or false/],
    [{ max_instances: 0 }, /max_instances must be a whole number/],
    [{ durationSeconds: 5, duration_seconds: 5 }, /is given twice/],
  ];
  for (const [change, expected] of cases) assert.match(problems({ ...GOOD, ...change }), expected);
  for (const odd of [null, 5, 'x', [], undefined]) assert.match(problems(odd), /alerts\.r must be an object/);
  assert.match(problems(GOOD, 'a\nb'), /is no name for a rule/);
  assert.match(problems({}), /metric is missing\n.*condition is missing\n.*threshold is missing/);
});

test('the place may be a line of a file', () => {
  const { problems: found } = readAlertRule(
    'r',
    { ...GOOD, metric: 'x' },
    { metrics: catalogueOf([]), channels: [], place: (path) => `agent.json:12 ${path.at(-1)}` },
  );
  assert.match(found[0] ?? '', /^agent\.json:12 metric names an unknown metric/);
});

test('camelCase, atoms and operators are the same rule; a channel that is not configured is a warning', () => {
  const engine = new AlertEngine({ channels: () => ['webhook'] });
  assert.deepEqual(engine.setAlertRule('a', { ...GOOD, duration_seconds: 60, notification_channels: ['webhook'] }), []);
  engine.setAlertRule('a2', { ...GOOD, condition: ':greater_than', durationSeconds: 60, channels: [':webhook'] });
  engine.setAlertRule('a3', { ...GOOD, condition: '>', for_seconds: 60, channels: ['webhook'] });
  const [a, ...others] = engine.rules();
  for (const rule of others) assert.deepEqual({ ...rule, name: 'a' }, a);
  assert.match(engine.setAlertRule('b', { ...GOOD, channels: ['slack'] }).join(), /"slack" is not configured/);
  assert.match(engine.setAlertRule('c', GOOD).join(), /nobody is told/);
});

test('instruments of the registry are known by their own names', () => {
  const registry = createRegistry();
  registry
    .counter({ name: 'my.requests', help: 'x', labels: ['route'] })
    .labels({ route: 'a' })
    .add(5);
  const engine = new AlertEngine({ metrics: () => registryCatalogue(registry), channels: () => ['webhook'] });
  engine.setAlertRule('r', { metric: 'my.requests', condition: '>', threshold: 4, where: { route: 'a' } });
  engine.observe(new RegistryFeed().points(takeSnapshot(registry), 0), 0);
  engine.evaluate(0);
  assert.equal(engine.alerts().length, 1);
  assert.throws(
    () => engine.setAlertRule('s', { metric: 'my.requests', condition: '<', threshold: 0 }),
    AlertRuleError,
  );
});

test("the specification's rates and means come from the registry, over their windows", () => {
  const registry = createRegistry();
  const latency = registry.histogram({ name: 'syrinx.audio.processing', unit: 's', help: 'x' }).labels();
  const ended = registry.counter({ name: 'syrinx.sessions.ended', help: 'x', labels: ['outcome'] });
  const feed = new RegistryFeed();
  const read = (seconds: number) =>
    Object.fromEntries(
      feed
        .points(takeSnapshot(registry), seconds * 1000)
        .filter(({ metric }) => !metric.startsWith('syrinx.'))
        .map(({ metric, value }) => [metric, Math.round(value * 1000) / 1000]),
    );
  assert.deepEqual(read(0), {});
  for (let i = 0; i < 3; i++) ended.labels({ outcome: 'completed' }).add(1);
  ended.labels({ outcome: 'failed' }).add(1);
  latency.record(0.2);
  assert.deepEqual(read(10), { 'audio.processing.latency_ms': 200, 'session.error_rate': 0.25 });
  latency.record(0.1);
  assert.deepEqual(read(20), { 'audio.processing.latency_ms': 150, 'session.error_rate': 0.25 });
  assert.deepEqual(read(75), { 'audio.processing.latency_ms': 100, 'session.error_rate': 0.25 });
  assert.deepEqual(read(100), { 'session.error_rate': 0.25 });
  assert.deepEqual(read(400), {}, 'nothing happened: not measured');
});

test('templates say what Prometheus says', () => {
  const render = (text: string, value = 1234.5678) =>
    renderTemplate(parseTemplate(text), { labels: { agent: 'front', 'a.b': 'dot' }, value });
  const cases: readonly (readonly [string, number, string])[] = [
    ['{{ $labels.agent }}: {{ $value }}', 0.25, 'front: 0.25'],
    ['{{ .Labels.agent }}{{- .Value -}}', 3, 'front3'],
    ['{{ index $labels "a.b" | toUpper }}', 0, 'DOT'],
    ['{{ $value | humanize }}', 1234.5678, '1.235k'],
    ['{{ humanize $value }}', 0.00012, '120u'],
    ['{{ $value | humanize1024 }}', 104_857_600, '100Mi'],
    ['{{ $value | humanizePercentage }}', 0.1234567, '12.35%'],
    ['{{ $value | humanizeDuration }}', 93_784, '1d 2h 3m 4s'],
    ['{{ $value | humanizeDuration }}', 0.15, '150ms'],
    ['{{ printf "%.1f of %d" $value 5 }}', 2.46, '2.5 of 5'],
    ['{{ $value | printf "%.3g%%" }}', 12.345, '12.3%'],
    ['{{ $value }}', Number.POSITIVE_INFINITY, '+Inf'],
    ['no template', 0, 'no template'],
  ];
  for (const [text, value, expected] of cases) assert.equal(render(text, value), expected, text);
  for (const bad of [
    '{{ $lables.x }}',
    '{{ }}',
    '{{ $value | }}',
    '{{ toString }}',
    '{{ constructor $value }}',
    '{{ "x }}',
  ]) {
    assert.throws(() => parseTemplate(bad), SyntaxError, bad);
  }
  for (const bad of [
    '{{ $labels.nope }}',
    '{{ $labels.agent | humanize }}',
    '{{ printf "%.1f" }}',
    '{{ printf "x" 1 }}',
  ]) {
    assert.throws(() => render(bad), Error, bad);
  }
});

test("fingerprints are Prometheus' own", () => {
  // Captured from Alertmanager 0.33.
  assert.equal(fingerprint({ severity: 'critical', alertname: 'TurnLatencyHigh' }), '7de688aef981ab61');
});

const shipped = SHIPPED_RULES.map(({ name, rule }) => {
  const read = readAlertRule(name, rule, { metrics: catalogueOf([]), channels: CHANNELS });
  assert.ok(read.rule, read.problems.join('\n'));
  assert.deepEqual(read.warnings, []);
  return read.rule;
});

test('ALR-02 to ALR-13 are shipped as the specification gives them', () => {
  const table = shipped.map((rule) => [rule.metric, rule.condition, rule.threshold, rule.forMs / 1000].join(' '));
  assert.deepEqual(table, [
    'audio.processing.latency_ms > 150 300',
    'session.error_rate > 0.1 60',
    'audio.quality_score < 3 120',
    'system.memory_percent > 80 300',
    'system.cpu_percent > 70 600',
    'session.error_rate > 0.05 120',
    'api.error_rate > 0.1 60',
    'connection.failure_rate > 0.15 300',
    'system.disk_free_percent < 10 0',
    'network.utilization_percent > 90 0',
    'system.queue_size > 100 60',
  ]);
  const rows = SHIPPED_RULES.flatMap((one) => one.rows).sort();
  assert.deepEqual(
    rows,
    Array.from({ length: 12 }, (_, i) => `ALR-${String(i + 2).padStart(2, '0')}`),
  );
});

test('the file for Prometheus is made from the same rules', () => {
  const file = readFileSync(new URL('../../../deploy/prometheus-rules.yaml', import.meta.url), 'utf8');
  assert.equal(file, renderPrometheusRules(shipped, catalogueOf([])));
});

test('the operations manual says of each shipped alert when it fires, who is told, what it means and what to do', () => {
  const manual = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const [, part = ''] = manual.split('\n## Shipped alerts\n');
  const sections = new Map(
    part
      .split('\n### ')
      .slice(1)
      .map((text) => [text.split('\n', 1)[0], text]),
  );
  assert.deepEqual(
    [...sections.keys()],
    shipped.map(({ name }) => name.replaceAll('_', '-')),
    'each once, and no other',
  );
  for (const { name, metric, condition, threshold, forMs, labels, channels, annotations } of shipped) {
    const section = sections.get(name.replaceAll('_', '-')) ?? '';
    const wait = forMs === 0 ? 'at once' : `for ${forMs / 1000} s`;
    const when = `\`${metric} ${condition} ${threshold}\` ${wait}; ${labels['severity']}, told by ${channels.join(', ')}.`;
    assert.ok(section.includes(`\n${when}\n`), `${name}: ${when}`);
    for (const heading of ['Means', 'Do']) {
      const said = new RegExp(`\\*\\*${heading}:\\*\\*\\s+([^*]{40,})`).exec(section)?.[1];
      assert.ok(said !== undefined, `${name}: ${heading}`);
    }
    assert.equal(annotations['runbook'], `docs/operations.md#${name.replaceAll('_', '-')}`);
  }
});
