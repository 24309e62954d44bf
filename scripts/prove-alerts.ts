// Proves that somebody is woken, once: the specification's two rules fire on real faults in running calls, reach real receivers, and outlive `kill -9`.
// `bun scripts/prove-alerts.ts [--host bun|node|deno|binary] [--real]`; with `--real` the five minutes of `high_latency` are five minutes. Needs openssl and what `scripts/install-observability.ts` builds.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogueOf, readAlertRule, renderPrometheusRules, SHIPPED_RULES } from '../src/ops/alerts/index.ts';
import { endAll, type HostName, HOSTS, type Program, serve } from '../test/e2e/program.ts';
import { startProvider } from '../test/e2e/provider.ts';
import { caller } from '../test/e2e/recordings.ts';
import { dial, type SocketCaller } from '../test/e2e/socket-caller.ts';
import { goldenDifferences } from './alerts/golden.ts';
import { lateCall, startPaced } from './alerts/paced.ts';
import { type Arrival, startReceivers } from './alerts/receivers.ts';
import { bun, root, run } from './steps.ts';
import { CRITICAL_ERRORS, HIGH_LATENCY } from './alerts/specification-rules.ts';

const { values } = parseArgs({
  options: { host: { type: 'string', default: 'bun' }, real: { type: 'boolean', default: false } },
});
const host = values.host as HostName;
const tools = join(root, '.cache', 'observability');
if (!['alertmanager', 'promtool'].every((name) => existsSync(join(tools, name)))) {
  const built = await run([bun, 'scripts/install-observability.ts', '--only', 'prometheus', '--only', 'alertmanager'], {
    limitSeconds: 1500,
  });
  if (built.code !== 0) {
    console.log(built.output);
    process.exit(1);
  }
}

const startedMs = performance.now();
let passed = 0;
let failed = 0;
function check(what: string, right: boolean, detail = ''): void {
  if (right) passed++;
  else failed++;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(6);
  console.log(`${right ? 'ok  ' : 'FAIL'} ${seconds} s  ${what}${detail === '' ? '' : `: ${detail}`}`);
}
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
async function until(what: string, limitMs: number, holds: () => boolean): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > endMs) {
      check(`${what} within ${limitMs / 1000} s`, false);
      return false;
    }
    await pause(50);
  }
  return true;
}

const folder = mkdtempSync(join(tmpdir(), 'syrinx-alerts-'));
const receivers = await startReceivers(folder, join(tools, 'alertmanager'));
const provider = await startProvider();
const { arrivals } = receivers;
const of = (path: string, alert: string, receiver?: string): Arrival[] =>
  arrivals.filter(
    (one) => one.path.includes(path) && one.alert === alert && (receiver ?? one.receiver) === one.receiver,
  );

