// Sees to it that an agent really comes: a dispatch that finds no worker is never repeated by the server, so we repeat it.
import type { LiveKitApi } from './api.ts';
import { LiveKitApiError } from './api-error.ts';
import type { Clock } from './clock.ts';

/** What `summonAgent` is given. Times in ms. */
export interface SummonOptions {
  readonly api: Pick<LiveKitApi, 'dispatch' | 'rooms'>;
  readonly room: string;
  readonly agentName: string;
  readonly metadata?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** How long one dispatch may take; 350 to 600 ms are usual. Default 5 s. */
  readonly withinMs?: number | undefined;
  /** How many dispatches are made at most. Default 3. */
  readonly attempts?: number | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Whether an agent came, and after how many dispatches. */
export interface Summoned {
  readonly dispatchId: string | undefined;
  /** The agent in the room; undefined when none came. */
  readonly identity: string | undefined;
  readonly attempts: number;
  readonly waitedMs: number;
}

/** Often enough that nobody notices, seldom enough that the server does not either. */
const LOOK_MS = 250;

/** Dispatches an agent and resolves when it is in the room, or when the last attempt has had its time. Rejects with
 *  `LiveKitApiError` when the server cannot be asked, and with the signal's reason when that is aborted. */
export async function summonAgent(options: SummonOptions): Promise<Summoned> {
  const { api, room, agentName, metadata, attributes, clock, signal, withinMs = 5000, attempts = 3 } = options;
  const startedMs = clock.now();
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const { id } = await api.dispatch.create(room, { agentName, metadata, attributes });
    const untilMs = clock.now() + withinMs;
    let identity = await findAgent(api, room, agentName);
    while (identity === undefined && clock.now() < untilMs) {
      await pause(clock, LOOK_MS, signal);
      identity = await findAgent(api, room, agentName);
    }
    const isLast = attempt >= attempts;
    if (identity !== undefined || isLast) {
      return { dispatchId: id, identity, attempts: attempt, waitedMs: clock.now() - startedMs };
    }
    // Gone before the next one is made: an agent that comes late must not meet a second one.
    await api.dispatch.delete(room, id).catch((error: unknown) => {
      if (!(error instanceof LiveKitApiError && error.kind === 'not-found')) throw error;
    });
  }
}

async function findAgent(api: SummonOptions['api'], room: string, agentName: string): Promise<string | undefined> {
  try {
    const all = await api.rooms.participants(room);
    return all.find((one) => one.isAgent && one.agentName === agentName)?.identity;
  } catch (error) {
    // A room that nobody has entered may be gone.
    if (error instanceof LiveKitApiError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimer(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
