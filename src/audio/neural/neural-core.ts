// An audio core whose analyzers hear with the net: what calls are given where `neural` is chosen.
import type { Analyzer, AudioCore, SampleRateHz } from '../core.ts';
import { withNeuralScore } from './neural-analyzer.ts';
import type { NeuralVad } from './neural-vad.ts';

/** As `core`, but every analyzer takes a slot of `vad`, too, and gives its probability as the score. */
export function withNeuralEars(core: AudioCore, vad: NeuralVad): AudioCore {
  return {
    ...core,
    get slotsInUse(): number {
      return core.slotsInUse;
    },
    openAnalyzer(inputRateHz: SampleRateHz): Analyzer {
      const analyzer = core.openAnalyzer(inputRateHz);
      try {
        return withNeuralScore(analyzer, vad.open());
      } catch (error) {
        // Without its slot in the net it is no ear, and must not keep the other one.
        analyzer.release();
        throw error;
      }
    },
  };
}
