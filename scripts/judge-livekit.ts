// Has every host judged from outside in rooms of a real livekit-server. `npm run -s judge:livekit [-- --dialogue NAME] [--hosts LIST]`.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setPriority, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { watchTimer } from '../test/e2e/steadiness.ts';
import { bun, indent, node, root, run } from './steps.ts';

const { values } = parseArgs({
  options: {
    judge: { type: 'string', default: process.env.SYRINX_JUDGE ?? join(root, '..', 'shared', 'judge') },
    dialogue: { type: 'string', multiple: true, default: [] },
    hosts: { type: 'string', default: 'bun,node,deno,binary' },
    /** Calls at one time. What a second one takes while it starts makes the first one's caller late. */
    lanes: { type: 'string', default: '1' },
    'own-max': { type: 'string', default: '135' },
    'barge-in-max': { type: 'string', default: '300' },
    keep: { type: 'string' },
  },
});
const judge = resolve(values.judge);
const program = join(judge, 'livekit', 'judge-livekit.mjs');
if (!existsSync(program)) fail(`There is no judge at ${judge}: give its folder with --judge or SYRINX_JUDGE`);

const server = join(root, '.cache', 'livekit-server', 'livekit-server');
const WORKERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['bun', 'node', 'deno'].map((host) => [host, `npm run -s on:${host} --`])),
  binary: join(root, 'dist', 'syrinx'),
};
/** The longest dialogue takes 27 s; starting and joining as much again on a busy machine. */
const CALL_SECONDS = 100;
/** Where a timer of this process, the judge's referee or its caller's microphone was so late, a call had not its machine. Such a call
 *  is held again if it failed, alone, as long as there is time. */
const EVERY_MS = 20;
const BUSY_MS = 40;
const TIMES = 8;
const AGAIN_UNTIL_SECONDS = 760;

const hosts = values.hosts.split(',');
for (const host of hosts) if (WORKERS[host] === undefined) fail(`Unknown host "${host}": use ${Object.keys(WORKERS)}`);
await prepare('The LiveKit server', [bun, 'scripts/install-livekit-server.ts'], 1300);
if (hosts.includes('binary')) await prepare('The binary', [bun, 'scripts/build-binary.ts'], 120);
const dialogues = join(judge, 'dialogues');
const names = values.dialogue.length > 0 ? values.dialogue : readdirSync(dialogues).sort();
// Calls are in real time: other work of this machine comes after them, where that can be asked for.
try {
  setPriority(-10);
} catch {
  // Only root may.
}
const folder = values.keep === undefined ? mkdtempSync(join(tmpdir(), 'judge-livekit-')) : resolve(values.keep);

interface Verdict {
  readonly host: string;
  readonly dialogue: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly lateMs: number;
  /** How often it was held. */
  readonly times: number;
  readonly rest: string;
  readonly response: string;
  readonly bargeIn: string;
}

const started = performance.now();
const waiting = names.flatMap((dialogue) => hosts.map((host) => ({ host, dialogue })));
const first: Verdict[] = [];
await Promise.all(
  Array.from({ length: Math.max(1, Number(values.lanes)) }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      first.push(await hold(next.host, next.dialogue, 1));
    }
  }),
);
const verdicts: Verdict[] = [];
for (let verdict of first) {
  while (isUnfair(verdict)) verdict = await hold(verdict.host, verdict.dialogue, verdict.times + 1);
  verdicts.push(verdict);
}
if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });

const total = (pick: (verdict: Verdict) => number) => verdicts.reduce((sum, verdict) => sum + pick(verdict), 0);
const columns = 'dialogue   host    checks   rest p50 / max   response p50   barge-in       machine late';
console.log(
  `\n# in rooms of livekit-server, ${values.lanes} calls at a time, ${seconds(started)} s; "rest": response less providers and endpointing\n${columns}`,
);
const order = (verdict: Verdict) => names.indexOf(verdict.dialogue) * 100 + hosts.indexOf(verdict.host);
for (const v of verdicts.toSorted((a, b) => order(a) - order(b)))
  console.log(
    `${v.dialogue.padEnd(10)} ${v.host.padEnd(7)} ${`${v.passed}/${v.passed + v.failed}`.padEnd(8)} ${v.rest.padEnd(16)} ${v.response.padEnd(14)} ${v.bargeIn.padEnd(14)} ${v.lateMs} ms${v.times > 1 ? `, held ${v.times} times` : ''}`,
  );
