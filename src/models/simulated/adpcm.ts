// IMA ADPCM, 4 bits a sample: how clips are stored. Deterministic integer arithmetic.

// IMA Digital Audio Doc-Pac, 1992: table of step sizes and of index changes.
const STEPS = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
  130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060,
  1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484,
  7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
const INDEX_CHANGES = [-1, -1, -1, -1, 2, 4, 6, 8];

interface State {
  value: number;
  index: number;
}

function step(state: State, nibble: number): number {
  const size = STEPS[state.index] as number;
  let change = size >> 3;
  if (nibble & 4) change += size;
  if (nibble & 2) change += size >> 1;
  if (nibble & 1) change += size >> 2;
  state.value = Math.max(-32768, Math.min(32767, state.value + (nibble & 8 ? -change : change)));
  state.index = Math.max(0, Math.min(88, state.index + (INDEX_CHANGES[nibble & 7] as number)));
  return state.value;
}

/** `samples` samples from nibbles (low one first), starting from silence. */
export function decodeAdpcm(bytes: Uint8Array, samples: number): Int16Array {
  const out = new Int16Array(Math.min(samples, bytes.length * 2));
  const state: State = { value: 0, index: 0 };
  for (let i = 0; i < out.length; i++) {
    const byte = bytes[i >> 1] as number;
    out[i] = step(state, i & 1 ? byte >> 4 : byte & 15);
  }
  return out;
}

export function encodeAdpcm(pcm: Int16Array): Uint8Array {
  const out = new Uint8Array((pcm.length + 1) >> 1);
  const state: State = { value: 0, index: 0 };
  for (let i = 0; i < pcm.length; i++) {
    const size = STEPS[state.index] as number;
    const difference = (pcm[i] as number) - state.value;
    const nibble = (difference < 0 ? 8 : 0) | Math.min(7, Math.floor((Math.abs(difference) * 4) / size));
    step(state, nibble);
    out[i >> 1] = (out[i >> 1] as number) | (i & 1 ? nibble << 4 : nibble);
  }
  return out;
}

export function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
