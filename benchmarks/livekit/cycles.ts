// Memory over joins and leaves: a session and two controls visit rooms in which callers speak, at the same time and as often. What the
// controls differ by is noise: each process has heaps and threads of its own.
import { startRealServer } from '../../test/livekit/room/real-server.ts';
import type { Sample } from './agents.ts';
import type { Gates } from './gates.ts';
import { startScript, wait } from './process.ts';
import { startCallers } from './room-callers.ts';

export interface CycleOptions {
  readonly hosts: readonly string[];
  readonly cycles: number;
}

/** Visits of one process at one time, each to a room of its own. */
const LANES = 4;
/** Long enough to hear the caller, and to begin an answer now and then. */
const STAY_MS = 800;
/** Memory is looked at after so many visits, everybody gone and garbage collected. */
const EVERY = 25;
/** The first ones fill caches and pools, and the records of ended sessions (200). */
const WARM_UP = 200;
/** Without a name server, each join would leave threads that ask for the public STUN servers by name for ten seconds, hundreds at a time. */
const NO_NAME = '127.0.0.1:3478';
/** By process. */
const MODES = ['bare', 'session', 'bare'] as const;

export interface CyclePoint {
  readonly cycle: number;
  readonly bareMb: number;
  readonly sessionMb: number;
  readonly secondBareMb: number;
}

export async function measureCycles(host: string, cycles: number): Promise<CyclePoint[]> {
  const server = await startRealServer('', NO_NAME);
  const callers = await startCallers();
  const processes = await Promise.all(MODES.map((mode) => startScript(host, 'agents.ts', mode)));
  const points: CyclePoint[] = [];
  try {
    for (let room = 0; room < LANES * MODES.length; room++) {
      const token = await server.token('caller', `visited-${room}`);
      // Each process hears the same callers.
      await callers.ask({ do: 'join', url: server.url, token, start: (room % LANES) * 37 });
    }
    let visits = 0;
    async function visitAll(agents: (typeof processes)[number], rooms: number, count: number): Promise<void> {
      let left = count;
      await Promise.all(
        Array.from({ length: LANES }, async (_, lane) => {
          const room = `visited-${rooms + lane}`;
          while (left-- > 0) {
            const grant = { agent: true, canUpdateOwnMetadata: true };
            const token = await server.token(`agent-${rooms}-${visits++}`, room, grant);
            await agents.ask({ do: 'visit', url: server.url, token, stayMs: STAY_MS }).catch((error) => {
              console.error(`${MODES[rooms / LANES]}: ${String(error)}`);
            });
          }
        }),
      );
    }
    for (let cycle = 0; cycle < cycles; cycle += EVERY) {
      await Promise.all(processes.map((agents, i) => visitAll(agents, i * LANES, Math.min(EVERY, cycles - cycle))));
      await wait(300);
      const samples = await Promise.all(processes.map((agents) => agents.ask<Sample>({ do: 'collect' })));
      const [bareMb = Number.NaN, sessionMb = Number.NaN, secondBareMb = Number.NaN] = samples.map(
        ({ rssBytes }) => rssBytes / 2 ** 20,
      );
      const point = { cycle: Math.min(cycles, cycle + EVERY), bareMb, sessionMb, secondBareMb };
      points.push(point);
      console.error(JSON.stringify(point));
    }
  } finally {
    await Promise.all(processes.map((agents) => agents.end()));
    await callers.end();
    await server.stop();
  }
  return points;
}

/** Least squares: growth for a visit, in kB, and its standard error. */
function slope(points: readonly CyclePoint[], pick: (point: CyclePoint) => number): { kb: number; error: number } {
  const used = points.filter(({ cycle }) => cycle > WARM_UP);
  const mean = (of: (point: CyclePoint) => number) => used.reduce((sum, point) => sum + of(point), 0) / used.length;
  const [x, y] = [mean(({ cycle }) => cycle), mean(pick)];
  const spread = used.reduce((sum, { cycle }) => sum + (cycle - x) ** 2, 0);
  const kb = used.reduce((sum, point) => sum + (point.cycle - x) * (pick(point) - y), 0) / spread;
  const left = used.reduce((sum, point) => sum + (pick(point) - y - kb * (point.cycle - x)) ** 2, 0);
  return { kb: kb * 1024, error: Math.sqrt(left / (used.length - 2) / spread) * 1024 };
}

export function reportCycles(gates: Gates, host: string, points: readonly CyclePoint[]): void {
  console.log('cycle   control MB   session MB   second control MB');
  for (const { cycle, ...mb } of points)
    console.log(
      `${String(cycle).padStart(5)} ${Object.values(mb)
        .map((value) => value.toFixed(1).padStart(12))
        .join(' ')}`,
    );
  const bare = slope(points, (point) => point.bareMb);
  const second = slope(points, (point) => point.secondBareMb);
  const session = slope(points, (point) => point.sessionMb);
  const more = slope(points, (point) => point.sessionMb - (point.bareMb + point.secondBareMb) / 2);
  const noise = slope(points, (point) => point.secondBareMb - point.bareMb);
  const tell = ({ kb, error }: typeof bare) => `${kb.toFixed(0)} kB a visit (standard error ${error.toFixed(1)})`;
  console.log(
    `${host}, after the first ${WARM_UP}: controls ${tell(bare)} and ${tell(second)}, session ${tell(session)}; ` +
      `session over the mean of the controls ${tell(more)}, one control over the other ${tell(noise)}`,
  );
  const limit = Math.round(Math.max(2 * more.error, Math.abs(noise.kb)) * 10) / 10;
  gates.atMost(
    `${host}: growth over the controls; noise is their difference, or two standard errors`,
    more.kb,
    limit,
    'kB a visit',
  );
}
