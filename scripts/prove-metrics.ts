// Proves that the numbers are true on every output: 50 calls in real time, scraped by a real Prometheus and pushed to it, to VictoriaMetrics
// and to an OpenTelemetry collector that is killed in the middle. `bun scripts/prove-metrics.ts [--seconds N] [--calls N] [--host bun|deno|node]`.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { freePort } from './free-port.ts';
import { parsePage, type TrueSeries } from './metrics/compare.ts';
import { filledQueries } from './metrics/dashboards.ts';
import { judgeLate, type LoadState } from './metrics/late-frames.ts';
import {
  missing,
  start,
  startCollector,
  startPrometheus,
  startVictoriaMetrics,
  stopAll,
  until,
} from './metrics/parts.ts';
import { proveEqual, proveQuantiles } from './metrics/prove-values.ts';
import { liveKitServerIsThere, proveRoomCall } from './metrics/room-call.ts';
import { startPager, startSinks } from './metrics/sinks.ts';
import { api, check, query, summary } from './metrics/verdicts.ts';
import { bun, deno, node } from './steps.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    calls: { type: 'string', default: '50' },
    host: { type: 'string', default: 'bun' },
  },
});
const seconds = Number(values.seconds);
const { host } = values;
const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  bun: [bun],
  deno: [deno, 'run', '-A', '--quiet'],
  node: [node],
};
const runtime = RUNTIMES[host];
if (runtime === undefined || !(seconds >= 10)) {
  console.error('Usage: prove-metrics.ts [--seconds N (10 or more)] [--calls N] [--host bun|deno|node]');
  process.exit(2);
}
const BLOCK_MS = 400;
/** Not counted: engines compile what they will run. */
const WARM_UP_MS = 3000;
/** The shipped configuration of Prometheus sends it with each scrape. */
const TOKEN = 'token-of-the-proof';
const withToken = { headers: { authorization: `Bearer ${TOKEN}` } };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Load {
  /** Where the program serves. */
  readonly server: string;
  /** Where it is told what to do. */
  readonly command: string;
  output(): string;
}

async function startLoad(port: number, pager: string, targets: readonly string[]): Promise<Load> {
  const commandPort = await freePort();
  const child = start([...(runtime ?? []), 'scripts/metrics/load.ts', host, `${port}`, `${commandPort}`, ...targets], {
    LOAD_TOKEN: TOKEN,
    LOAD_PAGER: pager,
  });
  await until(`the load runs:\n${child.output()}`, 30_000, () => child.output().includes('ready'));
  const at = (own: number) => `http://127.0.0.1:${own}`;
  return { server: at(port), command: at(commandPort), output: child.output };
}

