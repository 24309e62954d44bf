// The f64 twin of the resampler: the definition, sample by sample, with the same filter; keeps all input it was given.

const BETA = 10;
const ROLL_OFF = 0.94;

export class ResamplerTwin {
  readonly up: number;
  readonly down: number;
  readonly taps: number;
  readonly #table: Float64Array[];
  #tail = new Float64Array(0);
  /** Index of the first sample of the tail, and of the next output. */
  #base = 0;
  #next = 0;

  constructor(fromHz: number, toHz: number) {
    const common = divisor(fromHz, toHz);
    this.up = toHz / common;
    this.down = fromHz / common;
    const ratio = Math.min(1, this.up / this.down);
    this.taps = 64 / ratio;
    const half = this.taps / 2;
    this.#table = Array.from({ length: this.up }, (_, phase) => {
      const taps = Float64Array.from({ length: this.taps }, (_, k) => {
        const distance = phase / this.up + half - 1 - k;
        const inside = 1 - (distance / half) ** 2;
        const x = Math.PI * distance * ROLL_OFF * ratio;
        return inside <= 0 ? 0 : (x === 0 ? 1 : Math.sin(x) / x) * bessel0(BETA * Math.sqrt(inside));
      });
      const sum = taps.reduce((a, b) => a + b, 0);
      return taps.map((tap) => tap / sum);
    });
    this.#base = -(half - 1);
    this.#tail = new Float64Array(half - 1);
  }

  /** Outputs (unrounded, in units of the input) whose filter lies within the input so far. */
  filter(input: ArrayLike<number>): Float64Array {
    const samples = new Float64Array(this.#tail.length + input.length);
    samples.set(this.#tail);
    samples.set(input, this.#tail.length);
    const outputs: number[] = [];
    for (;;) {
      const whole = Math.floor((this.#next * this.down) / this.up);
      const start = whole - this.taps / 2 + 1 - this.#base;
      if (start + this.taps > samples.length) {
        this.#tail = samples.slice(start);
        this.#base += start;
        return Float64Array.from(outputs);
      }
      const table = this.#table[(this.#next * this.down) % this.up]!;
      let sum = 0;
      for (let k = 0; k < this.taps; k++) sum += samples[start + k]! * table[k]!;
      outputs.push(sum);
      this.#next++;
    }
  }

  process(input: Int16Array, output: Int16Array): number {
    const samples = this.filter(input);
    for (let i = 0; i < samples.length; i++) output[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i]!)));
    return samples.length;
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 60; k++) {
    term *= (x * x) / 4 / (k * k);
    sum += term;
  }
  return sum;
}
