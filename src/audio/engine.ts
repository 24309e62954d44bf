// One instance of the audio core and the fixed views of its memory.
import { wasmModule } from '#wasm';
import { LAYOUT } from './core-wasm.generated.ts';

/** What wasm/core.ts exports. A call on a slot answers -1 when its handle is no longer good. */
interface CoreExports {
  readonly memory: WebAssembly.Memory;
  initialize(slots: number): void;
  openSlot(): number;
  releaseSlot(handle: number): number;
  start(handle: number, fromHz: number, toHz: number): number;
  delayOf(fromHz: number, toHz: number): number;
  resamplePcm(handle: number, samples: number): number;
  resampleFloat(handle: number, samples: number): number;
  flushPcm(handle: number): number;
  writePcm(handle: number, samples: number): number;
  nextFrame(handle: number): number;
  pcmToFloat(from: number, to: number, samples: number): void;
  floatToPcm(from: number, to: number, samples: number): void;
  decodeG711(law: number, from: number, to: number, samples: number): void;
  encodeG711(law: number, from: number, to: number, samples: number): void;
}

export interface Engine {
  readonly core: CoreExports;
  readonly memoryBytes: number;
  readonly maxSlots: number;
  slotsInUse: number;
  /** Input of a block as samples and as bytes, and its output. */
  readonly pcmIn: Int16Array;
  readonly pcmInBytes: Uint8Array;
  readonly pcmOut: Int16Array;
  readonly pcmOutBytes: Uint8Array;
  readonly floatIn: Float32Array;
  readonly floatOut: Float32Array;
}

export const MAX_SLOTS = 65_535;
const PAGE_BYTES = 65_536;

export function createEngine(maxSlots: number, module: WebAssembly.Module = wasmModule()): Engine {
  if (!Number.isInteger(maxSlots) || maxSlots < 1 || maxSlots > MAX_SLOTS) {
    throw new RangeError(`maxSlots must be a whole number from 1 to ${MAX_SLOTS}: it is ${maxSlots}`);
  }
  const core = new WebAssembly.Instance(module, {}).exports as unknown as CoreExports;
  // The one growth, before any view is made: the module itself never grows its memory, so views stay valid.
  const pages = Math.ceil((LAYOUT.SLOTS + maxSlots * LAYOUT.SLOT_BYTES) / PAGE_BYTES);
  const present = core.memory.buffer.byteLength / PAGE_BYTES;
  if (pages > present) core.memory.grow(pages - present);
  core.initialize(maxSlots);
  const buffer = core.memory.buffer;
  const outSamples = LAYOUT.BLOCK_SAMPLES * 6;
  return {
    core,
    memoryBytes: buffer.byteLength,
    maxSlots,
    slotsInUse: 0,
    pcmIn: new Int16Array(buffer, LAYOUT.PCM_IN, LAYOUT.BLOCK_SAMPLES),
    pcmInBytes: new Uint8Array(buffer, LAYOUT.PCM_IN, LAYOUT.BLOCK_SAMPLES * 2),
    pcmOut: new Int16Array(buffer, LAYOUT.PCM_OUT, outSamples),
    pcmOutBytes: new Uint8Array(buffer, LAYOUT.PCM_OUT, outSamples * 2),
    floatIn: new Float32Array(buffer, LAYOUT.FLOAT_IN, LAYOUT.BLOCK_SAMPLES),
    floatOut: new Float32Array(buffer, LAYOUT.FLOAT_OUT, outSamples),
  };
}

/** Opens a slot for a pair of rates; `RangeError` for a foreign rate or when all are taken. */
export function openSlot(engine: Engine, fromHz: number, toHz: number): number {
  checkRate(fromHz);
  checkRate(toHz);
  const handle = engine.core.openSlot();
  if (handle < 0) throw new RangeError(`All ${engine.maxSlots} slots of the audio core are in use: raise maxSlots`);
  engine.core.start(handle, fromHz, toHz);
  engine.slotsInUse++;
  return handle;
}

export function releaseSlot(engine: Engine, handle: number): void {
  if (engine.core.releaseSlot(handle) === 0) throw slotWasReleased();
  engine.slotsInUse--;
}

/** Where the slot of a handle starts. */
export function slotOffset(handle: number): number {
  return LAYOUT.SLOTS + (handle & 0xffff) * LAYOUT.SLOT_BYTES;
}

export function slotWasReleased(): Error {
  return new Error('The slot was released: open a new analyzer or resampler');
}

function checkRate(hz: number): void {
  if (hz !== 8000 && hz !== 16000 && hz !== 24000 && hz !== 48000) {
    throw new RangeError(`The sample rate must be 8000, 16000, 24000 or 48000 Hz: it is ${hz}`);
  }
}
