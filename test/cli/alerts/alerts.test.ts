// `syrinx alerts` on the command line, and how the rules and channels of a configuration are taken or refused.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Hono } from 'hono';
import { type Alerts, prepareAlerts } from '../../../src/cli/alerts/alerts.ts';
import type { ProcessReadings } from '../../../src/cli/alerts/process-report.ts';
import { main } from '../../../src/cli/main.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { type DataFolder, FolderInUseError } from '../../../src/hosts/port.ts';
import { createRegistry } from '../../../src/metrics/index.ts';
import { setAlertRule } from '../../../src/ops/alerts/index.ts';
import { VirtualClock } from '../../ops/notify/virtual-clock.ts';
import { createFakeHost } from '../fake-host.ts';

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const host = createFakeHost({ env });
  const code = await main(host, ['alerts', ...args]);
  return { code, out: host.out.join('\n'), errors: host.errors.join('\n') };
}

test('simulate says when a rule would do what, and who would be told', async () => {
  const { code, out } = await run(['simulate', 'high_latency', '--values', '20x10 200x70 20x10']);
  assert.equal(code, 0);
  assert.match(out, /^high_latency: audio\.processing\.latency_ms > 150 for 300 s, judged every 5 s/);
  assert.match(out, /^50 s +pending +200$/m);
  assert.match(out, /^350 s +firing +200$/m);
  assert.match(out, /^350 s +email +firing +first notification +Audio is processed 200 ms late/m);
  assert.match(out, /^400 s +webhook +resolved +all alerts resolved/m);
  const short = await run(['simulate', 'high_latency', '--values', '200x60 20 200x60']);
  assert.doesNotMatch(short.out, /firing/, 'one value below it and the five minutes begin again');
  const json = await run(['simulate', 'disk_space', '--values', '50 5 _ 50', '--every', '60', '--format', 'json']);
  assert.equal((JSON.parse(json.out) as { data: { states: string } }).data.states, 'ifii');
});

test('simulate takes rules of the configuration, and refuses what is wrong with the nearest name', async () => {
  const rules = JSON.stringify({
    slow: { metric: 'syrinx.model.time', condition: '>', threshold: 2, where: { provider: 'x' }, channels: ['slack'] },
    low_quality: { threshold: 4, durationSeconds: 0 },
  });
  const env = { SYRINX_ALERTS_RULES: rules };
  assert.match((await run(['simulate', 'slow', '--values', '1 3'], env)).out, /^5 s +slack +firing/m);
  assert.match((await run(['simulate', 'low_quality', '--values', '3.5'], env)).out, /quality_score < 4 for 0 s/);
  const cases: [string[], RegExp][] = [
    [['simulate', 'high_latenc', '--values', '1'], /did you mean 'high_latency'/],
    [['simulate', 'slow', '--values', '1y'], /--values: "1y" is no value/],
    [['simulate', 'slow'], /--values/],
    [['simulate', 'slow', '--values', '1', '--every', '0'], /--every_seconds|--every/],
    [['simulat', 'slow'], /wanted one of list, test, silence/],
    [['test'], /RULE: missing/],
    [['silence', 'a=b'], /--for: wanted a time/],
  ];
  for (const [args, says] of cases) {
    const { code, errors } = await run(args, env);
    assert.equal(code, 2, args.join(' '));
    assert.match(errors, says);
  }
});

test('`config validate` refuses rules that cannot be, and trusts instruments that it cannot know', async () => {
  const validate = async (rule: object) => {
    const host = createFakeHost({ env: { SYRINX_ALERTS_RULES: JSON.stringify({ mine: rule }) } });
    const code = await main(host, ['config', 'validate']);
    return { code, errors: host.errors.join('\n') };
  };
  const limit = { condition: '>', threshold: 5 };
  assert.equal((await validate({ metric: 'weather.rain', ...limit })).code, 0);
  const slip = await validate({ metric: 'system.cpu_percnt', ...limit });
  assert.equal(slip.code, 2);
  assert.match(slip.errors, /alerts\.rules\.mine\.metric .*Did you mean "system\.cpu_percent"/);
  assert.match((await validate({ metric: 'api.error_rate', ...limit })).errors, /5 can never be met/);
});

