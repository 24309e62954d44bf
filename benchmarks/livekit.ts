// Rooms of a real livekit-server in one process, beside a bare echo with the same native client: `bun benchmarks/livekit.ts [options]`.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { bun, deno, node, root } from '../scripts/steps.ts';
import { startRealServer, whyNot } from '../test/livekit/room/real-server.ts';
import type { Sample } from './livekit/agents.ts';
import { describeMachine } from './machine.ts';
import { round } from './statistics.ts';

const USAGE = `bun benchmarks/livekit.ts [options]
  --hosts LIST    bun,node,deno (default node)
  --rooms LIST    steps, ascending (default 10,25)
  --modes LIST    bare,transport,session (default all; bare is the control)
  --seconds S     length of a measurement (default 10)
  --cycles N      instead: joins and leaves one room after the other, and tells how memory grows (500 take some minutes)
  --runs R        times that the modes are run in turn; medians are told (default 1)
  --json FILE     results as JSON
Needs livekit-server (scripts/install-livekit-server.ts). Callers, server and agents share the machine.`;

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: 'node' },
    rooms: { type: 'string', default: '10,25' },
    modes: { type: 'string', default: 'bare,transport,session' },
    seconds: { type: 'string', default: '10' },
    cycles: { type: 'string' },
    runs: { type: 'string', default: '1' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const COMMANDS: Record<string, string[]> = {
  bun: [bun],
  node: [node, '--no-warnings'],
  deno: [deno, 'run', '-A', '--quiet'],
};
const SETTLE_MS = 4000;
const steps = values.rooms.split(',').map(Number);
const seconds = Number(values.seconds);

interface Worker {
  ask<T>(command: object): Promise<T>;
  end(): Promise<void>;
}

async function startProcess(command: readonly string[], file: string, ...args: string[]): Promise<Worker> {
  const [program = '', ...more] = command;
  const child: ChildProcess = spawn(program, [...more, `${root}/benchmarks/livekit/${file}`, ...args], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', RUST_LOG: 'off' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: ((answer: never) => void)[] = [];
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    if (line.startsWith('@')) waiting.shift()?.(JSON.parse(line.slice(1)) as never);
  });
  const next = <T>() =>
    new Promise<T>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${file} does not answer`)), 30_000);
      waiting.push((answer) => {
        clearTimeout(limit);
        const { error } = answer as { error?: string };
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
    });
  await next();
  return {
    ask(command_) {
      child.stdin?.write(`${JSON.stringify(command_)}\n`);
      return next();
    },
    async end() {
      child.stdin?.end();
      const limit = setTimeout(() => child.kill('SIGKILL'), 3000);
      await gone;
      clearTimeout(limit);
    },
  };
}

interface Figures {
  readonly host: string;
  readonly mode: string;
  readonly rooms: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly buffersMb: number;
  readonly cpuPercent: number;
  readonly threadPercent: number | null;
  readonly latePercent: number;
  readonly framesPerRoomSecond: number;
}

async function measure(host: string, mode: string): Promise<Figures[]> {
  const server = await startRealServer();
  const agents = await startProcess(COMMANDS[host] ?? [], 'agents.ts', mode);
  const callers = await startProcess([node, '--no-warnings'], 'callers.ts');
  const figures: Figures[] = [];
  try {
    let open = 0;
    for (const rooms of steps) {
      for (; open < rooms; open++) {
        const name = `bench-${open}`;
        const grant = { agent: true, canUpdateOwnMetadata: true };
        await agents.ask({ do: 'join', url: server.url, token: await server.token('agent', name, grant) });
        await callers.ask({ do: 'join', url: server.url, token: await server.token('caller', name) });
      }
      await wait(SETTLE_MS);
      const before = await agents.ask<Sample>({ do: 'sample' });
      await wait(seconds * 1000);
      const after = await agents.ask<Sample>({ do: 'sample' });
      const micros = (after.atMs - before.atMs) * 1000;
      const frames = after.frames - before.frames;
      const thread = (s: Sample) => s.threadMicros ?? Number.NaN;
      const threadPercent = round(((thread(after) - thread(before)) / micros) * 100, 2);
      figures.push({
        host,
        mode,
        rooms,
        rssMb: round(after.rssBytes / 2 ** 20, 1),
        heapMb: round(after.heapBytes / 2 ** 20, 1),
        buffersMb: round(after.bufferBytes / 2 ** 20, 1),
        cpuPercent: round(((after.cpuMicros - before.cpuMicros) / micros) * 100, 1),
        threadPercent: Number.isNaN(threadPercent) ? null : threadPercent,
        latePercent: round(frames === 0 ? 100 : ((after.late - before.late) / frames) * 100, 2),
        framesPerRoomSecond: round(frames / rooms / (micros / 1e6), 1),
      });
    }
  } finally {
    await agents.end();
    await callers.end();
    await server.stop();
  }
  return figures;
}

/** Memory over so many visits to rooms, one after the other. */
async function grow(host: string, mode: string, cycles: number): Promise<string> {
  const server = await startRealServer();
  const agents = await startProcess(COMMANDS[host] ?? [], 'agents.ts', mode);
  const points: [cycle: number, mb: number][] = [];
  const started = performance.now();
  try {
    for (let i = 0; i < cycles; i++) {
      const token = await server.token('agent', `visit-${i}`, { agent: true, canUpdateOwnMetadata: true });
      const { rssBytes } = await agents.ask<Sample>({ do: 'visit', url: server.url, token });
      if (i >= cycles / 5) points.push([i, rssBytes / 2 ** 20]);
    }
  } finally {
    await agents.end();
    await server.stop();
  }
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const slope =
    points.reduce((sum, [i, mb]) => sum + (i - x) * (mb - y), 0) / points.reduce((sum, [i]) => sum + (i - x) ** 2, 0);
  const each = (performance.now() - started) / cycles;
  const ends = [points[0], points.at(-1)].map((point) => (point?.[1] ?? Number.NaN).toFixed(1).padStart(8));
  return `${host.padEnd(4)} ${mode.padEnd(10)} ${String(cycles).padStart(6)} ${ends.join(' ')} ${(slope * 1024).toFixed(1).padStart(10)} ${each.toFixed(0).padStart(10)}`;
}

/** A measurement takes the time that it takes. */
function wait(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}

const missing = await whyNot();
if (missing !== undefined) {
  console.error(`Not measured: ${missing}`);
  process.exit(1);
}
if (values.cycles !== undefined) {
  console.log(JSON.stringify(describeMachine()));
  console.log(
    'host mode       cycles   RSS MB from   to   slope kB a cycle (least squares, first fifth left out)   ms a cycle',
  );
  for (const host of values.hosts.split(','))
    for (const mode of values.modes.split(',')) console.log(await grow(host, mode, Number(values.cycles)));
  process.exit(0);
}
const results: Figures[] = [];
for (let run = 0; run < Number(values.runs); run++)
  for (const host of values.hosts.split(','))
    for (const mode of values.modes.split(',')) results.push(...(await measure(host, mode)));

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const of = (host: string, mode: string, rooms: number, what: keyof Figures) =>
  median(
    results
      .filter((r) => r.host === host && r.mode === mode && r.rooms === rooms)
      .map((r) => Number(r[what] ?? Number.NaN)),
  );
console.log(JSON.stringify(describeMachine()));
console.log('host mode       rooms   RSS MB   MB/room   CPU % of a core   JS thread %   late %   frames/room/s');
for (const host of values.hosts.split(','))
  for (const mode of values.modes.split(','))
    for (const [i, rooms] of steps.entries()) {
      const f = (what: keyof Figures) => of(host, mode, rooms, what);
      const fewer = steps[i - 1];
      const slope =
        fewer === undefined ? '' : ((f('rssMb') - of(host, mode, fewer, 'rssMb')) / (rooms - fewer)).toFixed(2);
      console.log(
        `${host.padEnd(4)} ${mode.padEnd(10)} ${String(rooms).padStart(5)} ${f('rssMb').toFixed(1).padStart(8)} ${slope.padStart(9)} ` +
          `${`${f('cpuPercent').toFixed(1)} (${(f('cpuPercent') / rooms).toFixed(2)} a room)`.padStart(22)} ` +
          `${`${f('threadPercent').toFixed(2)} (${(f('threadPercent') / rooms).toFixed(3)})`.padStart(15)} ${f('latePercent').toFixed(2).padStart(7)} ${f('framesPerRoomSecond').toFixed(1).padStart(8)}`,
      );
    }
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine: describeMachine(), options: values, results }, null, 2)}\n`);
process.exit(0);
