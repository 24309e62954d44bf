// An analyzer whose score is the net's: the small core does everything else.
import type { Analyzer, SampleRateHz } from '../core.ts';
import type { SignalQuality } from '../signal-quality.ts';
import type { NeuralStream } from './neural-vad.ts';

/** Puts the probability of `stream` in place of the analyzer's score, frame by frame; the two are reset and released together. */
export function withNeuralScore(analyzer: Analyzer, stream: NeuralStream): Analyzer {
  return new NeuralAnalyzer(analyzer, stream);
}

class NeuralAnalyzer implements Analyzer {
  readonly vad = 'neural';
  readonly inputRateHz: SampleRateHz;
  readonly delaySamples: number;
  readonly maxPacketSamples: number;
  readonly #inner: Analyzer;
  readonly #stream: NeuralStream;
  readonly quality: SignalQuality | null;
  frame: Int16Array;
  // Plain fields, doubles from the start, as in the inner analyzer.
  score = Number.NaN;
  rms = Number.NaN;
  firstHalfDb = Number.NaN;
  secondHalfDb = Number.NaN;
  floorDb = Number.NaN;
  peak = Number.NaN;

  constructor(inner: Analyzer, stream: NeuralStream) {
    this.#inner = inner;
    this.#stream = stream;
    this.inputRateHz = inner.inputRateHz;
    this.delaySamples = inner.delaySamples;
    this.maxPacketSamples = inner.maxPacketSamples;
    this.frame = inner.frame;
    this.quality = inner.quality;
    this.#copyResults();
  }

  write(packet: Uint8Array): number {
    return this.#inner.write(packet);
  }

  writeSilence(samples: number): number {
    return this.#inner.writeSilence(samples);
  }

  next(): boolean {
    if (!this.#inner.next()) return false;
    this.#stream.push(this.#inner.frame);
    this.#copyResults();
    return true;
  }

  reset(): void {
    this.#inner.reset();
    this.#stream.reset();
    this.#copyResults();
  }

  release(): void {
    this.#inner.release();
    this.#stream.release();
    this.frame = this.#inner.frame;
    this.#copyResults();
  }

  #copyResults(): void {
    const inner = this.#inner;
    this.score = this.#stream.probability;
    this.rms = inner.rms;
    this.firstHalfDb = inner.firstHalfDb;
    this.secondHalfDb = inner.secondHalfDb;
    this.floorDb = inner.floorDb;
    this.peak = inner.peak;
  }
}
