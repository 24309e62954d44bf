// Decides from measured frames where the caller's speech starts and stops. One behaviour for every source of scores.
import type { ListeningOptions } from '../options.ts';
import { SpeechEdges } from './edges.ts';
import { isTone } from './tone.ts';

const FRAME_MS = 20;
/** Voiced frames may be this far apart and still count as one start of speech (a stop consonant is a hole of 40-60 ms). */
const ONSET_GAP_MS = 60;
/** However it is set, something must be speech and something must be none. */
const LOWEST_THRESHOLD = 0.02;
const HIGHEST_THRESHOLD = 0.98;
/** A half frame belongs to the silence when it is this much quieter than its other half (`energy`). */
const EDGE_DROP_DB = 14;
/** Frames that the net must have called speech before any has started (one of its windows may err), unless its score is this. */
const LEAST_SCORED_FRAMES = 2;
const SURE_AT_ONCE = 0.95;
/** The nearer the speech is to the noise, the surer the net must be: talkers in the background seldom reach 0.9. */
const SURER_TO_START = 0.3;
const SURER_TO_GO_ON = 0.4;
const QUIET_LINE_DB = 30;
const NOISY_LINE_DB = 18;
/** How long voice may go on by level alone after the net has let go: nothing in noise, longer on a quiet line ... */
const MOST_TAIL_MS = 400;
const TAIL_FROM_DB = 12;
const TAIL_MS_PER_DB = 15;
/** ... and beyond so long only what is no weaker than this. */
const WEAK_TAIL_MS = 200;
const WEAK_TAIL_BELOW_SPEECH_DB = 30;
/** In noise a word seems to end early and the next one to begin late; the net hears on in between. While its score is above this, and for a
 *  while after, speech has not stopped, unless nothing has stood out for 2.5 times the hang-over. */
const STILL_HEARD = 0.3;
const MOST_HEARD_MS = 80;
const MOST_HANGOVERS = 2.5;

/** What a frame changed. */
export type SpeechChange = 'none' | 'start' | 'stop';

/** The measurements of one 20 ms frame that the detector looks at (`Analyzer` has them). */
export interface FrameMeasurements {
  readonly score: number;
  readonly rms: number;
  readonly firstHalfDb: number;
  readonly secondHalfDb: number;
  /** 320 samples at 16 kHz; of another length they are taken for no tone. */
  readonly frame: Int16Array;
}

/** Times are in ms on the session clock. All state is numbers, so that a frame allocates nothing. */
export class SpeechDetector {
  readonly #options: ListeningOptions;
  readonly #threshold: number;
  readonly #edges = new SpeechEdges();
  /** Between start and stop. */
  speaking = false;
  /** First voiced sample of the current or last speech (also of one that has not been confirmed yet). */
  onsetMs = 0;
  /** End of the last voiced sample of speech; a click is none. */
  lastVoicedMs = 0;
  /** End of the last voiced sample of what may become speech. */
  #candidateEndMs = 0;
  /** Voiced time since `onsetMs`. */
  voicedMs = 0;
  /** Frames since `onsetMs` that the score called speech, and the end of the newest. */
  #scored = 0;
  #scoredEndMs = 0;
  /** Ends of the first and the newest of the frames in a row in which the net heard at least something. */
  #heardFromMs = 0;
  #heardEndMs = 0;

  constructor(options: ListeningOptions) {
    this.#options = options;
    const { threshold, sensitivity = 0.5 } = options;
    this.#threshold = Math.min(HIGHEST_THRESHOLD, Math.max(LOWEST_THRESHOLD, threshold + (0.5 - sensitivity) * 0.8));
  }

  /** True while a sound is being listened to that may become speech, or is. */
  get candidate(): boolean {
    return this.speaking || this.voicedMs > 0;
  }

  frame(frame: FrameMeasurements, startMs: number): SpeechChange {
    const { vad } = this.#options;
    if (vad === 'two-threshold') return this.#byTwoThresholds(frame, startMs);
    const threshold = this.#threshold;
    const wanted = vad === 'neural' ? threshold + this.#surer * (1 - threshold) * 2 : threshold;
    const speech = frame.score >= wanted;
    // A tone is looked for where it could pass for speech, now or when the net has heard it.
    const loud = vad === 'neural' && Math.max(frame.firstHalfDb, frame.secondHalfDb) >= this.#edges.thresholdDb;
    const tone = (speech || loud) && isTone(frame.frame);
    // What led up to it was its beginning.
    if (tone && !this.speaking) this.voicedMs = 0;
    if (vad === 'neural') return this.#bySlowScore(frame, speech, tone, startMs);
    return tone ? this.silence(startMs + FRAME_MS) : this.#byScore(frame, speech, startMs);
  }

  /** Silence that was not received as frames (the line went quiet): the clock alone has moved on. */
  silence(untilMs: number): SpeechChange {
    if (this.speaking) {
      const { hangoverMs } = this.#options;
      const silentMs = untilMs - this.lastVoicedMs;
      if (silentMs < hangoverMs) return 'none';
      const stillHeard = untilMs - this.#heardEndMs < this.#noisy * hangoverMs;
      if (stillHeard && silentMs < MOST_HANGOVERS * hangoverMs) return 'none';
      this.speaking = false;
      this.voicedMs = 0;
      return 'stop';
    }
    if (untilMs - this.#candidateEndMs > ONSET_GAP_MS) this.voicedMs = 0;
    return 'none';
  }

  /** Ends speech that still goes on; what follows is a new one. Returns false when there is none. */
  cut(): boolean {
    const was = this.speaking;
    this.speaking = false;
    this.voicedMs = 0;
    return was;
  }

  /** What the net's score must be beyond the threshold, where the scale above it is 0.5. */
  get #surer(): number {
    return (this.speaking ? SURER_TO_GO_ON : SURER_TO_START) * this.#noisy;
  }

