// What a transport must do to carry a call: hand in the caller's audio, play the agent's, and say what was heard.

/** Rates that the audio core converts between. */
export type TransportRateHz = 8000 | 16000 | 24000 | 48000;

/** What the runner gives to a transport. All calls are synchronous and never throw. */
export interface CallInput {
  /** Caller's mono PCM16 (little-endian). `position`: index of its first sample on the caller's own clock, in samples.
   *  The bytes are borrowed: valid only during the call. */
  audio(packet: Uint8Array, position: number): void;
  /** How many samples of the agent's audio (counted over the whole call, as handed to `play`) have been heard. */
  played(position: number): void;
  text(text: string): void;
  dtmf(digit: string): void;
  /** The caller is gone, or the transport is. Further calls are ignored. */
  close(reason: string): void;
}

/** One call's line, as the runner sees it. */
export interface Transport {
  /** `file`, `websocket`, `twilio`, `livekit`. */
  readonly name: string;
  readonly inputRateHz: TransportRateHz;
  readonly outputRateHz: TransportRateHz;
  /** How far ahead of the ear it wants the agent's audio, in ms. */
  readonly leadMs: number;
  /** True when `played` will be reported; otherwise the runner assumes that audio is heard as it is sent. */
  readonly reportsPlayed: boolean;
  /** Appends samples to the audio that the caller hears; an idle line starts to sound at once. Samples are borrowed. */
  play(samples: Int16Array): void;
  /** Drops everything that was handed to `play` and not heard yet. */
  clear(): void;
  /** Tells the client what happens in the call, as far as its protocol has words for it. */
  notify(event: CallNotice): void;
  /** Ends the line from our side. Idempotent. */
  close(reason: string): void;
}

/** What a client may be shown of a call. */
export type CallNotice =
  | { readonly type: 'state'; readonly state: 'listening' | 'user-speaking' | 'thinking' | 'agent-speaking' }
  | { readonly type: 'transcript'; readonly turn: number; readonly text: string }
  | { readonly type: 'reply'; readonly turn: number; readonly text: string }
  | { readonly type: 'interrupted'; readonly turn: number; readonly heard: string }
  | { readonly type: 'turn'; readonly ledger: unknown }
  | { readonly type: 'error'; readonly code: string; readonly message: string };
