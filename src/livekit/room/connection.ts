// One connection to a room, as the transport sees it: what rtc-node does for a call, without its objects, so that a test can stand in.

export type PeerKind = 'standard' | 'sip' | 'agent' | 'other';

/** Somebody else in the room. */
export interface Peer {
  readonly identity: string;
  readonly kind: PeerKind;
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Why a participant left or a connection ended. */
export type LeaveReason =
  | 'left'
  | 'duplicate identity'
  | 'server shutdown'
  | 'removed'
  | 'room deleted'
  | 'room closed'
  | 'rejected'
  | 'connection lost';

/** A microphone whose audio can be had. Valid until it is gone; after a full reconnect there is another. */
export interface Microphone {
  readonly identity: string;
  readonly trackId: string;
  readonly muted: boolean;
  /** Mono PCM16 at `rateHz` in frames of 10 ms, in the call stack of the native event; the bytes are borrowed. */
  listen(rateHz: number, sink: (pcm: Uint8Array) => void): () => void;
}

/** Our voice in the room. */
export interface Speaker {
  readonly rateHz: number;
  /** Appends to the native queue: whole multiples of 10 ms. */
  write(samples: Int16Array): void;
  /** Empties the native queue. */
  clear(): void;
  /** Frames that the queue had no room for. */
  readonly rejected: number;
}

/** What happens in the room. All are called by rtc-node's own order of events; none may throw. */
export interface ConnectionEvents {
  peerJoined(peer: Peer): void;
  peerLeft(identity: string, reason: LeaveReason): void;
  microphoneHere(microphone: Microphone): void;
  microphoneGone(identity: string, trackId: string): void;
  muted(identity: string, isMuted: boolean): void;
  /** Somebody receives our voice. */
  voiceSubscribed(): void;
  /** Our voice was published anew, by a full reconnect. */
  voiceRepublished(): void;
  reconnecting(): void;
  reconnected(): void;
  /** The connection is over for good. Told once, also after `leave`. */
  disconnected(reason: LeaveReason): void;
  /** The server moved us to another room. */
  moved(roomName: string): void;
  text(topic: string, text: string, identity: string): void;
  data(bytes: Uint8Array, topic: string, identity: string | undefined): void;
  dtmf(digit: string, identity: string | undefined): void;
  /** The server's own judgement of somebody's line. */
  quality(identity: string, quality: 'lost' | 'poor' | 'good' | 'excellent'): void;
}

export interface TextMessage {
  readonly topic: string;
  readonly text: string;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** In whose name; default: ours. */
  readonly senderIdentity?: string | undefined;
  readonly to?: readonly string[] | undefined;
}

/** A text that grows while it is read. Nothing is thrown: what fails with the connection is lost. */
export interface TextStream {
  write(text: string): void;
  close(): void;
}

export interface DataMessage {
  readonly bytes: Uint8Array;
  readonly topic?: string | undefined;
  readonly reliable?: boolean | undefined;
  readonly to?: readonly string[] | undefined;
}

export interface RpcRequest {
  readonly to: string;
  readonly method: string;
  readonly payload: string;
  readonly timeoutMs?: number | undefined;
}
export type RpcHandler = (call: { readonly from: string; readonly payload: string }) => Promise<string> | string;

/** One entry of the WebRTC statistics; `case` and fields as in rtc-node's `RtcStats.stats`. */
export interface StatsEntry {
  readonly case?: string | undefined;
  readonly value?: unknown;
}

export interface Connection {
  readonly roomName: string;
  /** The server's own id of the room: one that was deleted and made anew under its name has another. Rejects when we leave before it is
   *  known. */
  roomSid(): Promise<string>;
  readonly identity: string;
  /** Who is in the room now. */
  peers(): readonly Peer[];
  readonly speaker: Speaker;
  /** Id of our voice's track; changes with a full reconnect. */
  readonly voiceTrackId: string;
  setAttributes(attributes: Readonly<Record<string, string>>): Promise<void>;
  sendText(message: TextMessage): Promise<void>;
  streamText(message: Omit<TextMessage, 'text'>): TextStream;
  sendData(message: DataMessage): Promise<void>;
  sendDtmf(digit: string): Promise<void>;
  performRpc(request: RpcRequest): Promise<string>;
  onRpc(method: string, handler: RpcHandler): void;
  stats(): Promise<readonly StatsEntry[]>;
  /** Leaves and gives everything back. Idempotent; never rejects. */
  leave(): Promise<void>;
}

export interface ConnectRequest {
  readonly url: string;
  readonly token: string;
  /** Rate of our voice. */
  readonly voiceRateHz: number;
  /** Topics of text streams that are wanted. */
  readonly textTopics: readonly string[];
  /** Key that all participants share, for end-to-end encryption. */
  readonly sharedKey?: Uint8Array | undefined;
  readonly events: ConnectionEvents;
}

/** Joins, subscribes to microphones, publishes a voice. Rejects with a plain `Error`; a silent server is given up by the caller. */
export type Connect = (request: ConnectRequest) => Promise<Connection>;

/** The first line of an error, without anything that looks like a token. */
export function withoutTokens(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  return text.replace(/eyJ[\w.-]+/g, '***').slice(0, 200);
}
