// `syrinx/audio`: the audio core and WAV files, usable without the rest.
export { connectionScore, type ConnectionFigures } from './connection-score.ts';
export type { Analyzer, AudioCore, AudioCoreOptions, Resampler, SampleRateHz } from './core.ts';
export { createAudioCore } from './create-core.ts';
export type { G711Law } from './g711.ts';
export { noiseRatio, type SignalQuality } from './signal-quality.ts';
export { wordAccuracy } from './word-accuracy.ts';
export { readWav, type Wav, WavError, wavHeader, writeWav } from './wav.ts';
