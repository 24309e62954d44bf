// The meter of one call for the monitor: keeps what it hears of in a row of numbers, and hands it over when it is asked.
import { connectionScore } from '../../audio/index.ts';
import type { ConnectionSample } from '../../livekit/room/connection-quality.ts';
import { columnOf, WIDTH } from '../../ops/monitor/index.ts';
import type { SessionTelemetry } from '../../session/effects.ts';
import type { QualityReport } from '../../session/listen/quality-log.ts';

/** A running call, as far as it is asked when a row is written. */
export interface MeteredCall {
  readonly call: {
    readonly session: { readonly framesIn: number; readonly framesLate: number; readonly queuedMs: number };
  };
  /** ms since 1970. */
  readonly startedAtMs: number;
}

const AUDIO = {
  latency: columnOf('audio_processor', 'latency_ms'),
  latencyMean: columnOf('audio_processor', 'latency_mean_ms'),
  frames: columnOf('audio_processor', 'frames'),
  framesLate: columnOf('audio_processor', 'frames_late'),
  packetUs: columnOf('audio_processor', 'packet_us'),
  quality: columnOf('audio_processor', 'quality_score'),
  clarity: columnOf('audio_processor', 'clarity'),
  level: columnOf('audio_processor', 'level_db'),
  snr: columnOf('audio_processor', 'snr_db'),
  clipped: columnOf('audio_processor', 'clipped_percent'),
  gaps: columnOf('audio_processor', 'gaps_percent'),
};
const LINE = {
  rtt: columnOf('webrtc_handler', 'rtt_ms'),
  jitter: columnOf('webrtc_handler', 'jitter_ms'),
  loss: columnOf('webrtc_handler', 'loss_percent'),
  jitterOut: columnOf('webrtc_handler', 'jitter_out_ms'),
  lossOut: columnOf('webrtc_handler', 'loss_out_percent'),
  concealed: columnOf('webrtc_handler', 'concealed_percent'),
  bitrateIn: columnOf('webrtc_handler', 'bitrate_in_kbps'),
  bitrateOut: columnOf('webrtc_handler', 'bitrate_out_kbps'),
  score: columnOf('webrtc_handler', 'connection_score'),
};
const MODELS = {
  stt: {
    answer: columnOf('stt_client', 'answer_ms'),
    requests: columnOf('stt_client', 'requests'),
    failures: columnOf('stt_client', 'failures'),
  },
  llm: {
    answer: columnOf('llm_client', 'first_token_ms'),
    requests: columnOf('llm_client', 'requests'),
    failures: columnOf('llm_client', 'failures'),
  },
  tts: {
    answer: columnOf('tts_client', 'first_audio_ms'),
    requests: columnOf('tts_client', 'requests'),
    failures: columnOf('tts_client', 'failures'),
  },
};
const LLM = {
  inputTokens: columnOf('llm_client', 'input_tokens'),
  outputTokens: columnOf('llm_client', 'output_tokens'),
  toolCalls: columnOf('llm_client', 'tool_calls'),
  toolFailures: columnOf('llm_client', 'tool_failures'),
};
const STREAM = {
  queued: columnOf('stream_manager', 'queued_ms'),
  jitterBuffer: columnOf('stream_manager', 'jitter_buffer_ms'),
  lost: columnOf('stream_manager', 'lost_ms'),
  concealed: columnOf('stream_manager', 'concealed_ms'),
  late: columnOf('stream_manager', 'late_ms'),
  dropped: columnOf('stream_manager', 'dropped'),
};
const SPEECH = {
  speaking: columnOf('speech_handle', 'speaking'),
  replies: columnOf('speech_handle', 'replies'),
  interruptions: columnOf('speech_handle', 'interruptions'),
  resumed: columnOf('speech_handle', 'false_interruptions'),
  heard: columnOf('speech_handle', 'heard_ms'),
};
const VAD = {
  speaking: columnOf('vad_client', 'speaking'),
  activations: columnOf('vad_client', 'activations'),
  score: columnOf('vad_client', 'speech_score'),
  share: columnOf('vad_client', 'speech_percent'),
};
const SESSION = {
  age: columnOf('session', 'age_s'),
  turns: columnOf('session', 'turns'),
  response: columnOf('session', 'response_ms'),
  overhead: columnOf('session', 'overhead_ms'),
  failures: columnOf('session', 'failures'),
  requests: columnOf('session', 'requests'),
  errors: columnOf('session', 'errors'),
};
/** What is counted by the meter itself: 0 until it happens. Everything else is unknown until it is measured. */
const COUNTED = [
  ...Object.values(MODELS).flatMap(({ requests, failures }) => [requests, failures]),
  LLM.toolCalls,
  LLM.toolFailures,
  STREAM.dropped,
  SPEECH.speaking,
  SPEECH.replies,
  SPEECH.interruptions,
  SPEECH.resumed,
  VAD.speaking,
  VAD.activations,
  SESSION.turns,
  SESSION.failures,
  SESSION.requests,
  SESSION.errors,
];