/** A configuration whose channels all lead here; `name` tells the receivers which process writes. */
function configuration(name: string, intervalMs: number, more: object = {}): string {
  const { httpUrl, smtpPort, caFile, login, alertmanagerUrl } = receivers;
  const file = join(folder, `${name}.json`);
  mkdirSync(join(folder, name), { recursive: true });
  const config = {
    models: { timeout_ms: 4000 },
    health_server: { port: 0 },
    // The proof makes audio late on purpose, and calls all the same.
    capacity: { late_frame_share: 0, loop_lag_ms: 0 },
    telemetry: { data_directory: join(folder, name) },
    alerts: {
      interval_ms: intervalMs,
      allow_private: true,
      external_url: 'https://syrinx.example',
      email: {
        to: [`${name}@desk.example`],
        from: 'Syrinx <alerts@syrinx.example>',
        host: 'localhost',
        port: smtpPort,
        ca_file: caFile,
        ...login,
      },
      webhook: { url: `${httpUrl}/${name}/webhook`, signing_secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3' },
      slack: { url: `${httpUrl}/${name}/slack` },
      pagerduty: { routing_key: 'R0123456789abcdef0123456789abcde', url: `${httpUrl}/${name}/pagerduty` },
      alertmanager: { url: alertmanagerUrl },
      ...more,
    },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Fired and delivered: once to each, by the time at which it was due. */
function checkPages(
  path: string,
  alert: string,
  to: readonly string[],
  status: Arrival['status'],
  dueMs?: number,
): void {
  for (const receiver of to) {
    const found = of(receiver === 'alertmanager' ? '/am' : path, alert, receiver).filter(
      (one) => one.status === status,
    );
    const late = dueMs === undefined ? '' : `${Math.round((found[0]?.atMs ?? Number.NaN) - dueMs)} ms after it was due`;
    check(
      `${alert} ${status}: ${receiver} is told once`,
      found.length === 1,
      found.length === 1 ? late : `${found.length} times`,
    );
  }
}

/** `syrinx start` as it is, in real time: a model that refuses every request, and a kill in between. */
async function specificationRules(): Promise<void> {
  const agent = join(folder, 'agent.ts');
  writeFileSync(agent, AGENT);
  const intervalMs = 1000;
  const failing = {
    metric: 'session.error_rate',
    condition: 'greater_than',
    threshold: 0.1,
    duration_seconds: 10,
    severity: 'warning',
    notification_channels: ['alertmanager'],
  };
  const config = configuration('real', intervalMs, { rules: { failing_calls: failing } });
  const begin = () =>
    serve(host, [agent, '--config', config], { env: { ...provider.env, SYRINX_MODELS_PROVIDER: 'openai' } });
  let server = await begin();
  const call = async (): Promise<SocketCaller> => {
    const made = await dial(`${server.socketUrl}?rate=16000`);
    await made.notice('ready');
    return made;
  };

  provider.break('llm', '401');
  const unlucky = await call();
  // Three turns without an answer end a call.
  for (let i = 0; i < 3; i++) {
    void unlucky.speak(caller(3500, [200, 'hello']));
    await unlucky.notice('turn', () => unlucky.notices.filter(({ type }) => type === 'turn').length > i, 15_000);
  }
  await unlucky.closed;
  const failedMs = Date.now();
  provider.heal();
  check('a call whose model refuses every request ends as failed', true);
  if (!(await until('failing calls reach Alertmanager', 30_000, () => of('/am', 'failing_calls').length > 0))) return;
  check('the specification waits a minute: nobody is paged before', of('/real/', 'critical_errors').length === 0);
  const both = () => of('/real/', 'critical_errors').length >= 2;
  if (!(await until('critical_errors reaches PagerDuty and Slack', 75_000, both))) return;
  await pause(300);
  const [page] = of('/real/', 'critical_errors', 'pagerduty');
  const startsAt = startsAtOf(page);
  const dueMs = startsAt + 60_000;
  check(
    'it is pending from the evaluation after the failed call',
    startsAt - failedMs <= intervalMs + 500,
    `${startsAt - failedMs} ms`,
  );
  checkPages('/real/', 'critical_errors', ['pagerduty', 'slack'], 'firing', dueMs);
  checkPages('/real/', 'failing_calls', ['alertmanager'], 'firing');
  const late = of('/real/', 'critical_errors').map(({ atMs }) => atMs - dueMs);
  check(
    `fired to delivered within an evaluation and 500 ms`,
    Math.max(...late) <= intervalMs + 500,
    `${Math.round(Math.max(...late))} ms`,
  );

  server.program.signal('SIGKILL');
  await server.program.exit();
  server = await begin();
  await pause(4000);
  const alerts = (await (await fetch(`${server.url}/api/alerts`)).json()) as {
    alerts: { rule: string; state: string }[];
  };
  const firing = alerts.alerts
    .filter(({ state }) => state === 'firing')
    .map(({ rule }) => rule)
    .sort();
  check(
    'killed with SIGKILL and started again: both still fire',
    ['critical_errors', 'failing_calls'].every((rule) => firing.includes(rule)),
    firing.join(),
  );
  const told = [...of('/real/', 'critical_errors'), ...of('/am', 'failing_calls')];
  const lines = told.map(({ receiver, alert, status }) => `${receiver} ${alert} ${status}`);
  check('and nobody is told again', told.length === 3, lines.join(', '));

  const good = await call();
  await good.speak(caller(2500, [200, 'hello']));
  await good.notice('turn', () => true, 15_000);
  good.say({ type: 'bye' });
  await good.closed;
  await until(
    'the end reaches everybody',
    45_000,
    () =>
      [...of('/real/', 'critical_errors'), ...of('/am', 'failing_calls')].filter(({ status }) => status === 'resolved')
        .length >= 3,
  );
  await pause(2000);
  checkPages('/real/', 'critical_errors', ['pagerduty', 'slack'], 'resolved');
  checkPages('/real/', 'failing_calls', ['alertmanager'], 'resolved');
  const keys = new Set(of('/real/', 'critical_errors', 'pagerduty').map(({ body }) => body['dedup_key']));
  check('PagerDuty closes the incident that it opened', keys.size === 1);
  for (const receiver of ['pagerduty', 'slack']) {
    for (const one of of('/real/', 'critical_errors', receiver)) {
      const wrong = goldenDifferences(receiver, one);
      check(`body of ${receiver} (${one.status}) has the golden shape`, wrong.length === 0, wrong.join('; '));
    }
  }
  server.program.signal('SIGTERM');
  check('it ends in order', (await server.program.exit()).code === 0);
}

function startsAtOf(page: Arrival | undefined): number {
  const { custom_details } = (page?.body['payload'] ?? {}) as { custom_details?: { firing: { startsAt: string }[] } };
  return Date.parse(custom_details?.firing[0]?.startsAt ?? '');
}

/** The same fault under `syrinx start` on nobody's clock but the machine's. The rule is the shipped one, and waits 20 s instead of five minutes. */
async function overRealClock(): Promise<void> {
  const intervalMs = 1000;
  const seconds = values.real ? 300 : 20;
  const rules = values.real ? {} : { high_latency: { duration_seconds: seconds } };
  const config = configuration('live', intervalMs, { rules });
  const server = await serve(host, ['--config', config]);
  const call = await lateCall(server.url, 250);
  const told = (status: Arrival['status']) => of('/live/', 'high_latency').filter((one) => one.status === status);
  const limitMs = (seconds + 30) * 1000;
  if (!(await until('late audio reaches both on the real clock', limitMs, () => told('firing').length >= 2))) return;
  await pause(500);
  const [hook] = of('/live/', 'high_latency', 'webhook');
  const [alert] = (hook?.body['alerts'] ?? []) as { startsAt: string }[];
  const dueMs = Date.parse(alert?.startsAt ?? '') + seconds * 1000;
  checkPages('/live/', 'high_latency', ['email', 'webhook'], 'firing', dueMs);
  const worst = Math.max(...told('firing').map(({ atMs }) => atMs - dueMs));
  const what = `on the real clock, after ${seconds} s of late audio: fired to delivered within an evaluation and 500 ms`;
  check(what, worst <= intervalMs + 500, `${Math.round(worst)} ms`);
  call.hangUp();
  // The mean is that of a minute.
  await until('its end reaches both on the real clock', 75_000, () => told('resolved').length >= 2);
  await pause(500);
  checkPages('/live/', 'high_latency', ['email', 'webhook'], 'resolved');
  await stop(server.program);
}

/** `high_latency` waits five minutes: here the clock of the alerts, not of the call, goes ten times as fast. */
async function overPacedClock(): Promise<void> {
  const pace = 10;
  const intervalMs = 5000;
  const [tall, low] = await Promise.all([
    startPaced(configuration('paced', intervalMs), pace),
    startPaced(configuration('control', intervalMs), pace),
  ]);
  const [late, nearly] = await Promise.all([tall.lateCall(250), low.lateCall(90)]);
  const told = () => of('/paced/', 'high_latency').length >= 2;
  await until('high_latency reaches the mail server and the webhook', 60_000, told);
  await pause(500);
  const [hook] = of('/paced/', 'high_latency', 'webhook');
  const [alert] = (hook?.body['alerts'] ?? []) as { startsAt: string }[];
  const dueMs = Date.parse(alert?.startsAt ?? '') + 300_000 / pace;
  checkPages('/paced/', 'high_latency', ['email', 'webhook'], 'firing', dueMs);
  const lateness = of('/paced/', 'high_latency').map(({ atMs }) => atMs - dueMs);
  const worst = Math.max(...lateness);
  check(
    'fired to delivered within an evaluation and 500 ms',
    worst <= intervalMs / pace + 500,
    `${Math.round(worst)} ms`,
  );

  late.hangUp();
  tall.kill();
  await tall.ended;
  const next = await startPaced(join(folder, 'paced.json'), pace);
  await pause(2000);
  check('killed while firing, started again: nobody is told again', of('/paced/', 'high_latency').length === 2);
  const fine = await next.lateCall(0);
  await until('its end reaches both', 45_000, () => of('/paced/', 'high_latency').length >= 4);
  await pause(1000);
  checkPages('/paced/', 'high_latency', ['email', 'webhook'], 'resolved');
  for (const receiver of ['email', 'webhook']) {
    for (const one of of('/paced/', 'high_latency', receiver)) {
      const wrong = goldenDifferences(receiver, one);
      check(`body of ${receiver} (${one.status}) has the golden shape`, wrong.length === 0, wrong.join('; '));
    }
  }
  const [first, second] = of('/paced/', 'high_latency', 'email').map(({ headers }) => headers['references']);
  check('both mails are one thread', first !== undefined && first === second);
  check(
    'a fault below the threshold pages nobody',
    arrivals.every(({ path }) => !path.includes('/control/')),
  );
  check(
    'and it was a fault',
    (await low.meanLatencyMs()) > 60,
    `${Math.round(await low.meanLatencyMs())} ms late on average`,
  );
  nearly.hangUp();
  fine.hangUp();
  next.kill();
  low.kill();
}

/** nodemailer with STARTTLS and a login, in a real process of each host and in the binary. */
async function mailOnEveryHost(): Promise<void> {
  await Promise.all(
    HOSTS.map(async (one) => {
      const name = `mail-${one}`;
      const server = await serve(one, ['--config', configuration(name, 5000)]);
      await fetch(`${server.url}/api/alerts/rules/high_latency/test`, { method: 'POST' });
      await until(`mail from ${one}`, 15_000, () => arrivals.some(({ path }) => path === `/${name}/email`));
      const mail = arrivals.find(({ path }) => path === `/${name}/email`);
      check(
        `mail with STARTTLS and login from ${one}`,
        mail?.body['secure'] === true,
        String(mail?.headers['subject']),
      );
      await stop(server.program);
    }),
  );
}

async function stop(program: Program): Promise<void> {
  program.signal('SIGTERM');
  await program.exit();
}

async function rulesFile(): Promise<void> {
  const checked = await run([join(tools, 'promtool'), 'check', 'rules', 'deploy/prometheus-rules.yaml']);
  check(
    'promtool accepts the shipped rules file',
    checked.code === 0,
    /SUCCESS.*/.exec(checked.output)?.[0] ?? checked.output,
  );
  const rules = SHIPPED_RULES.map(({ name, rule }) => {
    const read = readAlertRule(name, rule, {
      metrics: catalogueOf([]),
      channels: ['email', 'webhook', 'pagerduty', 'slack'],
    });
    if (read.rule === undefined) throw new Error(read.problems.join('\n'));
    return read.rule;
  });
  const made = renderPrometheusRules(rules, catalogueOf([]));
  check(
    'and it is what the program evaluates',
    made === (await Bun.file(join(root, 'deploy/prometheus-rules.yaml')).text()),
  );
}

const AGENT = `
import { defineAgent, setAlertRule } from 'syrinx';

${[HIGH_LATENCY, CRITICAL_ERRORS].map(([name, rule]) => `setAlertRule('${name}', ${JSON.stringify(rule)});`).join('\n')}

export default defineAgent({ instructions: 'Answer briefly.' });
`;

try {
  await Promise.all([specificationRules(), overPacedClock(), overRealClock()]);
  await mailOnEveryHost();
  await rulesFile();
} catch (error) {
  check('the proof runs to its end', false, error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await endAll();
  await provider.close();
  await receivers.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
