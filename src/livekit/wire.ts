// The messages between worker and server: plain objects on our side, binary protobuf or protojson on the wire.
import {
  type Job,
  JobStatus,
  JobType as ProtoJobType,
  ServerMessage,
  WorkerMessage,
  WorkerStatus,
} from '@livekit/protocol';
import type { JobDescription, JobOutcome, JobParticipant, JobType } from './job.ts';

/** `json`: text frames that a person can read; the server then answers in kind. */
export type WireFormat = 'binary' | 'json';
export type Frame = Uint8Array | string;

/** What the agent may do in its rooms. Limits on the kinds of its tracks are not among it: the server leaves them out of the token. */
export interface AgentPermissions {
  readonly canSubscribe: boolean;
  readonly canPublish: boolean;
  readonly canPublishData: boolean;
  readonly canUpdateMetadata: boolean;
  /** The others in the room do not see the agent. */
  readonly hidden: boolean;
}

export const DEFAULT_PERMISSIONS: AgentPermissions = {
  canSubscribe: true,
  canPublish: true,
  canPublishData: true,
  canUpdateMetadata: true,
  hidden: false,
};

export type WorkerNews =
  | {
      readonly type: 'register';
      readonly agentName: string;
      readonly jobType: JobType;
      readonly namespace: string | undefined;
      readonly deployment: string;
      readonly version: string;
      readonly pingIntervalMs: number;
      readonly permissions: AgentPermissions;
    }
  | { readonly type: 'accept'; readonly jobId: string; readonly participant: Acceptance }
  /** `done`: nobody else is asked either. */
  | { readonly type: 'refuse'; readonly jobId: string; readonly done: boolean }
  | { readonly type: 'status'; readonly available: boolean; readonly load: number; readonly jobCount: number }
  | { readonly type: 'job-running'; readonly jobId: string }
  | { readonly type: 'job-ended'; readonly jobId: string; readonly outcome: JobOutcome }
  | { readonly type: 'ping'; readonly atMs: number }
  | { readonly type: 'migrate'; readonly jobIds: readonly string[] };

