// What a program asks of a LiveKit server besides calls: rooms, dispatches, telephone. Plain values in and out.
import { AgentDispatch, CreateAgentDispatchRequest, ParticipantInfo_Kind } from '@livekit/protocol';
import { AccessToken, AgentDispatchClient, RoomServiceClient, SipClient } from 'livekit-server-sdk';
import { serverAddresses } from './addresses.ts';
import { asApiError, asSipError, LiveKitApiError } from './api-error.ts';
import {
  type AgentRequest,
  agentDispatch,
  type CallerTokenOptions,
  callerToken,
  type Credentials,
  MAX_NAME_CHARS,
} from './tokens.ts';

/** A room that is open. */
export interface RoomInfo {
  readonly sid: string;
  readonly name: string;
  readonly metadata: string;
  readonly participants: number;
  readonly createdAtMs: number;
}
/** Somebody in a room. */
export interface ParticipantSummary {
  readonly sid: string;
  readonly identity: string;
  readonly isAgent: boolean;
  /** Name under which an agent was dispatched; empty for others. */
  readonly agentName: string;
}
/** A wish for an agent in a room. */
export interface DispatchInfo {
  readonly id: string;
  readonly agentName: string;
  readonly room: string;
  readonly metadata: string;
  /** Jobs that came of it; up to 5 s after a worker registered the server does not list them yet. */
  readonly jobs: number;
}

/** A room that is to be made. Without a value the server's own default counts. */
export interface RoomRequest {
  readonly name: string;
  readonly metadata?: string | undefined;
  /** How long it stays open before anybody comes. */
  readonly emptyTimeoutSeconds?: number | undefined;
  /** How long it stays open after the last one has left. */
  readonly departureTimeoutSeconds?: number | undefined;
  readonly maxParticipants?: number | undefined;
  /** Dispatched at once, before the caller is there: hides the time that a dispatch takes. */
  readonly agents?: readonly AgentRequest[] | undefined;
}
/** A number that is to be rung and brought into a room. */
export interface SipCallRequest {
  readonly trunkId: string;
  readonly number: string;
  readonly room: string;
  readonly identity: string;
  readonly name?: string | undefined;
  readonly metadata?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** Digits to dial after the answer; `w` waits half a second. */
  readonly dtmf?: string | undefined;
  readonly ringingTimeoutSeconds?: number | undefined;
  readonly maxDurationSeconds?: number | undefined;
  /** Resolves when somebody answers; otherwise when it rings. Default true. */
  readonly waitUntilAnswered?: boolean | undefined;
}
/** A caller by telephone who is to be handed on. */
export interface SipTransferRequest {
  readonly room: string;
  readonly identity: string;
  /** `tel:+15105550100` or `sip:desk@example.com`. */
  readonly to: string;
  readonly playDialtone?: boolean | undefined;
  readonly ringingTimeoutSeconds?: number | undefined;
}

const MAX_SECONDS = 86_400;

/** All methods reject with `LiveKitApiError`. */
export interface LiveKitApi {
  /** Address that clients of the rooms use. */
  readonly roomsUrl: string;
  /** Mints a caller's token; nothing is asked of the server. */
  callerToken(options: CallerTokenOptions): Promise<string>;
  readonly rooms: {
    list(names?: readonly string[]): Promise<RoomInfo[]>;
    create(request: RoomRequest): Promise<RoomInfo>;
    delete(name: string): Promise<void>;
    participants(name: string): Promise<ParticipantSummary[]>;
  };
  readonly dispatch: {
    create(room: string, request: AgentRequest): Promise<DispatchInfo>;
    list(room: string): Promise<DispatchInfo[]>;
    delete(room: string, id: string): Promise<void>;
  };
  /** Needs a server with Redis, and LiveKit's SIP service beside it. */
  readonly sip: {
    /** Rings a number and brings who answers into the room as a participant. */
    call(request: SipCallRequest): Promise<{ readonly participantSid: string; readonly sipCallId: string }>;
    /** Hands a caller by telephone on to another number or address; the room loses the caller. */
    transfer(request: SipTransferRequest): Promise<void>;
  };
}

/** Where the server is, and as whom it is asked. */
export interface LiveKitApiOptions extends Credentials {
  readonly server: string;
  /** Longest wait for an answer; calls by telephone ring for longer. Default 10 s. */
  readonly timeoutMs?: number | undefined;
}

