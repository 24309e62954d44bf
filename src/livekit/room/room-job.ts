// From an assigned job to a running call: joins the room, waits for the caller, opens the call, and tells the server how it ended.
import type { CallInput } from '../../transports/port.ts';
import type { AssignedJob, JobHandler, JobOutcome, RunningJob } from '../job.ts';
import { type Connect, withoutTokens } from './connection.ts';
import type { RoomObserver } from './room-observer.ts';
import type { RoomLimits } from './room-options.ts';
import { RoomTransport } from './room-transport.ts';
import type { LineClock } from './voice-line.ts';

/** A call as the room needs it. */
export interface OpenedCall {
  readonly input: CallInput;
  /** Says goodbye and ends; nothing happens where it has ended. */
  farewell(reason: string): void;
  /** Resolves when the session is over. */
  readonly done: Promise<unknown>;
}

export interface RoomJobOptions {
  readonly connect: Connect;
  readonly clock: LineClock;
  readonly random: () => number;
  /** Starts a session on the line and attaches it. A throw ends the job as failed. */
  readonly openCall: (transport: RoomTransport, job: AssignedJob) => OpenedCall;
  /** A token for joining again; default: that of the job. */
  readonly mintToken?: ((room: string, identity: string, job: AssignedJob) => Promise<string>) | undefined;
  /** The server's id of the room with this name; undefined: there is none. Asked when a join takes long. */
  readonly findRoom?: ((name: string) => Promise<string | undefined>) | undefined;
  readonly outputRateHz?: 24000 | 48000 | undefined;
  readonly sharedKey?: ((job: AssignedJob) => Uint8Array | undefined) | undefined;
  readonly limits?: Partial<RoomLimits> | undefined;
  /** Where this process runs. */
  readonly region?: string | undefined;
  readonly observer?: ((job: AssignedJob) => RoomObserver) | undefined;
}

/** Reasons for which the server's record should say that the call failed. */
const FAILURES: ReadonlySet<string> = new Set([
  'internal error',
  'connection lost',
  'model failure',
  'duplicate identity',
]);

/** For the worker. */
export function createRoomJobHandler(options: RoomJobOptions): JobHandler {
  const calls = new Map<string, RoomTransport>();
  return (job) => {
    const key = JSON.stringify([job.room.name, job.agentName, job.participant?.identity]);
    // The server lost its memory, not we: the call that is coming back to this room is the one that is wanted.
    if (calls.get(key)?.isReturning === true) {
      job.report({ status: 'success' });
      return { done: Promise.resolve({ status: 'success' }), stop: () => {} };
    }
    const { transport, running } = runJob(job, options);
    calls.set(key, transport);
    void transport.done.then(() => {
      if (calls.get(key) === transport) calls.delete(key);
    });
    return running;
  };
}

function runJob(job: AssignedJob, options: RoomJobOptions): { transport: RoomTransport; running: RunningJob } {
  const { mintToken, findRoom } = options;
  const { name, sid } = job.room;
  let outcome: JobOutcome | null = null;
  let call: OpenedCall | null = null;
  const report = (first: JobOutcome) => {
    if (outcome === null) job.report(first);
    outcome ??= first;
    return outcome;
  };
  const transport = new RoomTransport({
    connect: options.connect,
    clock: options.clock,
    random: options.random,
    url: job.url,
    token: job.token,
    roomSid: sid,
    isThere: findRoom === undefined ? undefined : async () => (await findRoom(name)) === sid,
    mintToken: (room, identity) => (mintToken === undefined ? job.freshToken() : mintToken(room, identity, job)),
    // A job about a participant is a call with that one.
    caller: job.participant?.identity,
    sharedKey: options.sharedKey?.(job),
    outputRateHz: options.outputRateHz,
    limits: options.limits,
    region: options.region,
    observer: options.observer?.(job),
    onEnding: (reason) => void report(outcomeOf(reason)),
  });
  const terminated = () => transport.close('job terminated');
  job.terminate.addEventListener('abort', terminated, { once: true });
  if (job.terminate.aborted) terminated();

  async function run(): Promise<JobOutcome> {
    try {
      await transport.open();
      if ((await transport.firstCaller) !== null) {
        call = options.openCall(transport, job);
        transport.bind(call.input);
      }
    } catch (error) {
      report({ status: 'failed', error: withoutTokens(error) });
      transport.close('internal error');
    }
    const reason = await transport.done;
    job.terminate.removeEventListener('abort', terminated);
    return report(outcomeOf(reason));
  }

  /** Politely where somebody listens and there is time. */
  function stop(reason: string, graceMs: number): void {
    if (call === null || graceMs <= 0) return transport.close(reason);
    call.farewell(reason);
    const cancel = options.clock.setTimer(() => transport.close(reason), graceMs);
    void transport.done.then(cancel);
  }

  return { transport, running: { done: run(), stop } };
}

function outcomeOf(reason: string): JobOutcome {
  return FAILURES.has(reason) ? { status: 'failed', error: reason } : { status: 'success' };
}
