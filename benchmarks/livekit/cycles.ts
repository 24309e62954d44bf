// Memory over joins and leaves: session and control visit rooms in which callers speak, at the same time and as often.
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
const LANES = 5;
/** Long enough to hear the caller, and to begin an answer now and then. */
const STAY_MS = 800;
/** Memory is looked at after so many visits, everybody gone and garbage collected. */
const EVERY = 25;
/** The first ones fill caches and pools. */
const WARM_UP = 100;

export interface CyclePoint {
  readonly cycle: number;
  readonly bareMb: number;
  readonly sessionMb: number;
}

export async function measureCycles(host: string, cycles: number): Promise<CyclePoint[]> {
  const server = await startRealServer();
  const callers = await startCallers();
  const modes = await Promise.all(['bare', 'session'].map((mode) => startScript(host, 'agents.ts', mode)));
  const points: CyclePoint[] = [];
  try {
    for (let lane = 0; lane < LANES * 2; lane++) {
      const token = await server.token('caller', `visited-${lane}`);
      await callers.ask({ do: 'join', url: server.url, token, start: lane * 37 });
    }
    let visits = 0;
    async function visitAll(agents: (typeof modes)[number], rooms: number, count: number): Promise<void> {
      let left = count;
      await Promise.all(
        Array.from({ length: LANES }, async (_, lane) => {
          const room = `visited-${rooms + lane}`;
          while (left-- > 0) {
            const grant = { agent: true, canUpdateOwnMetadata: true };
            const token = await server.token(`agent-${rooms}-${visits++}`, room, grant);
            await agents.ask({ do: 'visit', url: server.url, token, stayMs: STAY_MS }).catch((error) => {
              console.error(`${rooms === 0 ? 'control' : 'session'}: ${String(error)}`);
            });
          }
        }),
      );
    }
    for (let cycle = 0; cycle < cycles; cycle += EVERY) {
      await Promise.all(modes.map((agents, i) => visitAll(agents, i * LANES, Math.min(EVERY, cycles - cycle))));
      await wait(300);
      const [bare, session] = await Promise.all(modes.map((agents) => agents.ask<Sample>({ do: 'collect' })));
      const mb = (sample: Sample | undefined) => (sample?.rssBytes ?? Number.NaN) / 2 ** 20;
      const point = { cycle: Math.min(cycles, cycle + EVERY), bareMb: mb(bare), sessionMb: mb(session) };
      points.push(point);
      console.error(JSON.stringify(point));
    }
  } finally {
    await Promise.all(modes.map((agents) => agents.end()));
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
  console.log('cycle   control MB   session MB');
  for (const { cycle, bareMb, sessionMb } of points)
    console.log(`${String(cycle).padStart(5)} ${bareMb.toFixed(1).padStart(12)} ${sessionMb.toFixed(1).padStart(12)}`);
  const bare = slope(points, (point) => point.bareMb);
  const session = slope(points, (point) => point.sessionMb);
  const more = slope(points, (point) => point.sessionMb - point.bareMb);
  const tell = ({ kb, error }: typeof bare) => `${kb.toFixed(0)} kB a visit (standard error ${error.toFixed(0)})`;
  console.log(
    `${host}, after the first ${WARM_UP}: control ${tell(bare)}, session ${tell(session)}, difference ${tell(more)}`,
  );
  gates.atMost(`${host}: growth over the control less two standard errors`, more.kb - 2 * more.error, 0, 'kB a visit');
}
