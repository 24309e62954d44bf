// Many rooms in one process: memory, processor time, late frames, step by step.
import { startRealServer } from '../../test/livekit/room/real-server.ts';
import { percentile, round } from '../statistics.ts';
import type { Sample } from './agents.ts';
import type { Gates } from './gates.ts';
import { startScript, wait } from './process.ts';
import { startCallers } from './room-callers.ts';
import { cpuMs, machineMs } from './system.ts';

export interface RoomFigures {
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
  /** The others on this machine, and what was left of it. */
  readonly serverPercent: number;
  readonly callersPercent: number;
  readonly idlePercent: number;
  /** Of one core: taken by what has nothing to do with this. */
  readonly strangersPercent: number;
}

export interface RoomOptions {
  readonly hosts: readonly string[];
  readonly modes: readonly string[];
  readonly steps: readonly number[];
  readonly seconds: number;
  readonly runs: number;
}

/** Where the control itself is late more often, its figures say nothing about anything but the machine. */
const MACHINE_LIMIT_PERCENT = 10;
/** Until what joining took is over, and code has been compiled. */
const SETTLE_MS = 8000;

export async function measureRooms(options: RoomOptions): Promise<RoomFigures[]> {
  const figures: RoomFigures[] = [];
  for (let run = 0; run < options.runs; run++)
    for (const host of options.hosts)
      for (const mode of options.modes) figures.push(...(await measure(host, mode, options)));
  return figures;
}

async function measure(host: string, mode: string, { steps, seconds }: RoomOptions): Promise<RoomFigures[]> {
  const server = await startRealServer();
  const agents = await startScript(host, 'agents.ts', mode);
  const callers = await startCallers();
  const look = async () => ({
    agents: await agents.ask<Sample>({ do: 'sample' }),
    serverMs: cpuMs(server.pid),
    callersMs: cpuMs(callers.pid),
    machine: machineMs(),
  });
  const figures: RoomFigures[] = [];
  let open = 0;
  try {
    for (const rooms of steps) {
      for (; open < rooms; open++) {
        const name = `bench-${open}`;
        const grant = { agent: true, canUpdateOwnMetadata: true };
        await agents.ask({ do: 'join', url: server.url, token: await server.token('agent', name, grant) });
        // Each begins at another place of the phrase.
        const token = await server.token('caller', name);
        await callers.ask({ do: 'join', url: server.url, token, start: open * 37 });
      }
      await wait(SETTLE_MS);
      const before = await look();
      await wait(seconds * 1000);
      const after = await look();
      const step = { host, mode, rooms, ...compare(before, after, rooms) };
      figures.push(step);
      console.error(JSON.stringify(step));
    }
  } catch (error) {
    // What the machine can not carry is told, with what it could.
    console.error(`${host} ${mode}: stopped after ${open} rooms: ${String(error)}`);
  } finally {
    await agents.end();
    await callers.end();
    await server.stop();
  }
  return figures;
}

interface Look {
  readonly agents: Sample;
  readonly serverMs: number;
  readonly callersMs: number;
  readonly machine: ReturnType<typeof machineMs>;
}

function compare(before: Look, after: Look, rooms: number): Omit<RoomFigures, 'host' | 'mode' | 'rooms'> {
  const [a, b] = [before.agents, after.agents];
  const ms = b.atMs - a.atMs;
  const percent = (took: number, digits = 1) => round((took / ms) * 100, digits);
  const frames = b.frames - a.frames;
  const thread =
    a.threadMicros === null || b.threadMicros === null ? null : percent((b.threadMicros - a.threadMicros) / 1000, 2);
  const total = after.machine.total - before.machine.total;
  const idle = after.machine.idle - before.machine.idle;
  const [server, callers] = [after.serverMs - before.serverMs, after.callersMs - before.callersMs];
  const ours = (b.cpuMicros - a.cpuMicros) / 1000 + server + callers;
  return {
    rssMb: round(b.rssBytes / 2 ** 20, 1),
    heapMb: round(b.heapBytes / 2 ** 20, 1),
    buffersMb: round(b.bufferBytes / 2 ** 20, 1),
    cpuPercent: percent((b.cpuMicros - a.cpuMicros) / 1000),
    threadPercent: thread,
    latePercent: round(frames === 0 ? 100 : ((b.late - a.late) / frames) * 100, 2),
    framesPerRoomSecond: round(frames / rooms / (ms / 1000), 1),
    serverPercent: percent(server),
    callersPercent: percent(callers),
    idlePercent: round((idle / total) * 100, 1),
    strangersPercent: percent(Math.max(0, total - idle - ours)),
  };
}

