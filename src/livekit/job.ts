// The port between the worker and the room side: what a job is, and how the one who runs it answers.

/** `room`: one for a room. `publisher`: one for each participant who publishes. `participant`: one for each who joins. */
export type JobType = 'room' | 'publisher' | 'participant';

/** Facts about a job that are known when it is offered. */
export interface JobDescription {
  readonly id: string;
  readonly type: JobType;
  readonly room: { readonly sid: string; readonly name: string; readonly metadata: string };
  /** Whom the job is about; undefined for jobs of type `room`. */
  readonly participant: JobParticipant | undefined;
  /** Text that the dispatch carried. */
  readonly metadata: string;
  /** Attributes that the dispatch carried. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly agentName: string;
  readonly dispatchId: string;
}

/** Somebody in a room, as the server described them when the job was offered. */
export interface JobParticipant {
  readonly sid: string;
  readonly identity: string;
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What an agent says to a job that it is offered. */
export type OfferAnswer =
  | {
      readonly accept: true;
      /** Who the agent is in the room. Default `agent-JOBID`. */
      readonly identity?: string | undefined;
      /** Name that the others see. */
      readonly name?: string | undefined;
      readonly metadata?: string | undefined;
      readonly attributes?: Readonly<Record<string, string>> | undefined;
    }
  /** `done`: no other worker is to be asked either. */
  | { readonly accept: false; readonly done?: boolean | undefined };

/** Decides about a job that is offered. The signal is aborted when nobody waits for the answer any more. */
export type OfferHandler = (offer: JobDescription, signal: AbortSignal) => OfferAnswer | Promise<OfferAnswer>;

/** A job that is ours. Numbers and texts only: nothing of the wire format. */
export interface AssignedJob extends JobDescription {
  /** Identity that the agent has in the room. */
  readonly identity: string;
  /** Signalling address of the room, `ws:` or `wss:`. */
  readonly url: string;
  /** Room token of the server, valid for one hour. */
  readonly token: string;
  /** A new room token for the same identity, for a join after the SDK has given up. */
  freshToken(): Promise<string>;
  /** Aborted when the server ends the job. `reason` is a text. Never rely on it alone: the server sends nothing in its blind
   *  window and nothing after the worker's own reconnect, so what happens in the room ends the call. */
  readonly terminate: AbortSignal;
  /** Tells the server how the job ended. Call it before leaving the room: an agent that leaves first is recorded as failed.
   *  Only the first call counts; where it was not called, the outcome of `done` is reported. */
  report(outcome: JobOutcome): void;
}

export type JobOutcome =
  | { readonly status: 'success' }
  /** `error` goes to the server's record: no word of what was said in the call. */
  | { readonly status: 'failed'; readonly error: string };

export interface RunningJob {
  /** Settles when the room is left and everything is given back. A rejection counts as failed. */
  readonly done: Promise<JobOutcome>;
  /** Ends the call politely; `done` must settle within `graceMs`. A second call may shorten the grace. Never throws. */
  stop(reason: string, graceMs: number): void;
}

/** Runs one job. Called when the assignment is there; a throw counts as a failed launch. */
export interface JobHandler {
  (job: AssignedJob): RunningJob;
}
