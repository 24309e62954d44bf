// Calls over WebSockets on one core, beside a bare echo on the same host: `bun benchmarks/websocket.ts [options]`.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { round, spread } from './statistics.ts';
import { findLimit, openLoad, type Step } from './websocket/load.ts';
import { sessionMemory } from './websocket/memory.ts';
import { HOSTS, type HostName, pinCaller } from './websocket/server-process.ts';

const USAGE = `bun benchmarks/websocket.ts [options]
  --hosts LIST     bun,node,deno (default all)
  --sessions N     no search: this many calls, control first
  --memory N       memory per session with N calls in a 30 s reply
  --profile        with --sessions: the runtime writes a CPU profile of the agent into the working directory (Bun, Node)
  --seconds S      length of a measurement (default 4)
  --runs R         searches per host, control and agent in turn (default 1)
  --from N         first step of the search for the agent (default 100); the control starts at twice as many
  --most N         last step (default 4000)
  --priority P     raises both processes by P (0 to 20; needs root), against other load on the machine
  --json FILE      results as JSON`;

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: HOSTS.join(',') },
    sessions: { type: 'string' },
    memory: { type: 'string' },
    seconds: { type: 'string', default: '4' },
    runs: { type: 'string', default: '1' },
    from: { type: 'string', default: '100' },
    most: { type: 'string', default: '4000' },
    priority: { type: 'string', default: '0' },
    json: { type: 'string' },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const hosts = values.hosts.split(',').map((name): HostName => {
  const host = HOSTS.find((known) => known === name);
  if (host === undefined) throw new Error(`Unknown host "${name}": use ${HOSTS.join(', ')}`);
  return host;
});
const seconds = Number(values.seconds);
const nice = -Number(values.priority);
pinCaller(nice);

const results: object[] = [];
for (const host of hosts) {
  if (values.memory !== undefined) results.push(await memory(host, Number(values.memory)));
  else if (values.sessions !== undefined) results.push(await fixed(host, Number(values.sessions)));
  else results.push(await search(host));
}
const report = { machine: describeMachine(), options: values, results };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);

async function memory(host: HostName, sessions: number) {
  const figure = await sessionMemory(host, sessions, 12);
  const mb = (bytes: number) => `${round(bytes / 1e6)} MB`;
  console.log(
    `${host}: ${mb(figure.bytesPerSession)} per session (${sessions} sessions in a 30 s reply; idle ${mb(figure.idleBytes)}, peak ${mb(figure.peakBytes)}; in use after a collection ${mb(figure.liveBytesPerSession)} per session)`,
  );
  return { host, ...figure };
}

async function fixed(host: HostName, sessions: number) {
  const result: Record<string, unknown> = { host };
  for (const mode of ['echo', 'agent'] as const) {
    const runtimeArgs = values.profile && mode === 'agent' ? ['--cpu-prof'] : [];
    const load = await openLoad({ host, mode, nice, runtimeArgs });
    try {
      const step = await load.step(sessions, seconds);
      tell(host, mode, step);
      result[mode] = step;
    } finally {
      await load.stop();
    }
  }
  return result;
}

async function search(host: HostName) {
  const limits = { echo: [] as number[], agent: [] as number[] };
  const steps: { mode: string; step: Step }[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    for (const mode of ['echo', 'agent'] as const) {
      const from = Number(values.from) * (mode === 'echo' ? 2 : 1);
      const { limit } = await findLimit({ host, mode, nice }, from, Number(values.most), seconds, (step) => {
        tell(host, mode, step);
        steps.push({ mode, step });
      });
      limits[mode].push(limit);
    }
  }
  const agent = spread(limits.agent);
  const echo = spread(limits.echo);
  // The control found no limit of its own where it could not even carry a few: then nothing was measured.
  const ratio = echo.median === 0 ? null : round(agent.median / echo.median);
  const range = ({ min, median, max }: typeof agent) => `${median} (${min} to ${max})`;
  console.log(`${host}: ${range(agent)} sessions, control ${range(echo)}, ratio ${ratio ?? 'not measured'}`);
  return { host, limits, ratio, steps };
}

function tell(host: string, mode: string, step: Step): void {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`.padStart(8);
  console.log(
    `${host.padEnd(5)}${mode.padEnd(6)}${String(step.sessions).padStart(5)} sessions: late ${percent(step.late)} (${step.lateCount} of ${step.count}), ` +
      `answers late ${percent(step.answersLate)}, p99 ${step.answerP99Ms} ms, server ${percent(step.serverCpu)}, client ${percent(step.clientCpu)} (sent late ${percent(step.sentLate)}), ` +
      `underruns ${step.underruns}, closed ${step.closed}, ${round(step.rssBytes / 1e6, 0)} MB`,
  );
}