/** Median over the runs. */
function of(figures: readonly RoomFigures[], host: string, mode: string, rooms: number, what: keyof RoomFigures) {
  const values = figures
    .filter((f) => f.host === host && f.mode === mode && f.rooms === rooms)
    .map((f) => Number(f[what] ?? Number.NaN));
  return values.length === 0 ? Number.NaN : percentile(values, 0.5);
}

export function printRooms(figures: readonly RoomFigures[], { hosts, modes, steps }: RoomOptions): void {
  console.log(
    'host mode      rooms   RSS MB  MB/room  CPU % of a core (a room)   JS thread (a room)  late %  frames/s   server %  callers %  others %  machine idle %',
  );
  for (const host of hosts)
    for (const mode of modes)
      for (const [i, rooms] of steps.entries()) {
        const f = (what: keyof RoomFigures) => of(figures, host, mode, rooms, what);
        const share = (what: keyof RoomFigures) => `${f(what).toFixed(1)} (${(f(what) / rooms).toFixed(2)})`;
        const slope = i === 0 ? '' : perRoom(figures, host, mode, steps[i - 1] ?? 0, rooms).toFixed(2);
        console.log(
          `${host.padEnd(4)} ${mode.padEnd(9)} ${String(rooms).padStart(5)} ${f('rssMb').toFixed(1).padStart(8)} ${slope.padStart(8)} ` +
            `${share('cpuPercent').padStart(25)} ${share('threadPercent').padStart(20)} ${f('latePercent').toFixed(2).padStart(7)} ` +
            `${f('framesPerRoomSecond').toFixed(1).padStart(9)} ${f('serverPercent').toFixed(0).padStart(10)} ${f('callersPercent').toFixed(0).padStart(10)} ${f('strangersPercent').toFixed(0).padStart(9)} ${f('idlePercent').toFixed(0).padStart(15)}`,
        );
      }
}

function perRoom(figures: readonly RoomFigures[], host: string, mode: string, fewer: number, rooms: number): number {
  return (of(figures, host, mode, rooms, 'rssMb') - of(figures, host, mode, fewer, 'rssMb')) / (rooms - fewer);
}

export function gateRooms(gates: Gates, figures: readonly RoomFigures[], { hosts, modes, steps }: RoomOptions): void {
  if (!modes.includes('bare') || !modes.includes('session')) return;
  for (const host of hosts)
    for (const [i, rooms] of steps.entries()) {
      const f = (mode: string, what: keyof RoomFigures) => of(figures, host, mode, rooms, what);
      const more = (what: keyof RoomFigures) => f('session', what) - f('bare', what);
      const controlLate = f('bare', 'latePercent');
      if (!(controlLate <= MACHINE_LIMIT_PERCENT)) {
        console.log(
          `Not judged: ${host}, ${rooms} rooms. ${Number.isNaN(controlLate) ? 'The control did not get there' : `${controlLate} % of the control's own frames are late`}: this is the machine's limit.`,
        );
        continue;
      }
      const at = `${host}, ${rooms} rooms: `;
      const fewer = steps[i - 1];
      if (fewer !== undefined)
        gates.atMost(
          `${at}memory per further room over the control`,
          perRoom(figures, host, 'session', fewer, rooms) - perRoom(figures, host, 'bare', fewer, rooms),
          1,
          'MB',
        );
      // Only Node tells it.
      if (!Number.isNaN(f('session', 'threadPercent')))
        gates.atMost(
          `${at}JavaScript thread a room over the control`,
          more('threadPercent') / rooms,
          0.3,
          '% of a core',
        );
      gates.atMost(`${at}whole process`, f('session', 'cpuPercent') / f('bare', 'cpuPercent'), 1.25, 'x control');
      gates.atMost(`${at}late frames over the control`, more('latePercent'), 0.5, '%');
    }
}
