// The audio core: one WASM instance, one fixed memory, a slot for each stream. Interface only; see `create-core.ts`.

import type { G711Law } from './g711.ts';
import type { SignalQuality } from './signal-quality.ts';

/** Rates that the core converts between. */
export type SampleRateHz = 8000 | 16000 | 24000 | 48000;

/** What is fixed when a core is made. */
export interface AudioCoreOptions {
  /** Streams that may be open at once (analyzers and resamplers each take one). Memory is sized by it and never grows. */
  readonly maxSlots: number;
  /** A compiled module, where the host must not compile (workerd). Default: the built-in one. */
  readonly module?: WebAssembly.Module | undefined;
}

/** One instance of the WASM module with its memory; opens analyzers and resamplers, which take a slot each until they are released. */
export interface AudioCore {
  readonly memoryBytes: number;
  readonly slotsInUse: number;
  readonly maxSlots: number;
  /** Throws `RangeError` when every slot is taken. */
  openAnalyzer(inputRateHz: SampleRateHz): Analyzer;
  /** Throws `RangeError` when every slot is taken. */
  openResampler(fromHz: SampleRateHz, toHz: SampleRateHz): Resampler;
  /** Telephone bytes to PCM16, a sample each; needs no slot and allocates nothing. Returns the samples written.
   *  `RangeError` when `output` is too small. */
  decodeG711(law: G711Law, bytes: Uint8Array, output: Int16Array): number;
  /** The other way: a byte for each sample, the nearest code. */
  encodeG711(law: G711Law, samples: Int16Array, output: Uint8Array): number;
}

/** One caller's ear: PCM16 at any rate in, 20 ms frames at 16 kHz and what was measured on them out. Allocates nothing. */
export interface Analyzer {
  readonly inputRateHz: SampleRateHz;
  /** How much later a sample comes out than it went in (filter delay), in 16 kHz samples. Already taken out of frame positions. */
  readonly delaySamples: number;
  /** What an empty ring takes in one write for certain: 100 ms. */
  readonly maxPacketSamples: number;
  /** Takes mono PCM16 LE (an odd last byte is left out). Call `next` until it is false after each write.
   *  Returns the samples taken; fewer than given only when the ring is full: read with `next`, then write the rest. */
  write(packet: Uint8Array): number;
  /** As `write`, for `samples` samples of silence (a gap in the input). */
  writeSilence(samples: number): number;
  /** Analyzes the next whole 20 ms frame, if there is one. */
  next(): boolean;
  /** The frame that `next` analyzed: 320 samples at 16 kHz. A fixed view, overwritten by the next call. */
  readonly frame: Int16Array;
  /** Where `score` comes from. */
  readonly vad: 'energy' | 'neural';
  /** Speech likelihood of the frame, 0..1; 0.5 is the recommended threshold. By the adaptive energy VAD, or the net's newest probability. */
  readonly score: number;
  /** RMS of the frame, 0..1, exactly `sqrt(mean((s/32768)^2))` in f64 (requirements 11.1). */
  readonly rms: number;
  /** Level of each 10 ms half, dBFS (RMS, 0 = full-scale square); -100 at digital silence. */
  readonly firstHalfDb: number;
  readonly secondHalfDb: number;
  /** Tracked noise floor, dBFS. */
  readonly floorDb: number;
  /** Largest absolute sample, 0..32768. */
  readonly peak: number;
  /** Quality of the newest window of 4 to 10 s, updated by `next`; null for an analyzer that does not measure it. */
  readonly quality: SignalQuality | null;
  /** Back to the state after `openAnalyzer`. */
  reset(): void;
  /** Frees the slot. Later calls throw `Error` ("slot was released"); the figures are NaN then and `frame` is empty. */
  release(): void;
}

/** A streaming resampler for mono PCM16 (polyphase 64 taps, Kaiser 10, roll-off 0.94). Same output under any chunking. Allocates nothing. */
export interface Resampler {
  readonly fromHz: SampleRateHz;
  readonly toHz: SampleRateHz;
  /** Filter delay in output samples. The first `delaySamples` outputs are dropped by the resampler itself, so that output sample
   *  n is at the time of input sample n * fromHz / toHz; `flush` gives the tail that was held back. */
  readonly delaySamples: number;
  /** Most output samples that `input` samples can give. */
  maxOutput(inputSamples: number): number;
  /** Returns how many samples were written to `output`, which must hold `maxOutput(input.length)` (else `RangeError`). Any input length works. */
  process(input: Int16Array, output: Int16Array): number;
  /** Writes the held-back tail (input counted as followed by silence), at most `delaySamples`, and resets. In all there come
   *  ceil(input * toHz / fromHz) samples. */
  flush(output: Int16Array): number;
  reset(): void;
  release(): void;
}
