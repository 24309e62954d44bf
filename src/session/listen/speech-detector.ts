// Decides from measured frames where the caller's speech starts and stops. One behaviour for every source of scores.
import type { ListeningOptions } from '../options.ts';

const FRAME_MS = 20;
/** Voiced frames may be this far apart and still count as one start of speech (a stop consonant is a hole of 40-60 ms). */
const ONSET_GAP_MS = 60;
/** A half frame belongs to the silence when it is this much quieter than its other half. */
const EDGE_DROP_DB = 14;

/** What a frame changed. */
export type SpeechChange = 'none' | 'start' | 'stop';

/** The measurements of one 20 ms frame that the detector looks at (`Analyzer` has them). */
export interface FrameMeasurements {
  readonly score: number;
  readonly rms: number;
  readonly firstHalfDb: number;
  readonly secondHalfDb: number;
}

/** Times are in ms on the session clock. All state is numbers, so that a frame allocates nothing. */
export class SpeechDetector {
  readonly #options: ListeningOptions;
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

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** True while a sound is being listened to that may become speech, or is. */
  get candidate(): boolean {
    return this.speaking || this.voicedMs > 0;
  }

  frame(frame: FrameMeasurements, startMs: number): SpeechChange {
    return this.#options.vad === 'energy' ? this.#byScore(frame, startMs) : this.#byTwoThresholds(frame, startMs);
  }

  /** Silence that was not received as frames (the line went quiet): the clock alone has moved on. */
  silence(untilMs: number): SpeechChange {
    if (this.speaking) {
      if (untilMs - this.lastVoicedMs < this.#options.hangoverMs) return 'none';
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

  #byScore(frame: FrameMeasurements, startMs: number): SpeechChange {
    if (frame.score < this.#options.threshold) return this.silence(startMs + FRAME_MS);
    const rising = frame.secondHalfDb - frame.firstHalfDb;
    if (this.voicedMs === 0) this.onsetMs = rising > EDGE_DROP_DB ? startMs + FRAME_MS / 2 : startMs;
    this.voicedMs += FRAME_MS;
    this.#candidateEndMs = rising < -EDGE_DROP_DB ? startMs + FRAME_MS / 2 : startMs + FRAME_MS;
    if (!this.speaking && this.voicedMs < this.#options.minSpeechMs) return 'none';
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
