// G.711 by the core: telephone bytes to PCM16 and back, through the block that all streams share; no slot, nothing allocated.
import { LAYOUT } from './core-wasm.generated.ts';
import type { Engine } from './engine.ts';

/** The two laws of ITU-T G.711: `mu` in North America and Japan, `a` elsewhere. */
export type G711Law = 'mu' | 'a';

/** One byte is one sample. Returns the samples written; `RangeError` when they do not fit, or for another law. */
export function decodeG711(engine: Engine, law: G711Law, bytes: Uint8Array, output: Int16Array): number {
  const code = lawCode(law);
  if (output.length < bytes.length)
    throw new RangeError(`The output must hold ${bytes.length} samples: it holds ${output.length}`);
  const { core, pcmInBytes, pcmOut } = engine;
  for (let done = 0; done < bytes.length; done += LAYOUT.BLOCK_SAMPLES) {
    const block = Math.min(LAYOUT.BLOCK_SAMPLES, bytes.length - done);
    // Copies by hand: `subarray` would allocate.
    if (block === bytes.length) pcmInBytes.set(bytes);
    else for (let i = 0; i < block; i++) pcmInBytes[i] = bytes[done + i] as number;
    core.decodeG711(code, LAYOUT.PCM_IN, LAYOUT.PCM_OUT, block);
    for (let i = 0; i < block; i++) output[done + i] = pcmOut[i] as number;
  }
  return bytes.length;
}

/** One sample becomes one byte. Returns the bytes written; `RangeError` when they do not fit, or for another law. */
export function encodeG711(engine: Engine, law: G711Law, samples: Int16Array, output: Uint8Array): number {
  const code = lawCode(law);
  if (output.length < samples.length)
    throw new RangeError(`The output must hold ${samples.length} bytes: it holds ${output.length}`);
  const { core, pcmIn, pcmOutBytes } = engine;
  for (let done = 0; done < samples.length; done += LAYOUT.BLOCK_SAMPLES) {
    const block = Math.min(LAYOUT.BLOCK_SAMPLES, samples.length - done);
    if (block === samples.length) pcmIn.set(samples);
    else for (let i = 0; i < block; i++) pcmIn[i] = samples[done + i] as number;
    core.encodeG711(code, LAYOUT.PCM_IN, LAYOUT.PCM_OUT, block);
    for (let i = 0; i < block; i++) output[done + i] = pcmOutBytes[i] as number;
  }
  return samples.length;
}

function lawCode(law: G711Law): number {
  if (law === 'mu') return 0;
  if (law === 'a') return 1;
  throw new RangeError(`The law of G.711 is 'mu' or 'a': it is ${JSON.stringify(law)}`);
}
