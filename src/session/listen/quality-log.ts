// The quality of a call: a report for each window that the audio core has measured, and what they add up to.
import { connectionScore } from '../../audio/connection-score.ts';
import type { Analyzer } from '../../audio/core.ts';
import type { SignalQuality } from '../../audio/signal-quality.ts';
import type { JitterBuffer, JitterCounters } from './jitter-buffer.ts';

/** One window of 4 to 10 s. Null: not measured, for the figures of speech because the window held none. */
export interface QualityReport {
  readonly type: 'quality';
  /** End of the window on the session clock. */
  readonly atMs: number;
  readonly windowMs: number;
  readonly speechMs: number;
  /** Signal-quality index and clarity, 1..5. */
  readonly score: number | null;
  readonly clarity: number | null;
  readonly levelDb: number | null;
  readonly snrDb: number | null;
  readonly clipFraction: number | null;
  readonly gapFraction: number | null;
  readonly bandwidthHz: number | null;
  readonly dc: number | null;
  /** The index is below 3, or 0.8 below what the call had been like. */
  readonly degraded: boolean;
  readonly connection: ConnectionReport | null;
}

/** What the jitter buffer saw; null where packets come over an ordered connection. */
export interface ConnectionReport {
  /** E-model, 1..5, by losses and by the buffer's own delay: the way through the network is not known here. */
  readonly score: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly depthMs: number;
  /** In this window; see `JitterCounters`. */
  readonly lostMs: number;
  readonly concealedMs: number;
  readonly lateMs: number;
  readonly holes: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly underruns: number;
  readonly overruns: number;
}

/** All windows with speech together; null before the first. */
export interface QualitySummary {
  /** Mean, weighted by speech, and lowest. */
  readonly score: number | null;
  readonly lowest: number | null;
  /** Points per minute, by least squares; null with less than three windows. */
  readonly slopePerMinute: number | null;
  readonly windows: number;
  readonly degradedWindows: number;
}

const POOR_SCORE = 3;
const DROP = 0.8;
const FRAME_MS = 20;
/** The sensors take what moves for speech; where the net hears less voice than this in a window, it held none. */
const VOICE = 0.5;
const LEAST_VOICED_FRAMES = 5;

/** What it looks at after each frame. */
export type QualityEar = Pick<Analyzer, 'quality' | 'vad' | 'score'>;

export class QualityLog {
  readonly #ear: QualityEar;
  readonly #network: JitterBuffer | null;
  #seen = 0;
  #voiced = 0;
  /** The counters at the end of the window before. */
  #counted: JitterCounters | null = null;
  #windows = 0;
  #degraded = 0;
  #lowest = Infinity;
  #weight = 0;
  #sum = 0;
  // Of the regression: sums of t, t^2, score, t score; t in minutes.
  #t = 0;
  #tt = 0;
  #s = 0;
  #ts = 0;

  constructor(ear: QualityEar, network: JitterBuffer | null) {
    this.#ear = ear;
    this.#network = network;
  }

  /** After each frame that ends at `endMs`: a report when a window ended with it. */
  frame(endMs: number): QualityReport | null {
    const q = this.#ear.quality;
    if (this.#ear.score >= VOICE) this.#voiced++;
    if (q === null || q.windows === this.#seen) return null;
    this.#seen = q.windows;
    const spoken = this.#ear.vad !== 'neural' || this.#voiced >= LEAST_VOICED_FRAMES;
    this.#voiced = 0;
    return q.windows === 0 ? null : this.#report(q, endMs, spoken);
  }

  /** Apart from `frame`, for a closure in it would allocate its scope at each frame. */
  #report(q: SignalQuality, endMs: number, spoken: boolean): QualityReport {
    const ofSpeech = (x: number, parts: number) => (spoken ? measured(x, parts) : null);
    return {
      type: 'quality',
      atMs: endMs,
      windowMs: q.frames * FRAME_MS,
      speechMs: spoken ? q.activeFrames * FRAME_MS : 0,
      score: ofSpeech(q.score, 100),
      clarity: ofSpeech(q.clarity, 100),
      levelDb: ofSpeech(q.levelDb, 10),
      snrDb: ofSpeech(q.snrDb, 10),
      clipFraction: ofSpeech(q.clipFraction, 1e5),
      gapFraction: ofSpeech(q.gapFraction, 1e5),
      bandwidthHz: ofSpeech(q.bandwidthHz, 1),
      dc: measured(q.dc, 1e5),
      degraded: spoken && this.#add(q, endMs / 60_000),
      connection: this.#connection(),
    };
  }

  get summary(): QualitySummary {
    const n = this.#windows;
    const spread = n * this.#tt - this.#t * this.#t;
    const slope = n < 3 || spread <= 0 ? Number.NaN : (n * this.#ts - this.#t * this.#s) / spread;
    return {
      score: n === 0 ? null : measured(this.#sum / this.#weight, 100),
      lowest: n === 0 ? null : measured(this.#lowest, 100),
      slopePerMinute: measured(slope, 100),
      windows: n,
      degradedWindows: this.#degraded,
    };
  }

  /** Adds a window with speech; whether it is worse than it should be. */
  #add(q: SignalQuality, minutes: number): boolean {
    const { score } = q;
    if (!(score >= 1)) return false;
    const before = this.#weight === 0 ? score : this.#sum / this.#weight;
    const degraded = score < POOR_SCORE || score < before - DROP;
    this.#windows++;
    if (degraded) this.#degraded++;
    this.#lowest = Math.min(this.#lowest, score);
    this.#weight += q.activeFrames;
    this.#sum += q.activeFrames * score;
    this.#t += minutes;
    this.#tt += minutes * minutes;
    this.#s += score;
    this.#ts += minutes * score;
    return degraded;
  }

  #connection(): ConnectionReport | null {
    const network = this.#network;
    if (network === null) return null;
    const now = network.counters;
    const before = this.#counted;
    const since = (key: keyof JitterCounters) => now[key] - (before?.[key] ?? 0);
    const ms = (key: keyof JitterCounters) => round(since(key) / network.samplesPerMs, 10);
    const all = since('received') + since('lost');
    const lossPercent = all === 0 ? 0 : (100 * since('lost')) / all;
    const depthMs = network.depthMs;
    const report: ConnectionReport = {
      score: round(connectionScore({ delayMs: depthMs, lossPercent }), 100),
      lossPercent: round(lossPercent, 100),
      jitterMs: round(network.delays.jitterMs, 10),
      depthMs,
      lostMs: ms('lost'),
      concealedMs: ms('concealed'),
      lateMs: ms('late'),
      holes: since('holes'),
      duplicates: since('duplicates'),
      reordered: since('reordered'),
      underruns: since('underruns'),
      overruns: since('overruns'),
    };
    this.#counted = { ...now };
    return report;
  }
}

function measured(x: number, parts: number): number | null {
  return Number.isNaN(x) ? null : round(x, parts);
}

function round(x: number, parts: number): number {
  return Math.round(x * parts) / parts;
}
