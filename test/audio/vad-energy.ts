// The analyzer as a module for a VAD evaluation that calls `create()`: hop of 320 samples at 16 kHz in, score out.
import { createAudioCore } from '../../src/audio/index.ts';

export async function create() {
  const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(16_000);
  return {
    hopSamples: 320,
    threshold: 0.5,
    reset: () => analyzer.reset(),
    process(pcm: Int16Array): number {
      analyzer.write(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
      while (analyzer.next());
      return analyzer.score;
    },
  };
}
