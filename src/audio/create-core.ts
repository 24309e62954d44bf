// The audio core as the rest of the runtime sees it: opens analyzers and resamplers in the slots of one engine.
import { SlotAnalyzer } from './analyzer.ts';
import type { Analyzer, AudioCore, AudioCoreOptions, Resampler, SampleRateHz } from './core.ts';
import { createEngine } from './engine.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import { SlotResampler } from './resampler.ts';

/** Makes a core with memory for `maxSlots` streams (10 KiB each). Synchronous; no I/O, no permissions.
 *  Throws `RangeError` when `maxSlots` is no whole number from 1 to 65,535. */
export function createAudioCore(options: AudioCoreOptions): AudioCore {
  const engine = createEngine(options.maxSlots, options.module);
  return {
    memoryBytes: engine.memoryBytes,
    maxSlots: engine.maxSlots,
    get slotsInUse(): number {
      return engine.slotsInUse;
    },
    openAnalyzer(inputRateHz: SampleRateHz): Analyzer {
      return new SlotAnalyzer(engine, inputRateHz);
    },
    openResampler(fromHz: SampleRateHz, toHz: SampleRateHz): Resampler {
      return new SlotResampler(engine, fromHz, toHz);
    },
    decodeG711: (law, bytes, output) => decodeG711(engine, law, bytes, output),
    encodeG711: (law, samples, output) => encodeG711(engine, law, samples, output),
  };
}
