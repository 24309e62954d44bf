// Which test files run at the same time: those that mostly wait for other processes share the machine, and what keeps it busy begins first.

export interface Cost {
  readonly seconds: number;
  /** How many cores it keeps busy meanwhile; `CORES`: nothing runs beside it. */
  readonly cores: number;
}

/** A machine of two cores is not filled to the brim: what is measured in ms has to be in time. */
export const CORES = 2;
export const ROOM = 1.7;
/** What only calculates. */
export const BUSY: Cost = { seconds: 10, cores: 1 };
const ORDINARY: Cost = { seconds: 10, cores: 0.4 };

/** Measured on two cores; only order and company depend on it. What is not named is ordinary. */
const COSTS: Readonly<Record<string, Cost>> = {
  'test/e2e/processes.test.ts': { seconds: 145, cores: 0.55 },
  'test/e2e/livekit-start.test.ts': { seconds: 100, cores: 0.6 },
  'test/e2e/history.test.ts': { seconds: 78, cores: 0.3 },
  'test/e2e/model-faults.test.ts': { seconds: 95, cores: 1 },
  'test/e2e/recovery.test.ts': { seconds: 64, cores: 0.25 },
  'test/e2e/process-alerts.test.ts': { seconds: 60, cores: 0.5 },
  'test/e2e/operations.test.ts': { seconds: 55, cores: 1 },
  'test/e2e/call-input.test.ts': { seconds: 43, cores: 0.95 },
  'test/e2e/livekit-goodbye.test.ts': { seconds: 42, cores: 0.55 },
  'test/e2e/recorded-calls.test.ts': { seconds: 40, cores: 1 },
  'test/e2e/telemetry.test.ts': { seconds: 33, cores: 0.8 },
  'test/e2e/http-abuse.test.ts': { seconds: 32, cores: 0.45 },
  'test/livekit/room/real-nodes.test.ts': { seconds: 28, cores: 0.4 },
  'test/livekit/room/real-room.test.ts': { seconds: 28, cores: 0.5 },
  'test/livekit/room/real-jobs.test.ts': { seconds: 27, cores: 0.5 },
  'test/e2e/socket-abuse.test.ts': { seconds: 25, cores: 0.5 },
  'test/livekit/worker/real-dispatch.test.ts': { seconds: 15, cores: 0.4 },
  'test/livekit/worker/real-server.test.ts': { seconds: 13, cores: 0.4 },
  'test/e2e/overload.test.ts': { seconds: 20, cores: CORES },
  'test/livekit/room/real-faults.test.ts': { seconds: 32, cores: CORES },
  'test/e2e/many-calls.test.ts': { seconds: 20, cores: CORES },
  'test/e2e/livekit-jobs.test.ts': { seconds: 13, cores: 1.3 },
};

export const NAMED: readonly string[] = Object.keys(COSTS);

export function costOf(file: string): Cost {
  return COSTS[file] ?? ORDINARY;
}

/** When a file is stopped: what takes three times as long as ever, and a minute, does not end any more. */
export function limitOf(file: string): number {
  return 60 + 3 * costOf(file).seconds;
}

/** What keeps cores busy first, so that what waits fits in beside it; what needs the machine for itself at the end. */
export function inOrder(files: readonly string[]): string[] {
  const rank = ({ cores }: Cost) => (cores >= CORES ? 0 : cores);
  return [...files].sort((a, b) => {
    const [one, other] = [costOf(a), costOf(b)];
    return rank(other) - rank(one) || other.seconds - one.seconds;
  });
}

/** Folders that fill a process of their own; in one for all, each collection of garbage goes through what everything before has left. */
const PARTS = ['audio', 'the rest', 'simulation', 'livekit', 'ops', 'session'];

/** The suites in parts, the longest first; what is in no folder of that list is `the rest`. */
export function inParts(files: readonly string[]): string[][] {
  const partOf = (file: string) => PARTS.find((folder) => file.startsWith(`test/${folder}/`)) ?? 'the rest';
  return PARTS.map((part) => files.filter((file) => partOf(file) === part)).filter((part) => part.length > 0);
}

/** Begins jobs in the order of their coming, each as soon as there is room beside those that run. */
export function createRoom(room: number): <T>(cost: Cost, work: () => Promise<T>) => Promise<T> {
  let busy = 0;
  const waiting: { readonly cores: number; begin(): void }[] = [];
  const admit = (): void => {
    for (const one of [...waiting]) {
      if (busy > 0 && busy + one.cores > room + 1e-9) continue;
      waiting.splice(waiting.indexOf(one), 1);
      busy += one.cores;
      one.begin();
    }
  };
  return async ({ cores }, work) => {
    await new Promise<void>((begin) => {
      waiting.push({ cores, begin });
      admit();
    });
    try {
      return await work();
    } finally {
      busy -= cores;
      // Tenths do not add up exactly.
      if (busy < 1e-9) busy = 0;
      admit();
    }
  };
}
