// A resampler slot seen from the host: PCM16 at one rate in, PCM16 at another out, in any chunks, nothing allocated.
import type { Resampler, SampleRateHz } from './core.ts';
import { LAYOUT } from './core-wasm.generated.ts';
import { type Engine, openSlot, releaseSlot, slotWasReleased } from './engine.ts';

export class SlotResampler implements Resampler {
  readonly fromHz: SampleRateHz;
  readonly toHz: SampleRateHz;
  readonly delaySamples: number;
  readonly #engine: Engine;
  #handle: number;

  constructor(engine: Engine, fromHz: SampleRateHz, toHz: SampleRateHz) {
    this.#handle = openSlot(engine, fromHz, toHz);
    this.#engine = engine;
    this.fromHz = fromHz;
    this.toHz = toHz;
    this.delaySamples = engine.core.delayOf(fromHz, toHz);
  }

  maxOutput(inputSamples: number): number {
    return Math.ceil((inputSamples * this.toHz) / this.fromHz);
  }

  process(input: Int16Array, output: Int16Array): number {
    if (this.#handle < 0) throw slotWasReleased();
    if (output.length < this.maxOutput(input.length)) {
      throw new RangeError(`The output must hold ${this.maxOutput(input.length)} samples: it holds ${output.length}`);
    }
    if (this.fromHz === this.toHz) {
      output.set(input);
      return input.length;
    }
    const { core, pcmIn } = this.#engine;
    let produced = 0;
    for (let done = 0; done < input.length; done += LAYOUT.BLOCK_SAMPLES) {
      const block = Math.min(LAYOUT.BLOCK_SAMPLES, input.length - done);
      if (block === input.length) pcmIn.set(input);
      else for (let i = 0; i < block; i++) pcmIn[i] = input[done + i] as number;
      produced = this.#collect(core.resamplePcm(this.#handle, block), output, produced);
    }
    return produced;
  }

  flush(output: Int16Array): number {
    if (this.#handle < 0) throw slotWasReleased();
    if (this.fromHz === this.toHz) return 0;
    if (output.length < this.delaySamples) {
      throw new RangeError(`The output must hold ${this.delaySamples} samples: it holds ${output.length}`);
    }
    return this.#collect(this.#engine.core.flushPcm(this.#handle), output, 0);
  }

  reset(): void {
    if (this.#engine.core.start(this.#handle, this.fromHz, this.toHz) < 0) throw slotWasReleased();
  }

  release(): void {
    releaseSlot(this.#engine, this.#handle);
    this.#handle = -1;
  }

  /** Appends what the kernel produced; returns the new length. */
  #collect(samples: number, output: Int16Array, at: number): number {
    const { pcmOut } = this.#engine;
    // A copy by hand: `subarray` would allocate.
    for (let i = 0; i < samples; i++) output[at + i] = pcmOut[i] as number;
    return at + samples;
  }
}
