// Makes a neural VAD: code, weights and tables into one instance, then slots.
import type { NeuralStream, NeuralStreamOptions, NeuralVad, NeuralVadOptions } from './neural-vad.ts';
import { LAYOUT, WASM_BASE64 } from './neural-wasm.generated.ts';
import { type NeuralEngine, type NeuralExports, SlotStream } from './slot-stream.ts';
import { WEIGHTS_CHECKSUM, WEIGHTS_TEXT } from './weights.generated.ts';

export const MAX_SLOTS = 65_535;
const PAGE_BYTES = 65_536;

let compiled: WebAssembly.Module | undefined;

/** Makes a neural VAD with memory for `maxSlots` streams. Synchronous, some milliseconds; no I/O, no permissions. Throws `RangeError` when
 *  `maxSlots` is no whole number from 1 to 65,535, and `Error` when the weights are damaged. */
export function createNeuralVad(options: NeuralVadOptions): NeuralVad {
  const engine = createNeuralEngine(options);
  return {
    memoryBytes: engine.memoryBytes,
    maxSlots: engine.maxSlots,
    get slotsInUse(): number {
      return engine.slotsInUse;
    },
    open(stream: NeuralStreamOptions = {}): NeuralStream {
      return new SlotStream(engine, stream.gated ?? true);
    },
  };
}

/** The instance and its views; for `createNeuralVad`, and for tests that look at the memory. */
export function createNeuralEngine(options: NeuralVadOptions): NeuralEngine {
  const { maxSlots } = options;
  if (!Number.isInteger(maxSlots) || maxSlots < 1 || maxSlots > MAX_SLOTS) {
    throw new RangeError(`maxSlots must be a whole number from 1 to ${MAX_SLOTS}: it is ${maxSlots}`);
  }
  const core = new WebAssembly.Instance(options.module ?? builtInModule(), {}).exports as unknown as NeuralExports;
  // The one growth, before any view is made. The text of the weights lies where the slots will be.
  const bytes = LAYOUT.SLOTS + Math.max(maxSlots * LAYOUT.SLOT_BYTES, LAYOUT.TEXT_BYTES);
  core.memory.grow(Math.ceil(bytes / PAGE_BYTES) - core.memory.buffer.byteLength / PAGE_BYTES);
  const buffer = core.memory.buffer;
  const text = options.weights ?? WEIGHTS_TEXT;
  const { read, written } = new TextEncoder().encodeInto(text, new Uint8Array(buffer, LAYOUT.TEXT, LAYOUT.TEXT_BYTES));
  const whole = text.length === LAYOUT.TEXT_BYTES && read === text.length && written === text.length;
  if (!whole || core.checksum() >>> 0 !== WEIGHTS_CHECKSUM || core.initialize(maxSlots) === 0) {
    throw new Error('The weights of the neural VAD are damaged or of another version: build or install them again');
  }
  return {
    core,
    memoryBytes: buffer.byteLength,
    maxSlots,
    slotsInUse: 0,
    pcmIn: new Int16Array(buffer, LAYOUT.PCM_IN, LAYOUT.BLOCK_SAMPLES),
  };
}

function builtInModule(): WebAssembly.Module {
  if (compiled === undefined) {
    const text = atob(WASM_BASE64);
    const bytes = new Uint8Array(text.length);
    // By index: walking the characters with an iterator takes longer than all else here.
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    compiled = new WebAssembly.Module(bytes);
  }
  return compiled;
}