const failed = total((v) => v.failed);
console.log(`\n${total((v) => v.passed)} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function isUnfair({ failed: wrong, lateMs, times }: Verdict): boolean {
  return wrong > 0 && lateMs >= BUSY_MS && times < TIMES && seconds(started) < AGAIN_UNTIL_SECONDS;
}

async function hold(host: string, dialogue: string, times: number): Promise<Verdict> {
  const place = join(folder, `${dialogue}-${host}`);
  mkdirSync(place, { recursive: true });
  const ledger = join(place, 'ledger.json');
  const report = join(place, 'report.json');
  rmSync(ledger, { force: true });
  rmSync(report, { force: true });
  const agent = `judge-${host}`;
  const args = [
    ...['--dialogue', join(dialogues, dialogue), '--agent', agent, '--keep', place, '--report', report],
    ...['--url', `ws://127.0.0.1:${await freePorts()}`, '--server', server],
    ...['--worker', `${WORKERS[host]} start --agent-name ${agent} --port 0 --ledger ${ledger}`, '--ledger', ledger],
    ...['--own-max', values['own-max'], '--barge-in-max', values['barge-in-max']],
  ];
  const sinceMs = performance.now();
  const timer = watchTimer(EVERY_MS);
  const { code, output } = await run([node, program, ...args], {
    limitSeconds: CALL_SECONDS,
    env: { JUDGE_MODULES: root, NODE_ENV: 'production', RUST_LOG: 'off' },
  });
  const lateMs = timer.stop();
  const tookSeconds = seconds(sinceMs);
  console.log(`\n# ${dialogue} on ${host}${times > 1 ? `, time ${times}` : ''}: ${tookSeconds} s\n${indent(output)}`);
  const [, refereeLate = '0', microphoneLate = '0'] =
    /late by up to: referee ([\d.]+) ms, caller's microphone ([\d.]+) ms/.exec(output) ?? [];
  const [, good = '0', bad = '1'] = /^(\d+) passed, (\d+) failed\s*$/m.exec(output) ?? [];
  const figures = readFigures(report);
  const ms = (value: number | undefined) => (value === undefined ? '-' : `${Math.round(value)}`);
  return {
    host,
    dialogue,
    passed: Number(good),
    // A judge that ends badly without counting a failure has judged nothing.
    failed: code !== 0 && bad === '0' ? 1 : Number(bad),
    seconds: tookSeconds,
    lateMs: Math.round(Math.max(lateMs, Number(refereeLate), Number(microphoneLate))),
    times,
    rest: `${ms(figures?.ownP50)} / ${ms(figures?.ownMax)} ms`,
    response: `${ms(figures?.responseP50)} ms`,
    bargeIn: figures === undefined || figures.bargeInMs.length === 0 ? '-' : `${figures.bargeInMs.join(', ')} ms`,
  };
}

interface Figures {
  readonly ownP50: number;
  readonly ownMax: number;
  readonly responseP50: number;
  readonly bargeInMs: readonly number[];
}
function readFigures(report: string): Figures | undefined {
  if (!existsSync(report)) return undefined;
  return JSON.parse(readFileSync(report, 'utf8')).runs[0]?.figures ?? undefined;
}

function seconds(sinceMs: number): number {
  return Math.round((performance.now() - sinceMs) / 1000);
}

/** A free port whose two neighbours the judge's server takes as well. */
async function freePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all([port, port + 1].map(isFree));
    if (free.every(Boolean)) return port;
  }
}
function isFree(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const probe = createServer();
    probe.once('error', () => settle(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => settle(true)));
  });
}

async function prepare(what: string, command: readonly string[], limitSeconds: number): Promise<void> {
  const { code, output } = await run(command, { limitSeconds, onOutput: (text) => process.stdout.write(text) });
  if (code !== 0) fail(`${what} is not there\n${indent(output)}`);
}

function fail(why: string): never {
  console.error(`${why}\n\n0 passed, 1 failed`);
  process.exit(1);
}
