// An analyzer slot seen from the host: bytes in, frames and figures out, nothing allocated.
import type { Analyzer, SampleRateHz } from './core.ts';
import { LAYOUT } from './core-wasm.generated.ts';
import { type Engine, openSlot, releaseSlot, slotOffset, slotWasReleased } from './engine.ts';
import { SlotQuality } from './signal-quality.ts';

const ANALYSIS_HZ = 16_000;
// Order of the results in the slot (wasm/layout.ts, RESULT_...).
const SCORE = 0;
const RMS = 1;
const FIRST_HALF_DB = 2;
const SECOND_HALF_DB = 3;
const FLOOR_DB = 4;
const PEAK = 5;
const NOTHING = new Int16Array(0);

export class SlotAnalyzer implements Analyzer {
  readonly vad = 'energy';
  readonly inputRateHz: SampleRateHz;
  readonly delaySamples: number;
  readonly maxPacketSamples: number;
  readonly #engine: Engine;
  readonly #results: Float64Array;
  readonly #qualityResults: Float64Array;
  readonly quality = new SlotQuality();
  #handle: number;
  frame: Int16Array;
  // Plain fields, doubles from the start: a getter that the host does not inline would box its result at each read.
  score = Number.NaN;
  rms = Number.NaN;
  firstHalfDb = Number.NaN;
  secondHalfDb = Number.NaN;
  floorDb = Number.NaN;
  peak = Number.NaN;

  constructor(engine: Engine, inputRateHz: SampleRateHz) {
    this.#handle = openSlot(engine, inputRateHz, ANALYSIS_HZ);
    this.#engine = engine;
    this.inputRateHz = inputRateHz;
    this.delaySamples = engine.core.delayOf(inputRateHz, ANALYSIS_HZ);
    this.maxPacketSamples = inputRateHz / 10;
    const buffer = engine.core.memory.buffer;
    const slot = slotOffset(this.#handle);
    this.frame = new Int16Array(buffer, slot + LAYOUT.FRAME, LAYOUT.FRAME_SAMPLES);
    this.#results = new Float64Array(buffer, slot + LAYOUT.RESULTS, 6);
    this.#qualityResults = new Float64Array(buffer, slot + LAYOUT.QUALITY_RESULTS, 11);
    this.#copyResults();
  }

  write(packet: Uint8Array): number {
    const samples = packet.length >> 1;
    if (samples <= LAYOUT.BLOCK_SAMPLES && packet.length <= LAYOUT.BLOCK_SAMPLES * 2) {
      this.#engine.pcmInBytes.set(packet);
      return this.#take(samples);
    }
    let done = 0;
    while (done < samples) {
      const block = Math.min(LAYOUT.BLOCK_SAMPLES, samples - done);
      const bytes = this.#engine.pcmInBytes;
      // A copy by hand: `subarray` would allocate.
      for (let i = 0; i < block * 2; i++) bytes[i] = packet[done * 2 + i] as number;
      const taken = this.#take(block);
      done += taken;
      if (taken < block) break;
    }
    return done;
  }

  writeSilence(samples: number): number {
    let done = 0;
    while (done < samples) {
      const block = Math.min(LAYOUT.BLOCK_SAMPLES, samples - done);
      this.#engine.pcmIn.fill(0, 0, block);
      const taken = this.#take(block);
      done += taken;
      if (taken < block) break;
    }
    return done;
  }

  next(): boolean {
    const found = this.#engine.core.nextFrame(this.#handle);
    if (found < 0) throw slotWasReleased();
    if (found === 0) return false;
    this.#copyResults();
    return true;
  }

  reset(): void {
    if (this.#engine.core.start(this.#handle, this.inputRateHz, ANALYSIS_HZ) < 0) throw slotWasReleased();
    this.#copyResults();
  }

  release(): void {
    releaseSlot(this.#engine, this.#handle);
    this.#handle = -1;
    // The place may be another stream's by the next call.
    this.frame = NOTHING;
    this.quality.clear();
    this.score = this.rms = this.firstHalfDb = this.secondHalfDb = this.floorDb = this.peak = Number.NaN;
  }

  #copyResults(): void {
    const results = this.#results;
    this.score = results[SCORE] as number;
    this.rms = results[RMS] as number;
    this.firstHalfDb = results[FIRST_HALF_DB] as number;
    this.secondHalfDb = results[SECOND_HALF_DB] as number;
    this.floorDb = results[FLOOR_DB] as number;
    this.peak = results[PEAK] as number;
    if (this.#qualityResults[0] !== this.quality.windows) this.quality.copy(this.#qualityResults);
  }

  #take(samples: number): number {
    const taken = this.#engine.core.writePcm(this.#handle, samples);
    if (taken < 0) throw slotWasReleased();
    return taken;
  }
}
