// What a window of a call's audio was like: figures of the sensors, and an index from 1 to 5 (docs/audio.md says what it is worth).

/** The newest window of 4 to 10 s. A signal-quality index on a 1-5 scale, calibrated to DNSMOS and the E-model, not a subjective MOS.
 *  All figures are NaN where nothing was measured; those of speech also when the window held none. */
export interface SignalQuality {
  /** Windows so far: a new window has ended when this changes. */
  readonly windows: number;
  /** Frames of 20 ms in the window, and those of them that were loud enough for speech (0: no speech). */
  readonly frames: number;
  readonly activeFrames: number;
  /** The index, 1..5. */
  readonly score: number;
  /** The index by clipping, holes and bandwidth alone, 1..5: how undistorted the speech is, whatever the noise. */
  readonly clarity: number;
  /** Level of the speech without the noise, dBFS. */
  readonly levelDb: number;
  /** Speech over noise, dB, at most 60. */
  readonly snrDb: number;
  /** Share of the speech's samples that were cut off at a rail, 0..1. */
  readonly clipFraction: number;
  /** Share of the speech that was lost: holes of digital zero of 5 ms and more beside sound, 0..1. */
  readonly gapFraction: number;
  /** Offset from zero, 0..1 of full scale. */
  readonly dc: number;
  /** Highest frequency that carries sound, Hz, at most 7,500. */
  readonly bandwidthHz: number;
}

/** Copies the figures out of a slot when they change, into plain fields. */
export class SlotQuality implements SignalQuality {
  windows = 0;
  frames = 0;
  activeFrames = 0;
  score = Number.NaN;
  clarity = Number.NaN;
  levelDb = Number.NaN;
  snrDb = Number.NaN;
  clipFraction = Number.NaN;
  gapFraction = Number.NaN;
  dc = Number.NaN;
  bandwidthHz = Number.NaN;

  /** Nothing measured, as after the slot was released. */
  clear(): void {
    this.windows = this.frames = this.activeFrames = 0;
    this.score = this.clarity = this.levelDb = this.snrDb = Number.NaN;
    this.clipFraction = this.gapFraction = this.dc = this.bandwidthHz = Number.NaN;
  }

  /** `results`: order of wasm/layout.ts, QUALITY_RESULTS. */
  copy(results: Float64Array): void {
    this.windows = results[0] as number;
    this.frames = results[1] as number;
    this.activeFrames = results[2] as number;
    this.score = results[3] as number;
    this.clarity = results[4] as number;
    this.levelDb = results[5] as number;
    this.snrDb = results[6] as number;
    this.clipFraction = results[7] as number;
    this.gapFraction = results[8] as number;
    this.dc = results[9] as number;
    this.bandwidthHz = results[10] as number;
  }
}

/** Noise energy over speech energy (the specification's background noise, aim below 0.02); NaN where the SNR is. */
export function noiseRatio(quality: SignalQuality): number {
  return 10 ** (-quality.snrDb / 10);
}
