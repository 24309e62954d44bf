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
  /** The reply that is being spoken and the words of it that were heard by now, for clients that show them; null while
   *  there is none. */
  heardSoFar?(): { readonly turn: number; readonly text: string } | null;
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
  /** What the line was worth so far, for the ledger. */
  report?(): LineReport;
}

/** A line over the whole call. Null: not measured. Shares 0..1. */
export interface LineReport {
  /** Where this process runs, if it was told. */
  readonly region: string | null;
  /** From the first attempt until the line stood. */
  readonly setupMs: number | null;
  /** Times that the line was lost, and how long in all. */
  readonly outages: number;
  readonly outageMs: number;
  /** Voice that was said again after outages. */
  readonly repeatedMs: number;
  readonly route: 'direct' | 'relay' | null;
  /** Means over the seconds in which they were measured, and the worst second. */
  readonly rttMs: MeanAndWorst | null;
  readonly jitterInMs: MeanAndWorst | null;
  readonly lossIn: MeanAndWorst | null;
  readonly jitterOutMs: MeanAndWorst | null;
  readonly lossOut: MeanAndWorst | null;
  /** Share of the caller's audio that had to be made up. */
  readonly concealed: MeanAndWorst | null;
  readonly bitrateInBps: MeanAndWorst | null;
  readonly bitrateOutBps: MeanAndWorst | null;
}
export interface MeanAndWorst {
  readonly mean: number;
  readonly worst: number;
}

/** What a client may be shown of a call. */
export type CallNotice =
  | { readonly type: 'state'; readonly state: 'listening' | 'user-speaking' | 'thinking' | 'agent-speaking' }
  | { readonly type: 'transcript'; readonly turn: number; readonly text: string }
  | { readonly type: 'reply'; readonly turn: number; readonly text: string }
  | { readonly type: 'interrupted'; readonly turn: number; readonly heard: string }
  | { readonly type: 'turn'; readonly ledger: unknown }
  | { readonly type: 'error'; readonly code: string; readonly message: string };