  /** From 0 on a quiet line to 1 in strong noise. */
  get #noisy(): number {
    return Math.min(1, Math.max(0, (QUIET_LINE_DB - this.#edges.distanceDb) / (QUIET_LINE_DB - NOISY_LINE_DB)));
  }

  #byScore(frame: FrameMeasurements, speech: boolean, startMs: number): SpeechChange {
    if (!speech) return this.silence(startMs + FRAME_MS);
    const rising = frame.secondHalfDb - frame.firstHalfDb;
    if (this.voicedMs === 0) this.onsetMs = rising > EDGE_DROP_DB ? startMs + FRAME_MS / 2 : startMs;
    this.voicedMs += FRAME_MS;
    this.#candidateEndMs = rising < -EDGE_DROP_DB ? startMs + FRAME_MS / 2 : startMs + FRAME_MS;
    if (!this.speaking && this.voicedMs < this.#options.minSpeechMs) return 'none';
    return this.#voiced();
  }

  /** The score says that there is speech, and late; the levels say from when to when. */
  #bySlowScore(frame: FrameMeasurements, speech: boolean, tone: boolean, startMs: number): SpeechChange {
    const edges = this.#edges;
    const endMs = startMs + FRAME_MS;
    if (tone) {
      edges.tone();
      return this.silence(endMs);
    }
    edges.frame(frame.firstHalfDb, frame.secondHalfDb, speech);
    if (frame.score >= STILL_HEARD) {
      if (endMs - this.#heardEndMs > ONSET_GAP_MS) this.#heardFromMs = endMs;
      this.#heardEndMs = endMs;
    }
    if (!speech) {
      this.#tail(endMs);
      return this.silence(endMs);
    }
    if (!this.candidate) {
      const sinceMs = edges.sinceOnsetMs(Math.min(MOST_HEARD_MS, endMs - this.#heardFromMs));
      // Nothing stands out: what the net hears is in the background, or has ended.
      if (sinceMs === 0) return 'none';
      this.onsetMs = Math.max(endMs - sinceMs, this.lastVoicedMs);
      this.#candidateEndMs = this.onsetMs;
      this.#scored = 0;
    }
    this.#scored++;
    this.#scoredEndMs = endMs;
    const sinceVoiceMs = edges.sinceVoiceMs(8);
    if (sinceVoiceMs >= 0) this.#candidateEndMs = Math.max(this.#candidateEndMs, endMs - sinceVoiceMs);
    this.voicedMs = this.#candidateEndMs - this.onsetMs;
    const sure = this.#scored >= LEAST_SCORED_FRAMES || frame.score >= SURE_AT_ONCE;
    const enough = this.voicedMs >= this.#options.minSpeechMs && sure;
    if (!this.speaking && !enough) return this.silence(endMs);
    const change = this.#voiced();
    return change === 'none' ? this.silence(endMs) : change;
  }

  /** The score has fallen, but a weak end of a word may still be heard where the line is quiet. */
  #tail(endMs: number): void {
    if (!this.candidate) return;
    const mostMs = Math.min(MOST_TAIL_MS, (this.#edges.distanceDb - TAIL_FROM_DB) * TAIL_MS_PER_DB);
    const tailMs = endMs - this.#scoredEndMs;
    if (tailMs > mostMs) return;
    const sinceVoiceMs = this.#edges.sinceVoiceMs(2, tailMs > WEAK_TAIL_MS ? WEAK_TAIL_BELOW_SPEECH_DB : undefined);
    if (sinceVoiceMs < 0 || endMs - sinceVoiceMs - this.#candidateEndMs > ONSET_GAP_MS) return;
    this.#candidateEndMs = endMs - sinceVoiceMs;
    this.voicedMs = this.#candidateEndMs - this.onsetMs;
    if (this.speaking) this.lastVoicedMs = this.#candidateEndMs;
  }

  #voiced(): SpeechChange {
    this.lastVoicedMs = this.#candidateEndMs;
    if (this.speaking) return 'none';
    this.speaking = true;
    return 'start';
  }

  /** Requirements 11.1: start at RMS >= start threshold at once; stop after `hangoverMs` of frames below the end threshold. */
  #byTwoThresholds(frame: FrameMeasurements, startMs: number): SpeechChange {
    const endMs = startMs + FRAME_MS;
    if (!this.speaking) {
      if (frame.rms < this.#options.startThreshold) return 'none';
      this.speaking = true;
      this.onsetMs = startMs;
      this.lastVoicedMs = endMs;
      this.voicedMs = FRAME_MS;
      return 'start';
    }
    if (frame.rms < this.#options.endThreshold) return this.silence(endMs);
    this.voicedMs += FRAME_MS;
    this.lastVoicedMs = endMs;
    return 'none';
  }
}