/** How the agent appears in the room. */
export interface Acceptance {
  readonly identity: string;
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ServerFacts {
  readonly workerId: string;
  readonly serverVersion: string;
  readonly agentProtocol: number;
  readonly region: string;
  readonly nodeId: string;
}

export type ServerNews =
  | { readonly type: 'registered'; readonly facts: ServerFacts }
  /** `job` is undefined where we can not make sense of it. */
  | { readonly type: 'offer'; readonly jobId: string; readonly job: JobDescription | undefined }
  | {
      readonly type: 'assignment';
      readonly jobId: string;
      readonly job: JobDescription | undefined;
      readonly url: string | undefined;
      readonly token: string;
    }
  | { readonly type: 'pong'; readonly pingAtMs: number }
  | { readonly type: 'termination'; readonly jobId: string }
  /** A message of a later protocol, or one without what it needs. */
  | { readonly type: 'unknown' };

const JOB_TYPES: ReadonlyMap<ProtoJobType, JobType> = new Map([
  [ProtoJobType.JT_ROOM, 'room'],
  [ProtoJobType.JT_PUBLISHER, 'publisher'],
  [ProtoJobType.JT_PARTICIPANT, 'participant'],
]);
const PROTO_JOB_TYPES = { room: 0, publisher: 1, participant: 2 } as const satisfies Record<JobType, ProtoJobType>;
/** The server keeps it in memory and in its log. */
const MAX_ERROR_CHARS = 500;

/** Throws when the frame is no message at all. */
export function readServerFrame(frame: Frame): ServerNews {
  const { message } =
    typeof frame === 'string'
      ? ServerMessage.fromJsonString(frame, { ignoreUnknownFields: true })
      : ServerMessage.fromBinary(frame);
  switch (message.case) {
    case 'register': {
      const { workerId, serverInfo } = message.value;
      return {
        type: 'registered',
        facts: {
          workerId,
          serverVersion: serverInfo?.version ?? '',
          agentProtocol: serverInfo?.agentProtocol ?? 0,
          region: serverInfo?.region ?? '',
          nodeId: serverInfo?.nodeId ?? '',
        },
      };
    }
    case 'availability': {
      const { job } = message.value;
      if (job === undefined || job.id === '') return { type: 'unknown' };
      return { type: 'offer', jobId: job.id, job: describe(job) };
    }
    case 'assignment': {
      const { job, url, token } = message.value;
      if (job === undefined || job.id === '') return { type: 'unknown' };
      // An empty text is how some servers write "none".
      return { type: 'assignment', jobId: job.id, job: describe(job), url: url === '' ? undefined : url, token };
    }
    case 'pong':
      return { type: 'pong', pingAtMs: Number(message.value.lastTimestamp) };
    case 'termination':
      return { type: 'termination', jobId: message.value.jobId };
    default:
      return { type: 'unknown' };
  }
}

function describe(job: Job): JobDescription | undefined {
  const type = JOB_TYPES.get(job.type);
  if (type === undefined || job.room === undefined || job.room.name === '') return undefined;
  const { sid, name, metadata } = job.room;
  return {
    id: job.id,
    type,
    room: { sid, name, metadata },
    participant: job.participant === undefined ? undefined : participantOf(job.participant),
    metadata: job.metadata,
    attributes: { ...job.attributes },
    agentName: job.agentName,
    dispatchId: job.dispatchId,
  };
}

function participantOf({ sid, identity, name, metadata, attributes }: NonNullable<Job['participant']>): JobParticipant {
  return { sid, identity, name, metadata, attributes: { ...attributes } };
}

export function writeWorkerFrame(news: WorkerNews, format: WireFormat): Frame {
  const message = new WorkerMessage({ message: body(news) });
  return format === 'json' ? message.toJsonString() : message.toBinary();
}

type Body = NonNullable<ConstructorParameters<typeof WorkerMessage>[0]>['message'];

function body(news: WorkerNews): Body {
  switch (news.type) {
    case 'register':
      return {
        case: 'register',
        value: {
          type: PROTO_JOB_TYPES[news.jobType],
          agentName: news.agentName,
          ...(news.namespace === undefined ? {} : { namespace: news.namespace }),
          deployment: news.deployment,
          version: news.version,
          pingInterval: Math.max(1, Math.round(news.pingIntervalMs / 1000)),
          allowedPermissions: {
            ...news.permissions,
            agent: true,
          },
        },
      };
    case 'accept': {
      const { identity, name, metadata, attributes } = news.participant;
      return {
        case: 'availability',
        value: {
          jobId: news.jobId,
          available: true,
          participantIdentity: identity,
          participantName: name,
          participantMetadata: metadata,
          participantAttributes: { ...attributes },
        },
      };
    }
    case 'refuse':
      return { case: 'availability', value: { jobId: news.jobId, available: false, terminate: news.done } };
    case 'status':
      return {
        case: 'updateWorker',
        value: {
          status: news.available ? WorkerStatus.WS_AVAILABLE : WorkerStatus.WS_FULL,
          load: news.load,
          jobCount: news.jobCount,
        },
      };
    case 'job-running':
      return { case: 'updateJob', value: { jobId: news.jobId, status: JobStatus.JS_RUNNING } };
    case 'job-ended': {
      const { outcome } = news;
      return {
        case: 'updateJob',
        value: {
          jobId: news.jobId,
          status: outcome.status === 'success' ? JobStatus.JS_SUCCESS : JobStatus.JS_FAILED,
          error: outcome.status === 'success' ? '' : outcome.error.slice(0, MAX_ERROR_CHARS),
        },
      };
    }
    case 'ping':
      return { case: 'ping', value: { timestamp: BigInt(Math.round(news.atMs)) } };
    case 'migrate':
      return { case: 'migrateJob', value: { jobIds: [...news.jobIds] } };
  }
}
