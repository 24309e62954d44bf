// Zero-phase resampling by any ratio, for comparing recordings and for the voice; not for the audio path of a call.

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 8;
const MAX_PHASES = 640;
const MAX_PLANS = 32;
const plans = new Map<string, Float32Array[]>();

export function resample(input: Float32Array, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return input;
  const divisor = gcd(fromHz, toHz);
  const up = toHz / divisor;
  const cut = Math.min(1, toHz / fromHz) * 0.95;
  const half = Math.ceil(CROSSINGS / cut);
  const phases = Math.min(up, MAX_PHASES);
  const taps = planFor(phases, half, cut);
  const output = new Float32Array(Math.floor((input.length * toHz) / fromHz));
  const ratio = fromHz / toHz;
  for (let i = 0; i < output.length; i++) {
    const at = i * ratio;
    let whole = Math.floor(at);
    let phase = Math.round((at - whole) * phases);
    if (phase === phases) {
      phase = 0;
      whole += 1;
    }
    const kernel = taps[phase] as Float32Array;
    const from = Math.max(0, whole - half);
    const to = Math.min(input.length - 1, whole + half);
    let sum = 0;
    for (let k = from, t = from - whole + half; k <= to; k++, t++) sum += (kernel[t] as number) * (input[k] as number);
    output[i] = sum;
  }
  return output;
}

/** Kernels for each fraction of an input sample. */
function planFor(phases: number, half: number, cut: number): Float32Array[] {
  const key = `${phases}/${half}/${cut}`;
  const known = plans.get(key);
  if (known) return known;
  const taps = Array.from({ length: phases }, (_, phase) => {
    const kernel = new Float32Array(2 * half + 1);
    for (let k = -half; k <= half; k++) {
      const distance = k - phase / phases;
      const window = Math.abs(distance) < half ? 0.5 + 0.5 * Math.cos((Math.PI * distance) / half) : 0;
      const angle = Math.PI * cut * distance;
      kernel[k + half] = window * cut * (distance === 0 ? 1 : Math.sin(angle) / angle);
    }
    return kernel;
  });
  if (plans.size >= MAX_PLANS) plans.clear();
  plans.set(key, taps);
  return taps;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