/** Throws `RangeError` when `server` is no address. */
export function createLiveKitApi(options: LiveKitApiOptions): LiveKitApi {
  const { api, rooms: roomsUrl } = serverAddresses(options.server);
  const { apiKey, apiSecret } = options;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const client = { requestTimeout: timeoutMs / 1000 };
  const rooms = new RoomServiceClient(api, apiKey, apiSecret, client);
  const dispatches = new AgentDispatchClient(api, apiKey, apiSecret, client);
  const sip = new SipClient(api, apiKey, apiSecret, client);
  return {
    roomsUrl,
    callerToken: (wanted) => callerToken({ apiKey, apiSecret }, wanted),
    rooms: {
      list: (names) => asked(async () => (await rooms.listRooms(names && [...names])).map(roomOf)),
      create: (request) =>
        asked(async () => {
          checkName('room', request.name);
          const { emptyTimeoutSeconds, departureTimeoutSeconds } = request;
          checkSeconds({ 'empty timeout': emptyTimeoutSeconds, 'departure timeout': departureTimeoutSeconds });
          return roomOf(await rooms.createRoom(createOptions(request)));
        }),
      delete: (name) => asked(() => rooms.deleteRoom(name)),
      participants: (name) => asked(async () => (await rooms.listParticipants(name)).map(participantOf)),
    },
    dispatch: {
      create: (room, request) =>
        asked(async () => {
          const { agentName, metadata } = request;
          checkName('room', room);
          // The SDK's own method has no attributes.
          if (request.attributes === undefined)
            return dispatchOf(await dispatches.createDispatch(room, agentName, given({ metadata })));
          return dispatchOf(await createDispatchWithAttributes({ api, apiKey, apiSecret, timeoutMs }, room, request));
        }),
      list: (room) => asked(async () => (await dispatches.listDispatch(room)).map(dispatchOf)),
      delete: (room, id) => asked(() => dispatches.deleteDispatch(id, room)),
    },
    sip: {
      call: (request) =>
        asked(async () => {
          const { trunkId, number, room } = request;
          checkName('room', room);
          checkSeconds({ ringing: request.ringingTimeoutSeconds, 'longest call': request.maxDurationSeconds });
          const info = await sip.createSipParticipant(trunkId, number, room, sipOptions(request));
          return { participantSid: info.participantId, sipCallId: info.sipCallId };
        }, asSipError),
      transfer: ({ room, identity, to, playDialtone, ringingTimeoutSeconds: ringingTimeout }) =>
        asked(async () => {
          checkName('room', room);
          checkSeconds({ ringing: ringingTimeout });
          await sip.transferSipParticipant(room, identity, to, given({ playDialtone, ringingTimeout }));
        }, asSipError),
    },
  };
}

async function asked<T>(ask: () => Promise<T>, asError = asApiError): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw asError(error);
  }
}

/** The server makes a room of any name, the empty one too, and nobody could ever join that. */
function checkName(what: string, name: string): void {
  if (name !== '' && name.length <= MAX_NAME_CHARS) return;
  throw new LiveKitApiError('invalid', `${what}: wanted 1 to ${MAX_NAME_CHARS} characters`);
}

function checkSeconds(times: Readonly<Record<string, number | undefined>>): void {
  for (const [what, seconds] of Object.entries(times)) {
    if (seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS)) continue;
    throw new LiveKitApiError('invalid', `${what}: wanted whole seconds, 1 to ${MAX_SECONDS}`);
  }
}

/** Without the fields that are undefined: the SDK takes them for values. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function createOptions(request: RoomRequest) {
  const { name, metadata, maxParticipants, agents } = request;
  return given({
    name,
    metadata,
    maxParticipants,
    emptyTimeout: request.emptyTimeoutSeconds,
    departureTimeout: request.departureTimeoutSeconds,
    agents: agents?.map(agentDispatch),
  });
}

function sipOptions(request: SipCallRequest) {
  return given({
    participantIdentity: request.identity,
    participantName: request.name,
    participantMetadata: request.metadata,
    participantAttributes: request.attributes && { ...request.attributes },
    dtmf: request.dtmf,
    ringingTimeout: request.ringingTimeoutSeconds,
    maxCallDuration: request.maxDurationSeconds,
    waitUntilAnswered: request.waitUntilAnswered ?? true,
  });
}

async function createDispatchWithAttributes(
  { api, apiKey, apiSecret, timeoutMs }: Credentials & { readonly api: string; readonly timeoutMs: number },
  room: string,
  { agentName, metadata = '', attributes = {} }: AgentRequest,
): Promise<AgentDispatch> {
  const token = new AccessToken(apiKey, apiSecret, { ttl: 600 });
  token.addGrant({ roomAdmin: true, room });
  const wanted = new CreateAgentDispatchRequest({ room, agentName, metadata, attributes: { ...attributes } });
  const response = await fetch(new URL('/twirp/livekit.AgentDispatchService/CreateDispatch', api), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await token.toJwt()}` },
    body: wanted.toJsonString(),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (response.ok) return AgentDispatch.fromJsonString(text, { ignoreUnknownFields: true });
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  const { msg = text, code }: { msg?: string; code?: string } = isJson ? JSON.parse(text) : {};
  throw Object.assign(new Error(msg), { status: response.status, code });
}

type Room = Awaited<ReturnType<RoomServiceClient['listRooms']>>[number];
type Participant = Awaited<ReturnType<RoomServiceClient['listParticipants']>>[number];
type Dispatch = Awaited<ReturnType<AgentDispatchClient['listDispatch']>>[number];

function roomOf({ sid, name, metadata, numParticipants, creationTime }: Room): RoomInfo {
  return { sid, name, metadata, participants: numParticipants, createdAtMs: Number(creationTime) * 1000 };
}

function participantOf({ sid, identity, kind, attributes }: Participant): ParticipantSummary {
  const isAgent = kind === ParticipantInfo_Kind.AGENT;
  return { sid, identity, isAgent, agentName: isAgent ? (attributes['lk.agent_name'] ?? '') : '' };
}

function dispatchOf({ id, agentName, room, metadata, state }: Dispatch): DispatchInfo {
  return { id, agentName, room, metadata, jobs: state?.jobs.length ?? 0 };
}
