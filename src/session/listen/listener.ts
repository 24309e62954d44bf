// The caller's side of the clock: packets to frames, frames to starts and stops of speech, and the audio of the turn.
import type { Analyzer } from '../../audio/core.ts';
import type { SpeechScores } from '../ledger.ts';
import type { SessionOptions } from '../options.ts';
import { SpeechDetector } from './speech-detector.ts';
import { Utterance } from './utterance.ts';

const FRAME_MS = 20;
/** A frame is late when its decision comes this long after its packet was due. */
const LATE_MS = 20;
/** A longer hole in the input is jumped over, not filled with silence. */
const MAX_GAP_MS = 60_000;
/** The caller's clock may run slower than ours: the best packet's verdict is loosened by this share of the time (100 ppm). */
const CLOCK_DRIFT = 1e-4;
/** Audio after the last voiced sample that the recognizer is given. */
const TAIL_MS = 240;

/** Who is told what the frames mean; called from within `packet`. */
export interface ListenerEvents {
  speechChanged(change: 'start' | 'stop'): void;
  frameDone(endMs: number): void;
}

/** Session clock: ms since the first sample of the caller. Host clock: `nowMs` of the inputs. */
export class Listener {
  readonly #analyzer: Analyzer;
  readonly #detector: SpeechDetector;
  readonly #utterance: Utterance;
  readonly #events: ListenerEvents;
  readonly #preRollMs: number;
  readonly #samplesPerMs: number;
  /** Position of session clock 0 and of the next expected sample, in input samples. */
  #firstPosition = -1;
  #nextPosition = 0;
  /** Host time of session clock 0. */
  #zeroMs = Number.NaN;
  #baseMs = 0;
  #frameEndMs = 0;
  /** When the newest packet was due: its frames can not be decided earlier. */
  #dueMs = 0;
  #stopped = false;
  /** Scores of the frames of the turn that is kept. */
  readonly #scores: boolean;
  #scoredFrames = 0;
  #scoreSum = 0;
  #leastScore = 1;
  framesIn = 0;
  framesLate = 0;
  frameLatencyMs = 0;
  /** How long a jitter buffer may have kept audio back: so much later it is due. */
  allowanceMs = 0;
  /** Samples that came twice or too late. */
  overlappingSamples = 0;

  constructor(options: SessionOptions, analyzer: Analyzer, events: ListenerEvents) {
    this.#analyzer = analyzer;
    this.#detector = new SpeechDetector(options.listening);
    this.#utterance = new Utterance(options.listening.maxTurnMs);
    this.#events = events;
    this.#scores = options.listening.vad !== 'two-threshold';
    this.#preRollMs = options.listening.preRollMs;
    this.#samplesPerMs = options.inputRateHz / 1000;
  }

  get speaking(): boolean {
    return this.#detector.speaking;
  }
  get candidate(): boolean {
    return this.#detector.candidate;
  }
  get voicedMs(): number {
    return this.#detector.voicedMs;
  }
  get onsetMs(): number {
    return this.#detector.onsetMs;
  }
  get lastVoicedMs(): number {
    return this.#detector.lastVoicedMs;
  }
  get keeping(): boolean {
    return this.#utterance.keeping;
  }
  get full(): boolean {
    return this.#utterance.keeping && this.#utterance.full;
  }
  /** End of the newest frame. */
  get frameEndMs(): number {
    return this.#frameEndMs;
  }
  get zeroMs(): number {
    return this.#zeroMs;
  }