export class SessionMeter {
  readonly row: Float64Array = new Float64Array(WIDTH).fill(Number.NaN);
  // Since a row was written.
  #frames = 0;
  #latencySum = 0;
  #latencyMax = 0;
  #packets = 0;
  #tookSum = 0;

  constructor() {
    for (const column of COUNTED) this.row[column] = 0;
  }

  /** On the path of the audio: allocates nothing. */
  frames(decided: number, latencyMs: number, tookMs: number): void {
    this.#packets++;
    this.#tookSum += tookMs;
    if (decided === 0) return;
    this.#frames += decided;
    this.#latencySum += decided * latencyMs;
    if (latencyMs > this.#latencyMax) this.#latencyMax = latencyMs;
  }

  answered(stage: keyof typeof MODELS, tookMs: number): void {
    this.row[MODELS[stage].answer] = tookMs;
    this.#add(MODELS[stage].requests, 1);
    this.#add(SESSION.requests, 1);
  }

  failed(stage: keyof typeof MODELS): void {
    this.#add(MODELS[stage].requests, 1);
    this.#add(MODELS[stage].failures, 1);
    this.#add(SESSION.requests, 1);
    this.#add(SESSION.errors, 1);
  }

  telemetry(event: SessionTelemetry): void {
    const { row } = this;
    switch (event.type) {
      case 'state':
        row[SPEECH.speaking] = event.state === 'agent-speaking' ? 1 : 0;
        return;
      case 'speech-start':
        row[VAD.speaking] = 1;
        return this.#add(VAD.activations, 1);
      case 'speech-stop':
        row[VAD.speaking] = 0;
        return;
      case 'interrupted':
        return this.#add(SPEECH.interruptions, 1);
      case 'resumed':
        return this.#add(SPEECH.resumed, 1);
      case 'usage':
        this.#add(LLM.inputTokens, event.inputTokens);
        return this.#add(LLM.outputTokens, event.outputTokens);
      case 'failure':
        return this.#add(SESSION.failures, 1);
      case 'dropped':
        return this.#add(STREAM.dropped, event.count);
      case 'tool':
        return this.#tool(event.phase);
      case 'quality':
        return this.#quality(event);
      case 'turn':
        return this.#turn(event.ledger);
    }
  }

  #tool(phase: 'started' | 'finished' | 'failed'): void {
    if (phase === 'started') return;
    this.#add(LLM.toolCalls, 1);
    this.#add(SESSION.requests, 1);
    if (phase === 'finished') return;
    this.#add(LLM.toolFailures, 1);
    this.#add(SESSION.errors, 1);
  }

