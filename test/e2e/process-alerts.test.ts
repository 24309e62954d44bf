// Alerts of several processes: one cause is told once, one silence is enough, and neither a process nor the supervisor that dies changes that.
// real time: processes are killed and come up again.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { endAll, HOSTS, type HostName, inFolder, run, type Server, serve } from './program.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';
import { until as untilWithin } from './until.ts';

after(endAll);

const INTERVAL_MS = 500;
const AGENT = `
import { defineAgent, setAlertRule } from 'syrinx';
setAlertRule('of_user_code', {
  metric: 'syrinx.sessions.active', condition: 'greater_than', threshold: 0, notification_channels: ['webhook'],
});
export default defineAgent({ instructions: 'Answer briefly.' });
`;

interface Page {
  readonly status: string;
  readonly name: string;
  readonly processes: readonly (string | undefined)[];
}
interface Shown {
  readonly alerts: readonly { readonly rule: string; readonly state: string; readonly muted: string | null }[];
}

type Pager = Awaited<ReturnType<typeof startPager>>;
async function startPager() {
  const pages: Page[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { status, alerts } = JSON.parse(text) as { status: string; alerts: { labels: Record<string, string> }[] };
      const processes = alerts.map(({ labels }) => labels['process']).sort((a = '', b = '') => a.localeCompare(b));
      pages.push({ status, name: alerts[0]?.labels['alertname'] ?? '', processes });
      response.end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { pages, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stop };
}

const until = (what: string, holds: () => boolean | Promise<boolean>) => untilWithin(what, 20_000, async () => holds());
const evaluations = (count: number) => new Promise((done) => setTimeout(done, count * INTERVAL_MS));

async function toldOnce(host: HostName): Promise<void> {
  const pager = await startPager();
  try {
    await toldOnceTo(pager, host);
  } finally {
    pager.stop();
  }
}

async function toldOnceTo(pager: Pager, host: HostName): Promise<void> {
  const of = (name: string) => pager.pages.filter((page) => page.name === name);
  await inFolder(async (folder) => {
    const [file, agent] = [join(folder, 'config.json'), join(folder, 'agent.ts')];
    writeFileSync(agent, AGENT);
    const rule = (metric: string, condition: string, threshold: number, more: object = {}) => ({
      metric,
      condition,
      threshold,
      channels: ['webhook'],
      group_wait_seconds: 2,
      ...more,
    });
    const rules = {
      idle: rule('syrinx.sessions.active', '<', 1),
      // Something is always in use, on every machine that runs this.
      of_the_machine: rule('system.memory_percent', '>', 0),
      // A call is counted in one of the two, and must stay counted when that process dies.
      calls: rule('syrinx.sessions.ended', '>=', 1, { across: 'sum', group_wait_seconds: 0 }),
    };
    const alerts = { allow_private: true, interval_ms: INTERVAL_MS, shipped_rules: false, webhook: { url: pager.url } };
    writeFileSync(
      file,
      JSON.stringify({ telemetry: { data_directory: join(folder, 'data') }, alerts: { ...alerts, rules } }),
    );
    const begin = () => serve(host, [agent, '--processes', '2', '--config', file]);
    const shown = async ({ url }: Server) => (await (await fetch(`${url}/api/alerts`)).json()) as Shown;
    const ofCli = async ({ url }: Server, ...args: string[]) => {
      const ended = await run(host, ['alerts', ...args, '--url', url]);
      assert.equal(ended.code, 0, ended.stderr);
      return ended.stdout;
    };
    let server = await begin();
    await until('two pages', () => of('idle').length > 0 && of('of_the_machine').length > 0);
    await evaluations(4);
    assert.deepEqual(of('idle'), [{ status: 'firing', name: 'idle', processes: ['1', '2'] }], 'both in one page');
    assert.deepEqual(
      of('of_the_machine').map(({ processes }) => processes),
      [[undefined]],
      'said by both, and one alert',
    );

    const id = (await ofCli(server, 'silence', 'alertname=of_user_code', '--for', '1h')).trim();
    assert.match(await ofCli(server, 'list'), new RegExp(`${id} `));
    const call = await dial(`${server.socketUrl}?rate=16000`);
    await call.notice('ready');
    await until('the alert of user code', async () =>
      (await shown(server)).alerts.some((one) => one.rule === 'of_user_code'),
    );
    await evaluations(2);
    assert.equal((await shown(server)).alerts.find((one) => one.rule === 'of_user_code')?.muted, `silence ${id}`);
    assert.deepEqual(of('of_user_code'), [], 'nobody is told, whichever process has the call');
    call.say({ type: 'bye' });
    await call.closed;
    await until('the page of the call that ended', () => of('calls').length > 0);

    const { processes } = (await (await fetch(`${server.url}/status`)).json()) as { processes: { pid: number }[] };
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    await until(
      'both again',
      async () => (await fetch(`${server.url}/health`)).ok && (await shown(server)).alerts.length >= 4,
    );
    await evaluations(4);
    assert.deepEqual(
      of('calls').map(({ status }) => status),
      ['firing'],
      'what died was counted all the same',
    );
    assert.equal(of('of_the_machine').length, 1);

    server.program.signal('SIGKILL');
    await server.program.exit();
    // Its processes end when they see that it has gone; the folder is theirs until then.
    server = await begin();
    await until('what fires', async () => (await fetch(`${server.url}/api/alerts`)).ok);
    await evaluations(4);
    assert.equal(of('of_the_machine').length, 1, 'a restart of all tells nobody again');
    assert.match(await ofCli(server, 'list'), new RegExp(`${id} `), 'the silence has outlived it');
    assert.match(await ofCli(server, 'test', 'idle'), /sent to webhook/);
    server.program.signal('SIGTERM');
    assert.equal((await server.program.exit()).code, 0);
  });
}

async function refused(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const file = join(folder, 'config.json');
    const rule = { metric: 'sesion.error_rate', condition: '>', threshold: 0.1 };
    writeFileSync(file, JSON.stringify({ alerts: { rules: { wrong: rule } } }));
    const env = { SYRINX_MODELS_PROVIDER: 'simulated' };
    const ended = await run(host, ['start', '--port', '0', '--processes', '2', '--config', file], { env });
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /alerts\.rules\.wrong\.metric .*Did you mean "session\.error_rate"/);
  });
}

describe('alerts of two processes', { concurrency: 2 }, () => {
  for (const host of HOSTS) {
    void test(`one cause is told once on ${host}`, () => onSteadyMachine(() => toldOnce(host)));
    void test(`a rule that is wrong ends the start on ${host}`, () => refused(host));
  }
});
