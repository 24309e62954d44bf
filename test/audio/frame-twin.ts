// The f64 twin of the fused pass: what an analyzer says about a frame, in plain TypeScript.
import { BANDS, bandPowers } from './spectrum-twin.ts';
import { SpeechTwin } from './speech-twin.ts';

export class FrameTwin {
  rms = 0;
  firstHalfDb = -100;
  secondHalfDb = -100;
  peak = 0;
  readonly speech = new SpeechTwin();
  readonly #samples = new Int16Array(48 + 320);
  readonly #powers = new Float64Array(BANDS);

  /** `frame`: 320 samples at 16 kHz. */
  analyze(frame: Int16Array): void {
    this.#samples.copyWithin(0, 320);
    this.#samples.set(frame, 48);
    let first = 0;
    let second = 0;
    let peak = 0;
    for (let i = 0; i < 160; i++) first += frame[i]! * frame[i]!;
    for (let i = 160; i < 320; i++) second += frame[i]! * frame[i]!;
    for (let i = 0; i < 320; i++) peak = Math.max(peak, Math.abs(frame[i]!));
    const mean = (first + second) / 2 ** 30 / 320;
    this.rms = Math.sqrt(mean);
    this.firstHalfDb = decibels(first / 2 ** 30 / 160);
    this.secondHalfDb = decibels(second / 2 ** 30 / 160);
    this.peak = peak;
    bandPowers(this.#samples, this.#powers);
    this.speech.track(this.firstHalfDb, this.secondHalfDb, decibels(mean), this.#powers);
  }
}

function decibels(power: number): number {
  return power <= 1e-10 ? -100 : 10 * Math.log10(power);
}