  #turn({ caller, agent, responseMs, overheadMs }: Extract<SessionTelemetry, { type: 'turn' }>['ledger']): void {
    this.#add(SESSION.turns, 1);
    if (responseMs !== null) this.row[SESSION.response] = responseMs;
    if (overheadMs !== null) this.row[SESSION.overhead] = overheadMs;
    if (caller?.speech !== undefined) this.row[VAD.score] = caller.speech.mean;
    if (agent.startMs === null || agent.endMs === null) return;
    this.#add(SPEECH.replies, 1);
    this.row[SPEECH.heard] = Math.max(0, agent.endMs - agent.startMs);
  }

  #quality(report: QualityReport): void {
    const { row } = this;
    row[AUDIO.quality] = report.score ?? Number.NaN;
    row[AUDIO.clarity] = report.clarity ?? Number.NaN;
    row[AUDIO.level] = report.levelDb ?? Number.NaN;
    row[AUDIO.snr] = report.snrDb ?? Number.NaN;
    row[AUDIO.clipped] = percent(report.clipFraction);
    row[AUDIO.gaps] = percent(report.gapFraction);
    row[VAD.share] = report.windowMs > 0 ? (100 * report.speechMs) / report.windowMs : Number.NaN;
    const line = report.connection;
    if (line === null) return;
    row[LINE.jitter] = line.jitterMs;
    row[LINE.loss] = line.lossPercent;
    row[LINE.score] = line.score;
    row[STREAM.jitterBuffer] = line.depthMs;
    this.#add(STREAM.lost, line.lostMs);
    this.#add(STREAM.concealed, line.concealedMs);
    this.#add(STREAM.late, line.lateMs);
  }

  /** A second of a line to a room. */
  line(sample: ConnectionSample): void {
    const { row } = this;
    row[LINE.rtt] = sample.rttMs ?? Number.NaN;
    row[LINE.jitter] = sample.jitterInMs ?? Number.NaN;
    row[LINE.loss] = percent(sample.lossIn);
    row[LINE.jitterOut] = sample.jitterOutMs ?? Number.NaN;
    row[LINE.lossOut] = percent(sample.lossOut);
    row[LINE.concealed] = percent(sample.concealed);
    row[LINE.bitrateIn] = (sample.bitrateInBps ?? Number.NaN) / 1000;
    row[LINE.bitrateOut] = (sample.bitrateOutBps ?? Number.NaN) / 1000;
    row[STREAM.jitterBuffer] = sample.jitterBufferMs ?? Number.NaN;
    // One way is half of the way there and back; NaN where either is not known.
    const delayMs = row[LINE.rtt]! / 2 + (sample.jitterBufferMs ?? 0);
    row[LINE.score] = connectionScore({ delayMs, lossPercent: row[LINE.loss]! });
  }

  write(values: Float64Array, offset: number, { call, startedAtMs }: MeteredCall, epochMs: number): void {
    const { row } = this;
    const { framesIn, framesLate, queuedMs } = call.session;
    row[AUDIO.frames] = framesIn;
    row[AUDIO.framesLate] = framesLate;
    row[AUDIO.latency] = this.#frames === 0 ? Number.NaN : this.#latencyMax;
    row[AUDIO.latencyMean] = this.#frames === 0 ? Number.NaN : this.#latencySum / this.#frames;
    row[AUDIO.packetUs] = this.#packets === 0 ? Number.NaN : (1000 * this.#tookSum) / this.#packets;
    this.#frames = this.#latencySum = this.#latencyMax = this.#packets = this.#tookSum = 0;
    row[STREAM.queued] = queuedMs;
    row[SESSION.age] = Math.max(0, epochMs - startedAtMs) / 1000;
    values.set(row, offset);
  }

  #add(column: number, by: number): void {
    const before = this.row[column]!;
    this.row[column] = (Number.isNaN(before) ? 0 : before) + by;
  }
}

function percent(share: number | null): number {
  return share === null ? Number.NaN : 100 * share;
}