test('list, silence, acknowledge and test ask the server, with its token', async () => {
  const asked: string[] = [];
  const answers: Record<string, unknown> = {
    'GET /api/alerts': {
      alerts: [
        {
          rule: 'errors',
          state: 'firing',
          value: 0.123456,
          starts_at: '2026-01-02T03:04:05.000Z',
          fingerprint: 'abc',
          muted: null,
          acknowledged_by: 'ada',
          annotations: { summary: '12 % fail' },
        },
      ],
      persistent: false,
      channels: [],
    },
    'GET /api/alerts/rules': {
      rules: [
        {
          name: 'errors',
          state: 'firing',
          metric: 'm',
          condition: '>',
          threshold: 0.1,
          duration_seconds: 60,
          severity: null,
          channels: ['x'],
        },
        {
          name: 'net',
          state: 'not measured',
          metric: 'n',
          condition: '>',
          threshold: 90,
          duration_seconds: 0,
          severity: 'warning',
          channels: [],
        },
      ],
    },
    'GET /api/alerts/silences': { silences: [] },
    'POST /api/alerts/silences': { id: 's1' },
    'POST /api/alerts/abc/acknowledge': {},
    'POST /api/alerts/rules/errors/test': { notifications: [{ channel: 'email' }, { channel: 'slack' }] },
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const key = `${request.method} ${request.url}`;
      asked.push(`${key} ${body}`);
      const right = request.headers.authorization === 'Bearer secret';
      const answer = right ? answers[key] : { message: 'no token' };
      response.writeHead(right ? (answer === undefined ? 404 : 200) : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { message: 'No rule has this name', rules: ['errors'] }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const port = (server.address() as AddressInfo).port;
    const env = { SYRINX_SERVER_TOKEN: 'secret', HEALTH_CHECK_PORT: String(port) };
    const list = await run(['list'], env);
    assert.equal(list.code, 0, list.errors);
    assert.match(list.out, /^errors +firing +m > 0\.1 +60 s +x$/m);
    assert.match(list.out, /^net +not measured/m);
    assert.match(list.out, /^errors +firing +0\.1235 +2026-01-02T03:04:05 +abc +acknowledged +12 % fail$/m);
    assert.match(list.out, /none, so nobody is told; state is in memory alone/);
    const silence = ['silence', 'alertname=errors', 'a=~b', '--for', '2h', '--comment', 'x', '--by', 'ada'];
    assert.equal((await run(silence, env)).out, 's1');
    assert.match(asked.at(-1) ?? '', /"matchers":\["alertname=errors","a=~b"\],"duration_seconds":7200,"comment":"x"/);
    assert.match((await run(['acknowledge', 'abc'], env)).out, /acknowledged/);
    assert.equal((await run(['test', 'errors'], env)).out, 'sent to email, slack');
    const unknown = await run(['test', 'error'], env);
    assert.deepEqual([unknown.code, /known: errors/.test(unknown.errors)], [2, true]);
    const refused = await run(['list'], { ...env, SYRINX_SERVER_TOKEN: 'other' });
    assert.deepEqual([refused.code, /no token/.test(refused.errors)], [4, true]);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  const gone = await run(['list'], { HEALTH_CHECK_PORT: '1' });
  assert.deepEqual([gone.code, /Server gives no answer/.test(gone.errors)], [3, true]);
});

function prepare(config: object, openDataFolder?: (path: string) => Promise<DataFolder>, processNumber?: string) {
  const registry = createRegistry();
  const lines: string[] = [];
  const note = (level: string) => (text: string, fields?: object) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields ?? {})}`);
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const loaded = loadConfig({ file: { path: 'a.json', text: JSON.stringify(config, null, 1) } });
  const clock = new VirtualClock();
  const host = { ...createFakeHost(), ...(openDataFolder === undefined ? {} : { openDataFolder }) };
  const alerts = prepareAlerts({
    ...loaded,
    host,
    registry,
    agentName: 'desk',
    log: { ...log, child: () => log } as never,
    clock,
    processNumber,
  });
  return { alerts, clock, lines, registry };
}
const refusal = async (alerts: Alerts | null): Promise<string> => {
  try {
    await alerts?.start();
    await alerts?.stop(0);
    return '';
  } catch (error) {
    return (error as { problems: string[] }).problems.join('\n');
  }
};

test('switched off there are no routes and no timer', () => {
  for (const config of [{ alerts: { enabled: false } }, { telemetry: { enabled: false } }]) {
    const { alerts, clock } = prepare(config);
    assert.deepEqual([alerts, clock.pending], [null, 0]);
  }
});

test('the shipped rules are watched with the limits of the configuration; after the stop nothing runs', async () => {
  const { alerts, clock, lines } = prepare({ monitoring: { alert_thresholds: { latency_ms: 80 } } });
  await alerts?.start();
  assert.equal(clock.pending, 1);
  assert.match(lines.join('\n'), /info alert rules are watched \{"rules":11,"channels":\[\],"persistent":false\}/);
  await alerts?.stop(0);
  assert.equal(clock.pending, 0);
  const some = prepare({ alerts: { slack: { url: 'https://hooks.example/x' } } });
  await some.alerts?.start();
  // The specification's warnings go to email and webhook.
  assert.match(some.lines.join('\n'), /warn alert rules tell nobody: .*"rules":\["high_latency","low_quality"/);
  await some.alerts?.stop(0);
});

test('a limit that is compared with nothing is said to be so where it is set', async () => {
  for (const [limits, says] of [
    [{ session_memory_mb: 5 }, /session_memory_mb \(file a\.json:4\) has no effect/],
    [{ latency_ms: 80 }, undefined],
  ] as const) {
    const { alerts, lines } = prepare({ monitoring: { alert_thresholds: limits } });
    await alerts?.start();
    await alerts?.stop(0);
    const odd = lines.filter((line) => line.startsWith('warn alert rule is odd'));
    assert.equal(odd.length, says === undefined ? 0 : 1);
    if (says !== undefined) assert.match(odd[0] ?? '', says);
  }
});

test('rules and channels that are wrong are refused all at once, each with its line', async () => {
  const bad = {
    alerts: {
      rules: {
        a: { metric: 'sesion.error_rate', condition: '>', threshold: 0.1 },
        b: { metric: 'session.error_rate', condition: '>', threshold: 10 },
        c: { metric: 'session.error_rate', condition: '>', threshold: 0.1, notification_channels: ['emial'] },
      },
    },
  };
  const says = await refusal(prepare(bad).alerts);
  assert.match(says, /alerts\.rules\.a\.metric \(file a\.json:5\).*Did you mean "session\.error_rate"/);
  assert.match(says, /alerts\.rules\.b\.threshold \(file a\.json:12\).*can never be met/);
  assert.match(says, /alerts\.rules\.c\.notification_channels \(file a\.json:18\).*Did you mean "email"/);
  const limit = await refusal(prepare({ monitoring: { alert_thresholds: { cpu_percent: 100 } } }).alerts);
  assert.match(limit, /monitoring\.alert_thresholds\.cpu_percent \(file a\.json:4\) 100 can never be met/);
  const channels = {
    email: { to: ['a@b.example'] },
    pagerduty: { routing_key: 'short' },
    webhook: { url: 'https://a.example', signing_secret: 'x' },
  };
  const refused = await refusal(prepare({ alerts: channels }).alerts);
  assert.match(refused, /alerts\.email\.from: is missing/);
  assert.match(refused, /alerts\.pagerduty: PagerDuty's routing key has 32 characters/);
  assert.match(refused, /alerts\.webhook: The signing secret must/);
});

test('a data directory of another process is refused, one that cannot be written is done without', async () => {
  const config = { telemetry: { data_directory: '/data' } };
  const taken = prepare(config, (path) => Promise.reject(new FolderInUseError(path, 4711)));
  assert.match(await refusal(taken.alerts), /\/data\/alerts belongs to process 4711; give each process its own/);
  const readOnly = prepare(config, () => Promise.reject(Object.assign(new Error('EROFS'), { code: 'EROFS' })));
  assert.equal(await refusal(readOnly.alerts), '');
  assert.match(readOnly.lines.join('\n'), /error alert state is kept in memory alone/);
});

test("user code sets the specification's rules before the start, and is told at once afterwards", async () => {
  const rule = {
    metric: 'audio.processing.latency_ms',
    condition: 'greater_than',
    threshold: 150,
    duration_seconds: 300,
    severity: 'warning',
    notification_channels: ['email', 'webhook'],
  } as const;
  setAlertRule('high_latency', rule);
  const { alerts, lines } = prepare({ alerts: { shipped_rules: false } });
  await alerts?.start();
  assert.match(lines.join('\n'), /"rules":1,/);
  assert.match(lines.join('\n'), /channel \\"email\\" is not configured, so nobody is told by it/);
  assert.throws(() => setAlertRule('wrong', { ...rule, metric: 'audio.processing.latncy_ms' }), /Did you mean/);
  await alerts?.stop(0);
});

test('one of several processes watches nothing: it tells what it measures and what its user code sets, and refuses what is wrong', async () => {
  setAlertRule('of_user_code', { metric: 'syrinx.sessions.ended', condition: '>', threshold: 1 });
  const never = () => Promise.reject(new Error('no folder is its own'));
  const bad = { alerts: { rules: { a: { metric: 'sesion.error_rate', condition: '>', threshold: 0.1 } } } };
  assert.match(await refusal(prepare(bad, never, '2').alerts), /Did you mean "session\.error_rate"/);
  const { alerts, clock, registry } = prepare({ telemetry: { data_directory: '/data' } }, never, '2');
  const ended = registry.counter({ name: 'syrinx.sessions.ended', help: 'x', labels: ['outcome'] });
  ended.labels({ outcome: 'failed' }).add(3);
  registry.gauge({ name: 'syrinx.load', help: 'x', labels: [] }).labels().set(0.5);
  registry.gauge({ name: 'syrinx.system.cpu', help: 'x', labels: [] }).labels().set(0.25);
  await alerts?.start();
  assert.equal(clock.pending, 0);
  const app = new Hono();
  alerts?.routes.add(app);
  const answer = await app.request('/api/alerts/readings?names=syrinx.sessions.ended');
  const { readings, agent, rules, facts } = (await answer.json()) as ProcessReadings;
  const [series] = readings;
  assert.deepEqual(series, { name: 'syrinx.sessions.ended', labels: { outcome: 'failed' }, kind: 'counter', value: 3 });
  assert.deepEqual(
    [readings.length, agent, rules.map(([name]) => name)],
    [1, 'desk', ['high_latency', 'of_user_code']],
  );
  const labelsOf = (name: string) => facts.find((fact) => fact.name === name)?.labels;
  // A gauge is told apart by its process, but for those of the machine.
  assert.deepEqual(['syrinx.sessions.ended', 'syrinx.load', 'syrinx.system.cpu'].map(labelsOf), [
    ['outcome'],
    ['process'],
    [],
  ]);
  await alerts?.stop(0);
});
