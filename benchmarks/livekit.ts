// Calls in rooms of a real livekit-server, beside a bare echo with the same native client: `bun benchmarks/livekit.ts PART [options]`.
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { whyNot } from '../test/livekit/room/real-server.ts';
import { measureCalls, reportCalls } from './livekit/calls.ts';
import { measureCycles, reportCycles } from './livekit/cycles.ts';
import { measureDispatches, reportDispatches } from './livekit/dispatches.ts';
import { Gates } from './livekit/gates.ts';
import { gateRooms, measureRooms, printRooms } from './livekit/rooms.ts';
import { KINDS, RIVAL_MISSING, type WorkerKind } from './livekit/workers.ts';
import { describeMachine } from './machine.ts';

const USAGE = `bun benchmarks/livekit.ts PART [options]
  rooms        many rooms in one process: memory, processor time, late frames
    --rooms LIST    steps, ascending (default 10,25,50)
    --modes LIST    bare,transport,session (default bare,session; bare is the control)
    --seconds S     length of a measurement (default 10)
    --runs R        times that the modes are run in turn; medians are told (default 1)
  cycles       memory over joins and leaves, a session and two controls at the same time
    --cycles N      visits of each (default 500)
  dispatch     agents that are called for at once: when all are in their rooms
    --at-once N     (default 6)
    --rounds R      of each worker, in turn (default 5)
  calls        a few calls through each worker, as programs: memory, processor time, voice to voice, time in the room
    --calls N       at one time (default 3)
    --turns T       that are counted (default 4)
  --workers LIST    of dispatch and calls: bare,session,strict,agents-js (default bare,session; calls: all that are installed)
  --hosts LIST      bun,node,deno (default node)
  --json FILE       results as JSON
Needs livekit-server (scripts/install-livekit-server.ts) and Go for the callers. Callers, server and agents share the machine.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hosts: { type: 'string', default: 'node' },
    rooms: { type: 'string', default: '10,25,50' },
    modes: { type: 'string', default: 'bare,session' },
    seconds: { type: 'string', default: '10' },
    cycles: { type: 'string', default: '500' },
    runs: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '6' },
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string', default: '3' },
    turns: { type: 'string', default: '4' },
    workers: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const hosts = values.hosts.split(',');
const gates = new Gates();

function workers(fallback: readonly WorkerKind[]): readonly WorkerKind[] {
  const asked = (values.workers?.split(',') ?? fallback) as WorkerKind[];
  const unknown = asked.find((kind) => !KINDS.includes(kind));
  if (unknown !== undefined) throw new Error(`Unknown worker "${unknown}": use ${KINDS.join(', ')}`);
  if (RIVAL_MISSING === undefined || !asked.includes('agents-js')) return asked;
  console.log(`Left out: ${RIVAL_MISSING}`);
  return asked.filter((kind) => kind !== 'agents-js');
}

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  async rooms() {
    const options = {
      hosts,
      modes: values.modes.split(','),
      steps: values.rooms.split(',').map(Number),
      seconds: Number(values.seconds),
      runs: Number(values.runs),
    };
    const figures = await measureRooms(options);
    printRooms(figures, options);
    gateRooms(gates, figures, options);
    return figures;
  },
  async cycles() {
    const all: Record<string, unknown> = {};
    for (const host of hosts) {
      const points = await measureCycles(host, Number(values.cycles));
      reportCycles(gates, host, points);
      all[host] = points;
    }
    return all;
  },
  async dispatch() {
    const all: Record<string, unknown> = {};
    for (const host of hosts) {
      const options = { host, rounds: Number(values.rounds), atOnce: Number(values['at-once']) };
      const rounds = await measureDispatches(workers(['bare', 'session']), options);
      reportDispatches(gates, host, rounds);
      all[host] = rounds;
    }
    return all;
  },
  async calls() {
    const all: Record<string, unknown> = {};
    for (const host of hosts) {
      const options = { host, kinds: workers(KINDS), calls: Number(values.calls), turns: Number(values.turns) };
      const measured = await measureCalls(options);
      reportCalls(gates, measured, options);
      all[host] = measured;
    }
    return all;
  },
};

const [name = 'rooms'] = positionals;
const part = parts[name];
if (part === undefined) {
  console.error(`Unknown part "${name}": use ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
const missing = await whyNot();
if (missing !== undefined) {
  console.error(`Not measured: ${missing}`);
  process.exit(1);
}
/** Other work of this machine comes after all that is measured here, where that can be asked for: only root may, and Linux weighs sessions
 *  before it weighs processes. */
function goFirst(): void {
  const session = '/proc/self/autogroup';
  try {
    setPriority(-15);
    const before = / nice (-?\d+)/.exec(readFileSync(session, 'utf8'))?.[1];
    if (before === undefined) return;
    writeFileSync(session, '-15');
    process.once('exit', () => writeFileSync(session, before));
  } catch {
    console.error(
      'Other work of this machine is not put behind this: figures of a busy machine are those of a busy machine',
    );
  }
}

const machine = describeMachine();
goFirst();
const results = await part();
const good = gates.print();
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, part: name, options: values, results }, null, 2)}\n`);
process.exit(good ? 0 : 1);
