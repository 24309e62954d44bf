// An analyzer slot seen from the host: bytes in, frames and figures out, nothing allocated.
import type { Analyzer, SampleRateHz } from './core.ts';
import { LAYOUT } from './core-wasm.generated.ts';
import { type Engine, openSlot, releaseSlot, slotOffset, slotWasReleased } from './engine.ts';

const ANALYSIS_HZ = 16_000;
// Order of the results in the slot (wasm/layout.ts, RESULT_...).
const SCORE = 0;
const RMS = 1;
const FIRST_HALF_DB = 2;
const SECOND_HALF_DB = 3;
const FLOOR_DB = 4;
const PEAK = 5;

export class SlotAnalyzer implements Analyzer {
  readonly inputRateHz: SampleRateHz;
  readonly delaySamples: number;
  readonly maxPacketSamples: number;
  readonly #engine: Engine;
  readonly #frame: Int16Array;
  readonly #results: Float64Array;
  #handle: number;

  constructor(engine: Engine, inputRateHz: SampleRateHz) {
    this.#handle = openSlot(engine, inputRateHz, ANALYSIS_HZ);
    this.#engine = engine;
    this.inputRateHz = inputRateHz;
    this.delaySamples = engine.core.delayOf(inputRateHz, ANALYSIS_HZ);
    this.maxPacketSamples = inputRateHz / 10;
    const buffer = engine.core.memory.buffer;
    const slot = slotOffset(this.#handle);
    this.#frame = new Int16Array(buffer, slot + LAYOUT.FRAME, LAYOUT.FRAME_SAMPLES);
    this.#results = new Float64Array(buffer, slot + LAYOUT.RESULTS, 6);
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
    return found === 1;
  }

  get frame(): Int16Array {
    if (this.#handle < 0) throw slotWasReleased();
    return this.#frame;
  }

  get score(): number {
    return this.#result(SCORE);
  }

  get rms(): number {
    return this.#result(RMS);
  }

  get firstHalfDb(): number {
    return this.#result(FIRST_HALF_DB);
  }

  get secondHalfDb(): number {
    return this.#result(SECOND_HALF_DB);
  }

  get floorDb(): number {
    return this.#result(FLOOR_DB);
  }

  get peak(): number {
    return this.#result(PEAK);
  }

  reset(): void {
    if (this.#engine.core.start(this.#handle, this.inputRateHz, ANALYSIS_HZ) < 0) throw slotWasReleased();
  }

  release(): void {
    releaseSlot(this.#engine, this.#handle);
    this.#handle = -1;
  }

  #take(samples: number): number {
    const taken = this.#engine.core.writePcm(this.#handle, samples);
    if (taken < 0) throw slotWasReleased();
    return taken;
  }

  #result(index: number): number {
    if (this.#handle < 0) throw slotWasReleased();
    return this.#results[index] as number;
  }
}
