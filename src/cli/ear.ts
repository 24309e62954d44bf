// The ear that the configuration asks for. The net is loaded only where it is wanted: its weights are half a megabyte of text.
import type { NeuralVad } from '../audio/neural/index.ts';
import type { Config } from '../config/schema.ts';

/** Undefined where calls hear without the net. Its memory is reserved for every session and touched by those that come. */
export async function loadNeuralVad(config: Pick<Config, 'listening' | 'capacity'>): Promise<NeuralVad | undefined> {
  if (config.listening.vad !== 'neural') return undefined;
  const { createNeuralVad } = await import('../audio/neural/index.ts');
  return createNeuralVad({ maxSlots: config.capacity.maxSessions });
}
