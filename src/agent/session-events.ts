// The events of one session, by name, with what each carries. Texts are what people said: they never become labels or log lines.

/** Names and payloads for `session.on(name, handler)`. Times are ms since 1970, sizes are bytes of PCM16. */
export interface SessionEvents {
  session_started: { readonly session_id: string };
  session_stopped: { readonly session_id: string; readonly duration_ms: number; readonly reason: string };
  state_changed: { readonly from_state: string; readonly to_state: string };
  /** A packet of the caller came in. The object is borrowed: valid only during the handler. */
  audio_received: { readonly size: number };
  /** Audio of the caller went to a model: an utterance to the recognizer, or a chunk to a realtime model. */
  audio_streamed: { readonly size: number };
  /** Audio of the agent went to the line. Borrowed, as above. */
  audio_output: { readonly size: number };
  tts_audio: { readonly size: number };
  /** One piece of the reply has been synthesized whole. */
  tts_complete: { readonly audio_size: number; readonly audio_duration_ms: number };
  stt_result: { readonly text: string };
  vad_speech_start: Readonly<Record<string, never>>;
  vad_speech_end: Readonly<Record<string, never>>;
  /** Text of the caller that was written instead of spoken (keys of the telephone among it). */
  text_received: { readonly text: string; readonly source: 'text' | 'dtmf'; readonly timestamp: number };
  turn_started: { readonly turn_id: number; readonly type: TurnType; readonly input: string };
  turn_completed: {
    readonly turn_id: number;
    readonly type: TurnType;
    readonly input: string;
    /** What the caller heard of it. */
    readonly response: string;
    readonly duration_ms: number;
    readonly messages_count: number;
  };
  /** The model has written the whole text of a reply that is (or is about to be) spoken. */
  response_generated: { readonly text: string };
  /** The first sound of the reply is on its way; `text` is what was written of it so far. */
  speaking_started: { readonly text: string };
  tool_called: ToolEvent & { readonly arguments: string };
  tool_completed: ToolEvent & { readonly result: string };
  tool_error: ToolEvent & { readonly error: string };
  interrupted: { readonly turn_id: number; readonly heard: string };
  /** What was asked of the language model or the voice was called off. */
  response_cancelled: { readonly turn_id: number; readonly reason: string };
  participant_updated: { readonly participant_id: string; readonly data: Readonly<Record<string, unknown>> };
  participant_removed: { readonly participant_id: string };
  room_id_updated: { readonly room_id: string };
  /** Of a realtime model, as it came. These two come with such a model; none is built yet, so they are declared and never sent. */
  realtime_event: { readonly event: unknown };
  realtime_closed: { readonly reason: string };
  callback_registered: { readonly event: string };
  callbacks_registered: { readonly events: readonly string[] };
  callback_unregistered: { readonly event: string };
  // Beyond the 29 of the specification's surroundings:
  /** The call ends because something broke, or a hook of the agent threw. */
  session_error: { readonly reason: string };
  stt_error: StageError;
  llm_error: StageError;
  tts_error: StageError;
  response_delta: { readonly text: string };
  response_completed: { readonly finish_reason: string };
}

/** Where a turn came from; `agent`: nobody asked (a greeting). */
export type TurnType = 'audio' | 'text' | 'agent';
/** What the three tool events have in common. */
export interface ToolEvent {
  readonly tool_name: string;
  readonly call_id: string;
  readonly timestamp: number;
}
/** A model gave up after retries and fallbacks; `kind` is one of `ModelErrorKind`. */
export interface StageError {
  readonly turn_id: number;
  readonly kind: string;
}

/** The name of an event of a session. */
export type SessionEventName = keyof SessionEvents;
/** Called synchronously. What it throws is caught and counted; a promise is not waited for. */
export type SessionEventHandler<N extends SessionEventName> = (payload: SessionEvents[N], name: N) => unknown;

/** The 29 names that the specification's surroundings document. */
export const DOCUMENTED_SESSION_EVENTS = [
  'session_started',
  'session_stopped',
  'state_changed',
  'audio_received',
  'audio_streamed',
  'audio_output',
  'tts_audio',
  'tts_complete',
  'stt_result',
  'vad_speech_start',
  'vad_speech_end',
  'text_received',
  'turn_started',
  'turn_completed',
  'response_generated',
  'speaking_started',
  'tool_called',
  'tool_completed',
  'tool_error',
  'interrupted',
  'response_cancelled',
  'participant_updated',
  'participant_removed',
  'room_id_updated',
  'realtime_event',
  'realtime_closed',
  'callback_registered',
  'callbacks_registered',
  'callback_unregistered',
] as const satisfies readonly SessionEventName[];

/** All names, the six beyond the 29 included. */
export const SESSION_EVENTS: readonly SessionEventName[] = [
  ...DOCUMENTED_SESSION_EVENTS,
  'session_error',
  'stt_error',
  'llm_error',
  'tts_error',
  'response_delta',
  'response_completed',
];
