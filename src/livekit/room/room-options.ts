// What a call in a room is given: where, as whom, with whom, and how patient it is.
import { type CallerLimits, DEFAULT_CALLER_LIMITS } from './caller-link.ts';
import type { Connect } from './connection.ts';
import { DEFAULT_REJOIN_LIMITS, type RejoinLimits } from './rejoin.ts';
import type { RoomObserver } from './room-observer.ts';
import type { LineClock } from './voice-line.ts';

export interface RoomLimits extends CallerLimits, RejoinLimits {
  /** A connection that is being rebuilt for so long is a full reconnect: what was said since is lost. */
  readonly resumeMs: number;
  /** Nothing came over the line for so long: it is down, whatever anybody says. */
  readonly stallMs: number;
  /** After a reconnect by the SDK our voice must go out within this, or we join anew. */
  readonly unsentMs: number;
  /** Where nobody says that our voice is received, it is after this; a caller who comes back finds it published already. */
  readonly subscribedMs: number;
  readonly subscribedAgainMs: number;
  readonly statsMs: number;
  /** A join that takes so long is a reason to ask whether the room is still there; asked again as often. */
  readonly roomCheckMs: number;
  /** How often the words that were heard of a reply are shown while it is spoken. */
  readonly wordsMs: number;
}

export const DEFAULT_ROOM_LIMITS: RoomLimits = {
  ...DEFAULT_CALLER_LIMITS,
  ...DEFAULT_REJOIN_LIMITS,
  resumeMs: 1500,
  stallMs: 3000,
  unsentMs: 3000,
  subscribedMs: 1000,
  subscribedAgainMs: 400,
  statsMs: 1000,
  roomCheckMs: 1000,
  wordsMs: 250,
};

export interface RoomTransportOptions {
  readonly connect: Connect;
  readonly clock: LineClock;
  readonly random: () => number;
  readonly url: string;
  /** Of the first join. */
  readonly token: string;
  /** The server's id of the room that is to be joined. Where it is given, a room made anew by our own join is left again. */
  readonly roomSid?: string | undefined;
  /** Whether the server still has the room that is to be joined. */
  readonly isThere?: (() => Promise<boolean>) | undefined;
  /** A token for joining again, when the first one may be too old. */
  readonly mintToken: (room: string, identity: string) => Promise<string>;
  /** Identity of the one caller; without it, whoever comes first and is no agent. */
  readonly caller?: string | undefined;
  /** Key for end-to-end encryption. */
  readonly sharedKey?: Uint8Array | undefined;
  /** Of our participant, besides `lk.agent.state`. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  readonly outputRateHz?: 24000 | 48000 | undefined;
  readonly limits?: Partial<RoomLimits> | undefined;
  readonly observer?: RoomObserver | undefined;
  /** Where this process runs; a label for people. */
  readonly region?: string | undefined;
  /** The call is over and the room will be left: the last moment to tell the server how it went. */
  readonly onEnding?: ((reason: string) => void) | undefined;
}

/** From the end of a reply to the ear: jitter buffer, network, and the data channel of its words. */
export const LINGER_MS = 250;

/** A server that does not answer is left without its consent. */
export const LEAVE_MS = 3000;

/** A room that a rejoin has made anew gets its automatic agents within this. */
export const RETURNED_MS = 30_000;

/** Longer chat messages are cut. */
export const MAX_TEXT_CHARS = 8000;
