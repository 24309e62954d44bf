// Calls for several agents at once, and how long each takes to be in its room: seen by the caller who waits there.
import { AgentDispatchClient } from 'livekit-server-sdk';
import { KEY, type RealServer, SECRET, startRealServer } from '../../test/livekit/room/real-server.ts';
import { percentile } from '../statistics.ts';
import type { Gates } from './gates.ts';
import { wait } from './process.ts';
import { type SeenInRoom, startCallers } from './room-callers.ts';
import { startModels, startWorker, type Worker, type WorkerKind } from './workers.ts';

/** Of one round, in ms from the dispatch, in the order in which they came. */
export interface DispatchRound {
  readonly kind: WorkerKind;
  readonly joinedMs: readonly number[];
  /** First packet of the agent's voice track. */
  readonly heardMs: readonly number[];
}

const LIMIT_MS = 20_000;
/** Between rounds, for processes that are started ahead of their job. */
const REST_MS = 4000;

export async function dispatchAtOnce(
  server: RealServer,
  { kind, agentName }: Worker,
  rooms: readonly string[],
): Promise<DispatchRound> {
  const dispatches = new AgentDispatchClient(server.http, KEY, SECRET);
  const seen: SeenInRoom[] = [];
  const callers = await startCallers((event) => seen.push(event));
  const asked = new Map<string, number>();
  const times = (event: SeenInRoom['event']) =>
    rooms
      .map(
        (room) => (seen.find((s) => s.room === room && s.event === event)?.atMs ?? Number.NaN) - (asked.get(room) ?? 0),
      )
      .toSorted((a, b) => a - b);
  try {
    for (const room of rooms)
      await callers.ask({ do: 'join', url: server.url, token: await server.token('caller', room) });
    await wait(500);
    await Promise.all(
      rooms.map((room) => {
        asked.set(room, performance.timeOrigin + performance.now());
        return dispatches.createDispatch(room, agentName);
      }),
    );
    const limitMs = performance.now() + LIMIT_MS;
    while (times('joined').some(Number.isNaN) && performance.now() < limitMs) await wait(20);
    await wait(500);
    return { kind, joinedMs: times('joined'), heardMs: times('heard') };
  } finally {
    await callers.end();
    await Promise.all(rooms.map((room) => server.rooms.deleteRoom(room).catch(() => {})));
  }
}

export async function measureDispatches(
  kinds: readonly WorkerKind[],
  { host, rounds, atOnce }: { host: string; rounds: number; atOnce: number },
): Promise<DispatchRound[]> {
  const server = await startRealServer();
  const models = await startModels();
  const workers: Worker[] = [];
  const results: DispatchRound[] = [];
  try {
    for (const kind of kinds) workers.push(await startWorker(kind, server, models, host));
    for (let round = 0; round < rounds; round++)
      for (const worker of workers) {
        const rooms = Array.from({ length: atOnce }, (_, i) => `dispatch-${worker.kind}-${round}-${i}`);
        results.push(await dispatchAtOnce(server, worker, rooms));
        await wait(REST_MS);
      }
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
    await models.end();
    await server.stop();
  }
  return results;
}

export function reportDispatches(gates: Gates, host: string, rounds: readonly DispatchRound[]): void {
  console.log(
    'worker      round   ms from the dispatch until the agent is in its room            last voice track, ms',
  );
  for (const [i, { kind, joinedMs, heardMs }] of rounds.entries())
    console.log(
      `${kind.padEnd(11)} ${String(i).padStart(5)}   ${joinedMs
        .map((ms) => ms.toFixed(0).padStart(5))
        .join(' ')
        .padEnd(56)} ${(heardMs.at(-1) ?? Number.NaN).toFixed(0).padStart(6)}`,
    );
  const last = (kind: WorkerKind) => {
    const values = rounds.filter((round) => round.kind === kind).map(({ joinedMs }) => joinedMs.at(-1) ?? Number.NaN);
    return values.length === 0 ? Number.NaN : percentile(values, 0.5);
  };
  for (const kind of new Set(rounds.map((round) => round.kind)))
    console.log(`${kind}: the last one is in its room after ${last(kind).toFixed(0)} ms (median of the rounds)`);
  if (!Number.isNaN(last('bare')) && !Number.isNaN(last('session')))
    gates.atMost(`${host}: all at once in their rooms, over the control`, last('session') - last('bare'), 100, 'ms');
}
