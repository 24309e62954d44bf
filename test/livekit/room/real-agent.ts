// Jobs of a real server carried as calls by an agent that listens and talks a tone: what became of each.
// real time: a real server and callers in other processes.
import { createLiveKitApi } from '../../../src/livekit/api.ts';
import type { AssignedJob, JobOutcome } from '../../../src/livekit/job.ts';
import { loadNative } from '../../../src/livekit/room/native.ts';
import { nativeConnect } from '../../../src/livekit/room/native-connection.ts';
import { createRoomJobHandler, type RoomJobOptions } from '../../../src/livekit/room/room-job.ts';
import type { RoomEvent } from '../../../src/livekit/room/room-observer.ts';
import type { RoomTransport } from '../../../src/livekit/room/room-transport.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { type RealWorker, startWorker } from '../worker/real-worker.ts';
import { KEY, SECRET, until } from './real-server.ts';

export const AGENT_NAME = 'judge';
const LOUD = 1000;

export interface Visit {
  readonly job: AssignedJob;
  readonly assignedMs: number;
  readonly events: RoomEvent[];
  transport: RoomTransport | null;
  /** Loud packets of the caller. */
  loud: number;
  readonly closed: string[];
  outcome: JobOutcome | null;
  endedMs: number;
  /** What the server was told. */
  readonly reported: JobOutcome[];
}

export interface Jobs {
  readonly worker: RealWorker['worker'];
  readonly visits: Visit[];
  /** The newest job for this room. */
  visit(room: string, limitMs?: number): Promise<Visit>;
  stop(): Promise<void>;
}

export async function startJobs(server: string, options: Partial<RoomJobOptions> = {}): Promise<Jobs> {
  const support = await loadNative();
  if (!support.rtc) throw new Error(support.reason);
  const api = createLiveKitApi({ server, apiKey: KEY, apiSecret: SECRET });
  const visits: Visit[] = [];
  const of = (job: AssignedJob) => visits.find((one) => one.job.id === job.id) as Visit;
  const handler = createRoomJobHandler({
    connect: nativeConnect(support.native),
    clock: systemClock,
    random: Math.random,
    findRoom: async (name) => (await api.rooms.list([name]))[0]?.sid,
    observer: (job) => ({ event: (event) => of(job).events.push(event) }),
    openCall(transport, job) {
      const visit = of(job);
      visit.transport = transport;
      const hush = talk(transport);
      void transport.done.then(hush);
      return {
        done: transport.done,
        farewell: (reason) => transport.close(reason),
        input: {
          audio: (packet) => {
            const samples = new Int16Array(packet.buffer, packet.byteOffset, packet.length >> 1);
            if (samples.some((s) => Math.abs(s) > LOUD)) visit.loud++;
          },
          played: () => {},
          text: () => {},
          dtmf: () => {},
          close: (reason) => visit.closed.push(reason),
        },
      };
    },
    ...options,
  });
  const { worker, stop } = startWorker(
    server,
    { apiKey: KEY, apiSecret: SECRET },
    {
      runJob(assigned) {
        const reported: JobOutcome[] = [];
        const job: AssignedJob = {
          ...assigned,
          report(outcome) {
            reported.push(outcome);
            assigned.report(outcome);
          },
        };
        const visit: Visit = {
          job,
          assignedMs: systemClock.now(),
          events: [],
          transport: null,
          loud: 0,
          closed: [],
          outcome: null,
          endedMs: Number.NaN,
          reported,
        };
        visits.push(visit);
        const running = handler(job);
        void running.done.then((outcome) => {
          visit.outcome = outcome;
          visit.endedMs = systemClock.now();
        });
        return running;
      },
    },
  );
  await until('registration', 10_000, () => worker.status().ready);
  return {
    worker,
    visits,
    visit: (room, limitMs = 10_000) =>
      until(`a job for ${room}`, limitMs, () => visits.findLast((one) => one.job.room.name === room)),
    stop,
  };
}

/** A tone, as far ahead as the line wants it. */
function talk(transport: RoomTransport): () => void {
  const block = Int16Array.from({ length: 480 }, (_, i) => 8000 * Math.sin((i * Math.PI) / 24));
  let endMs = 0;
  const timer = setInterval(() => {
    const nowMs = systemClock.now();
    while (Math.max(endMs, nowMs) - nowMs < transport.leadMs) {
      transport.play(block);
      endMs = Math.max(endMs, nowMs) + 20;
    }
  }, 20);
  return () => clearInterval(timer);
}
