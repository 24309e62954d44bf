// Mints the tokens of a LiveKit server. The API secret is known here and nowhere else.
import { RoomAgentDispatch, RoomConfiguration } from '@livekit/protocol';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import type { Acceptance, AgentPermissions } from './wire.ts';

/** API key and secret of a LiveKit server. */
export interface Credentials {
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** What the worker needs: a token for each connection attempt, and one for an agent that joins again by itself. */
export interface TokenSource {
  worker(): Promise<string>;
  agent(room: string, agentName: string, participant: Acceptance, permissions: AgentPermissions): Promise<string>;
}

/** Looked at during the upgrade only. */
const WORKER_TTL_SECONDS = 600;
/** As long as the one that comes with an assignment. */
const AGENT_TTL_SECONDS = 3600;

export function createTokenSource({ apiKey, apiSecret }: Credentials): TokenSource {
  return {
    worker() {
      const token = new AccessToken(apiKey, apiSecret, { ttl: WORKER_TTL_SECONDS });
      token.addGrant({ agent: true });
      return token.toJwt();
    },
    agent(room, agentName, { identity, name, metadata, attributes }, permissions) {
      const token = new AccessToken(apiKey, apiSecret, {
        identity,
        name,
        metadata,
        attributes: { ...attributes, 'lk.agent_name': agentName },
        ttl: AGENT_TTL_SECONDS,
      });
      token.kind = 'agent';
      token.addGrant({
        roomJoin: true,
        room,
        agent: true,
        canSubscribe: permissions.canSubscribe,
        canPublish: permissions.canPublish,
        canPublishData: permissions.canPublishData,
        canUpdateOwnMetadata: permissions.canUpdateMetadata,
        ...(permissions.hidden ? { hidden: true } : {}),
      });
      return token.toJwt();
    },
  };
}

/** Whom a token is for, and what it allows. */
export interface CallerTokenOptions {
  readonly room: string;
  readonly identity: string;
  readonly name?: string | undefined;
  readonly metadata?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** How long it may be used to join. Default 10 minutes, at most 24 hours. */
  readonly ttlSeconds?: number | undefined;
  /** May hear only. Default false. */
  readonly listenOnly?: boolean | undefined;
  /** Agents that are dispatched when this token creates the room. */
  readonly agents?: readonly AgentRequest[] | undefined;
}
/** An agent that is asked for, and what it is told. */
export interface AgentRequest {
  readonly agentName: string;
  readonly metadata?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

export const CALLER_TTL_SECONDS = 600;
export const MAX_CALLER_TTL_SECONDS = 86_400;
/** What the server allows for names of rooms and people. */
export const MAX_NAME_CHARS = 256;

/** A token for one identity in one room: no listing, no recording, no administration. Throws `RangeError` with a reason. */
export async function callerToken(credentials: Credentials, options: CallerTokenOptions): Promise<string> {
  const { room, identity, agents = [] } = options;
  for (const [what, text] of Object.entries({ room, identity })) {
    if (text === '' || text.length > MAX_NAME_CHARS) {
      throw new RangeError(`${what}: wanted 1 to ${MAX_NAME_CHARS} characters`);
    }
  }
  const ttl = options.ttlSeconds ?? CALLER_TTL_SECONDS;
  if (!(Number.isInteger(ttl) && ttl >= 1 && ttl <= MAX_CALLER_TTL_SECONDS)) {
    throw new RangeError(`ttl: wanted 1 to ${MAX_CALLER_TTL_SECONDS} seconds`);
  }
  const token = new AccessToken(credentials.apiKey, credentials.apiSecret, {
    identity,
    ttl,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    ...(options.attributes === undefined ? {} : { attributes: { ...options.attributes } }),
  });
  const isSpeaker = options.listenOnly !== true;
  const grant: VideoGrant = { roomJoin: true, room, canSubscribe: true, canPublish: isSpeaker };
  token.addGrant({ ...grant, canPublishData: isSpeaker, canUpdateOwnMetadata: false });
  if (agents.length > 0) token.roomConfig = new RoomConfiguration({ agents: agents.map(agentDispatch) });
  return token.toJwt();
}

/** An agent as the server wants it named in rooms and tokens. */
export function agentDispatch({ agentName, metadata = '', attributes = {} }: AgentRequest): RoomAgentDispatch {
  return new RoomAgentDispatch({ agentName, metadata, attributes: { ...attributes } });
}
