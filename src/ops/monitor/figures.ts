// What the monitor knows of a session, component by component, as columns of one row of numbers. NaN stands for "not measured".

/** Components by the specification's names, each with its figures. `stt_client` and `tts_client` are beyond the specification. */
export const FIGURES = {
  audio_processor: [
    /** Decision time less due time, of the frames of a quarter of a second: the worst, which a mean would hide, and the mean. */
    'latency_ms',
    'latency_mean_ms',
    'frames',
    'frames_late',
    /** Mean time that one packet took from the transport to its decision. */
    'packet_us',
    /** Of the newest window of 4 to 10 s, 1 to 5; not measured where it held no speech. */
    'quality_score',
    'clarity',
    'level_db',
    'snr_db',
    'clipped_percent',
    'gaps_percent',
  ],
  /** Only of calls in rooms, and what a jitter buffer of our own sees. */
  webrtc_handler: [
    'rtt_ms',
    'jitter_ms',
    'loss_percent',
    'jitter_out_ms',
    'loss_out_percent',
    'concealed_percent',
    'bitrate_in_kbps',
    'bitrate_out_kbps',
    'connection_score',
  ],
  /** Of the newest answer; requests and failures count attempts, over the whole call. */
  llm_client: [
    'first_token_ms',
    'requests',
    'failures',
    'input_tokens',
    'output_tokens',
    'tool_calls',
    'tool_failures',
  ],
  stt_client: ['answer_ms', 'requests', 'failures'],
  tts_client: ['first_audio_ms', 'requests', 'failures'],
  stream_manager: ['queued_ms', 'jitter_buffer_ms', 'lost_ms', 'concealed_ms', 'late_ms', 'dropped'],
  /** `speaking` is 1 or 0. */
  speech_handle: ['speaking', 'replies', 'interruptions', 'false_interruptions', 'heard_ms'],
  vad_client: ['speaking', 'activations', 'speech_score', 'speech_percent'],
  /** `errors` of `requests`: attempts at models and tools. `error_rate`: the same over the last minute, 0..1. */
  session: ['age_s', 'turns', 'response_ms', 'overhead_ms', 'failures', 'requests', 'errors', 'error_rate'],
} as const;

/** A part of a session that can be watched. */
export type Component = keyof typeof FIGURES;
export const COMPONENTS = Object.keys(FIGURES) as readonly Component[];

/** Of the process and the machine, once a second. `cpu_percent`: of all cores of the container or machine. */
export const SYSTEM_FIGURES = [
  'memory_mb',
  'memory_percent',
  'cpu_percent',
  'process_cpu_percent',
  'loop_lag_ms',
] as const;
export type SystemFigure = (typeof SYSTEM_FIGURES)[number];

export interface Column {
  readonly component: Component;
  readonly figure: string;
}
export const COLUMNS: readonly Column[] = COMPONENTS.flatMap((component) =>
  FIGURES[component].map((figure) => ({ component, figure })),
);
/** Numbers of one session's row. */
export const WIDTH: number = COLUMNS.length;

/** Where a figure stands in the row. */
export function columnOf<C extends Component>(component: C, figure: (typeof FIGURES)[C][number]): number {
  return COLUMNS.findIndex((column) => column.component === component && column.figure === figure);
}

export function systemColumnOf(figure: SystemFigure): number {
  return SYSTEM_FIGURES.indexOf(figure);
}

/** Four decimals are finer than anything that is measured; null: not measured. */
export function shown(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : Math.round(value * 1e4) / 1e4;
}
