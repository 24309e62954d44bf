// The neural VAD as a module for a VAD evaluation that calls `create()`: hop of one window of 512 samples at 16 kHz in, score out.
// `VAD_NEURAL_HOP=320` pushes frames of the analyzer instead; `VAD_NEURAL_GATE=off` lets the net hear everything.
import process from 'node:process';
import { createNeuralVad } from '../../src/audio/neural/index.ts';

export async function create() {
  const gated = process.env['VAD_NEURAL_GATE'] !== 'off';
  const stream = createNeuralVad({ maxSlots: 1 }).open({ gated });
  return {
    hopSamples: Number(process.env['VAD_NEURAL_HOP'] ?? 512),
    threshold: 0.5,
    reset: () => stream.reset(),
    process: (pcm: Int16Array): number => stream.push(pcm),
  };
}