  /** The clock starts with the first input of any kind and is set by the first audio. */
  begin(nowMs: number): void {
    if (Number.isNaN(this.#zeroMs)) this.#zeroMs = nowMs - this.#baseMs;
  }

  /** A restored session goes on at this time of its clock. */
  continueAt(clockMs: number): void {
    this.#baseMs = clockMs;
  }

  clockMs(hostMs: number): number {
    return hostMs - this.#zeroMs;
  }
  hostMs(clockMs: number): number {
    return clockMs + this.#zeroMs;
  }

  packet(packet: Uint8Array, position: number, nowMs: number): void {
    let bytes = packet;
    const samples = bytes.length >> 1;
    if (this.#firstPosition < 0) {
      this.#firstPosition = position;
      this.#nextPosition = position;
      this.#zeroMs = nowMs - samples / this.#samplesPerMs - this.#baseMs;
      this.#frameEndMs = this.#baseMs;
    }
    const gap = position - this.#nextPosition;
    // A hole is known when the packet after it comes: its frames are due with that.
    if (gap > 0) this.#dueMs = this.#baseMs + (position + samples - this.#firstPosition) / this.#samplesPerMs;
    if (gap > 0) this.#silence(gap, nowMs);
    else if (gap < 0) {
      const twice = Math.min(samples, -gap);
      this.overlappingSamples += twice;
      bytes = bytes.subarray(twice * 2);
    }
    this.#nextPosition = Math.max(this.#nextPosition, position + samples);
    // The earliest packet had the shortest way: it says best when samples are due.
    this.#dueMs = this.#baseMs + (this.#nextPosition - this.#firstPosition) / this.#samplesPerMs;
    this.#zeroMs = Math.min(nowMs - this.#dueMs, this.#zeroMs + (samples / this.#samplesPerMs) * CLOCK_DRIFT);
    if (this.#stopped) return;
    let taken = this.#analyzer.write(bytes);
    this.#frames(nowMs);
    while (taken * 2 < bytes.length - 1 && taken > 0 && !this.#stopped) {
      bytes = bytes.subarray(taken * 2);
      taken = this.#analyzer.write(bytes);
      this.#frames(nowMs);
    }
  }

  #silence(samples: number, nowMs: number): void {
    const gapMs = samples / this.#samplesPerMs;
    if (gapMs > MAX_GAP_MS) {
      this.#analyzer.reset();
      this.#baseMs += (this.#nextPosition + samples - this.#firstPosition) / this.#samplesPerMs;
      this.#firstPosition = this.#nextPosition + samples;
      this.#nextPosition = this.#firstPosition;
      this.#frameEndMs = this.#baseMs;
      if (this.#detector.silence(this.#frameEndMs) === 'stop') this.#events.speechChanged('stop');
      return;
    }
    for (let left = samples; left > 0; ) {
      const taken = this.#analyzer.writeSilence(left);
      this.#frames(nowMs);
      if (taken === 0 || this.#stopped) break;
      left -= taken;
    }
    this.#nextPosition += samples;
  }

  #frames(nowMs: number): void {
    const analyzer = this.#analyzer;
    while (!this.#stopped && analyzer.next()) {
      const startMs = this.#frameEndMs;
      this.#frameEndMs = startMs + FRAME_MS;
      this.framesIn++;
      this.frameLatencyMs = Math.max(
        0,
        nowMs - this.#zeroMs - this.allowanceMs - Math.max(this.#dueMs, this.#frameEndMs),
      );
      if (this.frameLatencyMs > LATE_MS) this.framesLate++;
      this.#utterance.push(analyzer.frame);
      const voicedMs = this.#detector.lastVoicedMs;
      const change = this.#detector.frame(analyzer, startMs);
      if (this.#scores && this.#detector.lastVoicedMs > voicedMs) this.#score(analyzer.score);
      if (change !== 'none') this.#events.speechChanged(change);
      this.#events.frameDone(this.#frameEndMs);
    }
  }

  #score(score: number): void {
    this.#scoredFrames++;
    this.#scoreSum += score;
    this.#leastScore = Math.min(this.#leastScore, score);
  }

  /** Of the turn that is kept; undefined where there are none. */
  get speechScores(): SpeechScores | undefined {
    if (this.#scoredFrames === 0) return undefined;
    const rounded = (score: number) => Math.round(score * 1000) / 1000;
    const mean = rounded(this.#scoreSum / this.#scoredFrames);
    return { frames: this.#scoredFrames, mean, least: rounded(this.#leastScore) };
  }

  /** The session has ended in the middle of a packet: the analyzer is not there any more. */
  stop(): void {
    this.#stopped = true;
    this.#utterance.clear();
  }

  /** Speech that is too long for one turn ends here, although the caller goes on. */
  cutSpeech(): void {
    if (this.#detector.cut()) this.#events.speechChanged('stop');
  }

  /** Keeps the audio from a little before the onset on. */
  keep(): void {
    this.#scoredFrames = 0;
    this.#scoreSum = 0;
    this.#leastScore = 1;
    // The frame that started it.
    if (this.#scores) this.#score(this.#analyzer.score);
    this.#utterance.begin(this.#detector.onsetMs - this.#preRollMs, this.#frameEndMs);
  }

  stopKeeping(): void {
    this.#utterance.clear();
  }

  /** A copy of the turn's audio so far, without the longer silence at its end. */
  utterance(): Int16Array {
    return this.#utterance.copy(this.#detector.lastVoicedMs + TAIL_MS);
  }
}
