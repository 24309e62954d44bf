// The neural VAD: a net for speech (Silero VAD v6) in one WASM instance with a slot for each stream. Interface only; see `create-neural-vad.ts`.

/** What is fixed when a neural VAD is made. */
export interface NeuralVadOptions {
  /** Streams that may be open at once, 1 to 65,535. Memory is sized by it and never grows: 0.6 MB and 4.2 KiB a stream. */
  readonly maxSlots: number;
  /** A compiled module (`neural.wasm`), where the host must not compile (workerd). Default: the built-in one. */
  readonly module?: WebAssembly.Module | undefined;
  /** The weights as text, where they are kept elsewhere. Default: the built-in ones. Others are refused. */
  readonly weights?: string | undefined;
}

/** What a stream may choose. */
export interface NeuralStreamOptions {
  /** false: the net hears every window and keeps its state, exactly as the original does. Default true: an energy gate spares it what is
   *  silent, and its state is kept fresh through long pauses. */
  readonly gated?: boolean | undefined;
}

/** One instance of the WASM module with weights and memory; hands out slots. */
export interface NeuralVad {
  readonly memoryBytes: number;
  readonly maxSlots: number;
  readonly slotsInUse: number;
  /** Throws `RangeError` when every slot is taken. */
  open(options?: NeuralStreamOptions): NeuralStream;
}

/** One caller's detector: PCM16 at 16 kHz in, probability of speech out. Synchronous; allocates nothing. */
export interface NeuralStream {
  /** Takes mono PCM16 at 16 kHz, any number of samples (a frame of the analyzer is 320). The net hears a window when its 512 samples (32 ms)
   *  are there: within this call. Returns the newest probability, 0..1; 0.5 is the recommended threshold. */
  push(frame: Int16Array): number;
  /** The newest probability; 0 before the first window. */
  readonly probability: number;
  /** Windows of 512 samples heard since the start or `reset`. */
  readonly windows: number;
  /** Times the net ran for them: fewer than `windows` when the gate spared it work. */
  readonly netRuns: number;
  /** Back to the state after `open`. */
  reset(): void;
  /** Frees the slot. Later calls throw `Error` ("slot was released"); the figures are NaN then. */
  release(): void;
}