async function main(): Promise<void> {
  const absent = missing(['prometheus', 'promtool', 'victoria-metrics', 'otelcol']);
  if (absent.length > 0 || !liveKitServerIsThere()) {
    const wanted = 'run scripts/install-observability.ts and scripts/install-livekit-server.ts';
    check(
      false,
      'real receivers and a LiveKit server are there',
      `missing: ${absent.join(', ') || 'livekit'}; ${wanted}`,
    );
    return;
  }
  const port = await freePort();
  const collectorPort = await freePort();
  const [prometheus, victoria] = await Promise.all([startPrometheus(port, TOKEN), startVictoriaMetrics()]);
  const collector = await startCollector(prometheus, collectorPort);
  const sinks = await startSinks();
  const pager = await startPager();
  const targets = [
    `native,http/json,exponential,cumulative,none=${prometheus}/api/v1/otlp/v1/metrics`,
    `packed,http/json,explicit,cumulative,gzip=${prometheus}/api/v1/otlp/v1/metrics`,
    `victoria,http/protobuf,explicit,cumulative,gzip=${victoria}/opentelemetry/v1/metrics`,
    `collector,http/protobuf,explicit,delta,none=${collector.receive}`,
    ...sinks.map(({ name, url }) => `${name},http/json,explicit,cumulative,none=${url}`),
  ];
  const [load, control] = await Promise.all([
    startLoad(port, pager.url, targets),
    startLoad(await freePort(), pager.url, ['control']),
  ]);
  const base = load.command;

  // 1. The load, with the collector killed in the middle.
  await Promise.all([base, control.command].map((one) => api(one, `start?calls=${values.calls}`)));
  await pause(WARM_UP_MS);
  const states = () => Promise.all([api<LoadState>(base, 'state'), api<LoadState>(control.command, 'state')]);
  const warm = await states();
  await pause(seconds * 500 - WARM_UP_MS);
  const killed = await states();
  const delivered = parsePage(await (await fetch(collector.page)).text()).length;
  check(delivered > 100, 'the collector has got metrics before it dies', `${delivered} samples`);
  collector.kill();
  await pause(seconds * 500);
  const ended = await states();
  await api(control.command, 'stop');
  const beside = (from: typeof warm, to: typeof warm) =>
    [[from[0], to[0]] as const, [from[1], to[1]] as const] as const;
  judgeLate('late frames as without metrics', ...beside(warm, ended));
  judgeLate('... also while the collector is dead', ...beside(killed, ended));
  check(ended[0].turns >= 20, 'turns were held', `${ended[0].turns}`);

  // 2. A blocked event loop.
  await api(base, `block?ms=${BLOCK_MS}`);
  await pause(1500);
  await proveBlock(base);

  // 3. A call from a LiveKit server.
  await proveRoomCall(base);

  // 4. Everything stands still; a thousand scrapers come at once; a new collector gets everything since.
  await api(base, 'stop');
  await proveScrapers(base, load.server);
  const again = await startCollector(prometheus, collectorPort);
  await api(base, `add?target=${encodeURIComponent(`again,http/protobuf,explicit,delta,gzip=${again.receive}`)}`);
  const pushed = await api<Record<string, boolean>>(base, 'push');
  const wanted = ['native', 'packed', 'victoria', 'collector', 'again'];
  check(
    wanted.every((name) => pushed[name]) && sinks.every(({ name }) => pushed[name] === false),
    'deliveries: good ones arrive, the others are told',
    Object.entries(pushed)
      .map(([name, ok]) => `${name} ${ok ? 'yes' : 'no'}`)
      .join(', '),
  );
  await pause(2500);
  const truth = await api<TrueSeries[]>(base, 'truth');
  await proveEqual(truth, prometheus, victoria, again);
  await proveQuantiles(base, truth, prometheus);
  proveFailures(
    truth,
    load.output(),
    sinks.map(({ name, requests }) => [name, requests()] as const),
  );
  proveAlert(truth, pager.requests());
  await provePanels(prometheus);
  await proveRules(prometheus);
  const page = await (await fetch(`${load.server}/metrics`, withToken)).text();
  const refused = await fetch(`${load.server}/metrics`);
  check(refused.status === 401, 'the page is shown to nobody without the token', `${refused.status}`);
  const { code, output } = await promtool(page);
  check(code === 0, 'promtool check metrics', output.trim() || `rc 0, ${page.split('\n').length} lines`);
}

async function proveBlock(base: string): Promise<void> {
  const series = await api<(TrueSeries & { max?: number })[]>(base, 'truth');
  const max = (name: string) => (series.find((one) => one.prometheusName === name)?.max ?? 0) * 1000;
  const latency = max('syrinx_audio_processing_seconds');
  const lag = max('syrinx_event_loop_lag_seconds');
  check(latency >= BLOCK_MS - 25, `a loop blocked for ${BLOCK_MS} ms shows as latency`, `${latency.toFixed(1)} ms`);
  check(lag >= BLOCK_MS - 55, '... and as lag of the event loop', `${lag.toFixed(1)} ms`);
}

async function proveScrapers(base: string, server: string): Promise<void> {
  const startMs = performance.now();
  const pages = await Promise.all(
    Array.from({ length: 1000 }, async () => (await fetch(`${server}/metrics`, withToken)).text()),
  );
  const tookMs = performance.now() - startMs;
  const series = await api<(TrueSeries & { max?: number })[]>(base, 'truth');
  const whole = pages.filter((page) => page.endsWith('\n') && page.includes('syrinx_sessions_active')).length;
  check(
    whole === 1000,
    'a thousand scrapers at once',
    `${whole} whole pages in ${tookMs.toFixed(0)} ms, ${series.length} series`,
  );
}

