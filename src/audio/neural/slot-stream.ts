// A slot of the neural VAD seen from the host: samples in, a probability out, nothing allocated.
import type { NeuralStream } from './neural-vad.ts';
import { LAYOUT } from './neural-wasm.generated.ts';

/** What wasm/neural/neural.ts exports. A call on a slot answers -1 when its handle is no longer good. */
export interface NeuralExports {
  readonly memory: WebAssembly.Memory;
  checksum(): number;
  initialize(slots: number): number;
  openSlot(gated: number): number;
  releaseSlot(handle: number): number;
  reset(handle: number): number;
  push(handle: number, samples: number): number;
}

export interface NeuralEngine {
  readonly core: NeuralExports;
  readonly memoryBytes: number;
  readonly maxSlots: number;
  slotsInUse: number;
  /** Input of a call. */
  readonly pcmIn: Int16Array;
}

const { BLOCK_SAMPLES, PROBABILITY } = LAYOUT;
// Places in the view below, which starts at the probability.
const WINDOWS = (LAYOUT.WINDOWS - PROBABILITY) / 4;
const RUNS = (LAYOUT.RUNS - PROBABILITY) / 4;

/** Where the slot of a handle starts. */
export function neuralSlotOffset(handle: number): number {
  return LAYOUT.SLOTS + (handle & 0xffff) * LAYOUT.SLOT_BYTES;
}

export class SlotStream implements NeuralStream {
  readonly #engine: NeuralEngine;
  readonly #probability: Float32Array;
  readonly #counts: Int32Array;
  #handle: number;

  constructor(engine: NeuralEngine, gated: boolean) {
    const handle = engine.core.openSlot(gated ? 1 : 0);
    if (handle < 0) throw new RangeError(`All ${engine.maxSlots} slots of the neural VAD are in use: raise maxSlots`);
    engine.slotsInUse++;
    this.#engine = engine;
    this.#handle = handle;
    const at = neuralSlotOffset(handle) + PROBABILITY;
    this.#probability = new Float32Array(engine.core.memory.buffer, at, 1);
    this.#counts = new Int32Array(engine.core.memory.buffer, at, RUNS + 1);
  }

  push(frame: Int16Array): number {
    const { core, pcmIn } = this.#engine;
    if (frame.length <= BLOCK_SAMPLES) {
      pcmIn.set(frame);
      if (core.push(this.#handle, frame.length) < 0) throw slotWasReleased();
      return this.#probability[0] as number;
    }
    for (let at = 0; at < frame.length; at += BLOCK_SAMPLES) this.push(frame.subarray(at, at + BLOCK_SAMPLES));
    return this.probability;
  }

  get probability(): number {
    return this.#handle < 0 ? Number.NaN : (this.#probability[0] as number);
  }

  get windows(): number {
    return this.#handle < 0 ? Number.NaN : (this.#counts[WINDOWS] as number);
  }

  get netRuns(): number {
    return this.#handle < 0 ? Number.NaN : (this.#counts[RUNS] as number);
  }

  reset(): void {
    if (this.#engine.core.reset(this.#handle) < 0) throw slotWasReleased();
  }

  release(): void {
    if (this.#engine.core.releaseSlot(this.#handle) === 0) throw slotWasReleased();
    this.#engine.slotsInUse--;
    // The place may be another stream's by the next call.
    this.#handle = -1;
  }
}

function slotWasReleased(): Error {
  return new Error('The slot was released: open a new stream of the neural VAD');
}
