// The neural VAD, loaded only where it is chosen: `const { createNeuralVad } = await import(...)`. One explicit list.
export { createNeuralVad } from './create-neural-vad.ts';
export { withNeuralScore } from './neural-analyzer.ts';
export { withNeuralEars } from './neural-core.ts';
export type { NeuralStream, NeuralStreamOptions, NeuralVad, NeuralVadOptions } from './neural-vad.ts';