function proveFailures(
  truth: readonly TrueSeries[],
  output: string,
  sinks: readonly (readonly [string, number])[],
): void {
  const exports = truth.filter(({ prometheusName }) => prometheusName === 'syrinx_otlp_exports_total');
  const count = (outcome: string) => exports.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  const said = output.split('metrics do not arrive').length - 1;
  const recovered = output.split('metrics arrive again').length - 1;
  // The killed collector came back, and so did whatever a busy machine kept waiting; the bad ones never do.
  const figure = `${count('ok')} ok, ${count('failed')} failed, ${count('skipped')} skipped; said ${said} times, recovered ${recovered}`;
  check(
    count('failed') >= 5 && said > recovered && said - recovered === sinks.length,
    'failures are counted, and said once each',
    figure,
  );
  check(
    sinks.every(([, requests]) => requests > 0),
    'bad receivers were really asked',
    sinks.map(([name, requests]) => `${name} ${requests}`).join(', '),
  );
}

/** The rule of the load has fired, and somebody was told. */
function proveAlert(truth: readonly TrueSeries[], told: number): void {
  const fired = truth.find(
    ({ prometheusName, labels }) =>
      prometheusName === 'syrinx_alerts_transitions_total' && labels.rule === 'busy' && labels.to === 'firing',
  );
  check(
    fired?.value === 1 && told > 0,
    'an alert fires and is told',
    `${fired?.value ?? 0} fired, ${told} notifications`,
  );
}

async function provePanels(prometheus: string): Promise<void> {
  // Everything since the start: a busy machine takes longer.
  const sinceStart = Math.ceil((performance.now() - startMs) / 1000) + 10;
  const empty: string[] = [];
  const queries = filledQueries({ job: 'syrinx', instance: '.+', rateInterval: `${sinceStart}s` });
  for (const { panel, promql } of queries) {
    const result = await query(prometheus, promql).catch((error: Error) => {
      empty.push(`${panel}: ${error.message}`);
      return null;
    });
    if (result === null) continue;
    // A quotient of nothing is NaN: no answer either.
    if (!result.some(({ value }) => Number.isFinite(Number(value?.[1])))) empty.push(`${panel}: ${promql}`);
  }
  check(
    empty.length === 0,
    'each expression of the dashboard answers',
    `${queries.length} expressions, ${empty.length} empty`,
  );
  for (const one of empty) console.log(`       ${one}`);
}

/** The shipped alert rules were loaded and evaluated each second on what was scraped. */
async function proveRules(prometheus: string): Promise<void> {
  interface Groups {
    readonly data: {
      readonly groups: readonly { readonly rules: readonly { name: string; health: string; lastError?: string }[] }[];
    };
  }
  const { data } = await api<Groups>(prometheus, 'api/v1/rules');
  const rules = data.groups.flatMap((group) => group.rules);
  const bad = rules.filter(({ health }) => health !== 'ok');
  check(
    rules.length > 0 && bad.length === 0,
    'the shipped alert rules evaluate',
    `${rules.length} rules, ${bad.length} failing`,
  );
  for (const { name, lastError } of bad) console.log(`       ${name}: ${lastError}`);
}

async function promtool(page: string): Promise<{ code: number; output: string }> {
  const { spawn } = await import('node:child_process');
  const { program } = await import('./metrics/parts.ts');
  const child = spawn(program('promtool'), ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (bytes) => (output += bytes));
  child.stderr.on('data', (bytes) => (output += bytes));
  child.stdin.end(page);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? 1, output })));
}

process.once('SIGINT', () => {
  stopAll();
  process.exit(130);
});
const startMs = performance.now();
console.log(`${values.calls} calls for ${seconds} s on ${host}`);
try {
  await main();
} catch (error) {
  check(false, 'the proof ran to its end', error instanceof Error ? error.message : String(error));
} finally {
  stopAll();
}
console.log(`${((performance.now() - startMs) / 1000).toFixed(0)} s`);
process.exit(summary() ? 0 : 1);
