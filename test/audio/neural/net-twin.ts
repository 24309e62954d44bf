// The net in f64, stage by stage, from what lies in the module's memory: each function takes the stage's actual input.
import { LAYOUT } from '../../../src/audio/neural/neural-wasm.generated.ts';

export interface Sums {
  /** What the stage gives, in f64. */
  readonly values: Float64Array;
  /** Largest absolute value that was added on the way to each: what rounding is relative to. */
  readonly sizes: Float64Array;
}

const SINES = Float64Array.from({ length: 256 }, (_, i) => Math.sin((2 * Math.PI * i) / 256));
const COSINES = Float64Array.from({ length: 256 }, (_, i) => Math.cos((2 * Math.PI * i) / 256));

/** Magnitudes of 4 frames of 129 bins, from 576 samples. */
export function magnitudesTwin(pcm: Int16Array): Float64Array {
  const heard = Float64Array.from({ length: 640 }, (_, i) => pcm[i < 576 ? i : 1150 - i]! / 32768);
  const result = new Float64Array(4 * 129);
  for (let frame = 0; frame < 4; frame++) {
    for (let bin = 0; bin < 129; bin++) {
      let re = 0;
      let im = 0;
      for (let n = 0; n < 256; n++) {
        const x = heard[frame * 128 + n]! * (0.5 - 0.5 * COSINES[n]!);
        re += x * COSINES[(n * bin) & 255]!;
        im += x * SINES[(n * bin) & 255]!;
      }
      result[frame * 129 + bin] = Math.sqrt(re * re + im * im);
    }
  }
  return result;
}

/** Rows whose weights lie together, two inputs at a time. */
const TOGETHER = 32;

export interface Matrix {
  readonly weightsAt: number;
  readonly scalesAt: number;
  readonly rows: number;
  readonly inputs: number;
  /** Where the weight of an input lies in a row, when inputs are in another order or apart; `[at, inputs there, place]`. */
  readonly place?: (input: number) => readonly [number, number, number];
}

/** Of conv1 the taps come as 0, 2, 1, and the weights of bin 128 apart. */
function conv1Place(input: number): readonly [number, number, number] {
  const tap = Math.floor(input / 129);
  const bin = input % 129;
  if (bin === 128) return [LAYOUT.CONV1_LAST_WEIGHTS, 4, tap];
  return [LAYOUT.CONV1_WEIGHTS, 384, [0, 2, 1][tap]! * 128 + bin];
}

export const MATRICES = {
  conv1: {
    weightsAt: LAYOUT.CONV1_WEIGHTS,
    scalesAt: LAYOUT.CONV1_SCALES,
    rows: 128,
    inputs: 387,
    place: conv1Place,
  },
  conv2: { weightsAt: LAYOUT.CONV2_WEIGHTS, scalesAt: LAYOUT.CONV2_SCALES, rows: 64, inputs: 384 },
  conv3: { weightsAt: LAYOUT.CONV3_WEIGHTS, scalesAt: LAYOUT.CONV3_SCALES, rows: 64, inputs: 128 },
  conv4: { weightsAt: LAYOUT.CONV4_WEIGHTS, scalesAt: LAYOUT.CONV4_SCALES, rows: 128, inputs: 64 },
  input: { weightsAt: LAYOUT.INPUT_WEIGHTS, scalesAt: LAYOUT.INPUT_SCALES, rows: 512, inputs: 128 },
  hidden: { weightsAt: LAYOUT.HIDDEN_WEIGHTS, scalesAt: LAYOUT.HIDDEN_SCALES, rows: 512, inputs: 128 },
} as const satisfies Record<string, Matrix>;

export class NetTwin {
  readonly #i16: Int16Array;
  readonly #f32: Float32Array;

  constructor(memory: ArrayBuffer) {
    this.#i16 = new Int16Array(memory);
    this.#f32 = new Float32Array(memory, 0, memory.byteLength >> 2);
  }

  floats(at: number, count: number): Float32Array {
    return this.#f32.slice(at / 4, at / 4 + count);
  }

  words(at: number, count: number): Int16Array {
    return this.#i16.slice(at / 2, at / 2 + count);
  }

  /** An input of `count` values as the kernels take it: each pair four times. All four must be the same. */
  inputs(at: number, count: number): Int16Array {
    const lanes = this.words(at, count * 4);
    for (let i = 0; i < lanes.length; i++) {
      if (lanes[i] !== lanes[(i & ~7) + (i & 1)])
        throw new Error(`Input ${i >> 2} at ${at} is not four times the same`);
    }
    return Int16Array.from({ length: count }, (_, i) => lanes[(i >> 1) * 8 + (i & 1)]!);
  }

  /** What conv1 hears, by frame: from those of its lists that are frames and no differences. */
  conv1Input(): Int16Array {
    const LISTS = [0, 6, 7, 3];
    const last = this.words(LAYOUT.CONV1_LAST_INPUT, 8);
    return Int16Array.from({ length: 4 * 129 }, (_, i) => {
      const frame = Math.floor(i / 129);
      const bin = i % 129;
      if (bin === 128) return last[frame * 2]!;
      return this.#i16[LAYOUT.CONV1_INPUT / 2 + LISTS[frame]! * 512 + (bin >> 1) * 8 + (bin & 1)]!;
    });
  }

  weight(matrix: Matrix, row: number, input: number): number {
    const [at, inputs, place] = matrix.place?.(input) ?? [matrix.weightsAt, matrix.inputs, input];
    const block = Math.floor(row / TOGETHER) * TOGETHER * inputs;
    return this.#i16[at / 2 + block + (place >> 1) * 2 * TOGETHER + (row % TOGETHER) * 2 + (place & 1)]!;
  }

  /** `vector` times the rows, from input `skipped` on; sums in whole numbers, then scaled, with `added` and held to `lowest`. */
  product(
    matrix: Matrix,
    vector: ArrayLike<number>,
    skipped: number,
    step: number,
    added: ArrayLike<number>,
    lowest: number,
  ): Sums {
    const values = new Float64Array(matrix.rows);
    const sizes = new Float64Array(matrix.rows);
    for (let row = 0; row < matrix.rows; row++) {
      let sum = 0;
      for (let i = 0; i < vector.length; i++) sum += vector[i]! * this.weight(matrix, row, skipped + i);
      const scaled = sum * this.#f32[matrix.scalesAt / 4 + row]! * step;
      values[row] = Math.max(lowest, scaled + added[row]!);
      sizes[row] = Math.abs(scaled) + Math.abs(added[row]!);
    }
    return { values, sizes };
  }

  /** The four output frames of the first layer. */
  conv1(input: Int16Array, step: number): Sums {
    const bias = this.floats(LAYOUT.CONV1_BIASES, 128);
    const frames = [0, 1, 2, 3].map((frame) => {
      const first = Math.max(0, frame - 1);
      const heard = input.subarray(first * 129, Math.min(4, frame + 2) * 129);
      return this.product(MATRICES.conv1, heard, frame === 0 ? 129 : 0, step, bias, 0);
    });
    return join(frames);
  }

  conv2(input: Int16Array, step: number): Sums {
    const bias = this.floats(LAYOUT.CONV2_BIASES, 64);
    return join([
      this.product(MATRICES.conv2, input.subarray(0, 256), 128, step, bias, 0),
      this.product(MATRICES.conv2, input.subarray(128, 512), 0, step, bias, 0),
    ]);
  }
}

/** New c and h, and the probability, from the gates and the c before. */
export function cellTwin(gates: ArrayLike<number>, before: ArrayLike<number>, last: ArrayLike<number>, bias: number) {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const c = new Float64Array(128);
  const h = new Float64Array(128);
  let sum = bias;
  for (let i = 0; i < 128; i++) {
    c[i] = sigmoid(gates[128 + i]!) * before[i]! + sigmoid(gates[i]!) * Math.tanh(gates[256 + i]!);
    h[i] = sigmoid(gates[384 + i]!) * Math.tanh(c[i]!);
    sum += Math.max(0, h[i]!) * last[i]!;
  }
  return { c, h, probability: sigmoid(sum) };
}

function join(parts: readonly Sums[]): Sums {
  return {
    values: Float64Array.from(parts.flatMap((part) => [...part.values])),
    sizes: Float64Array.from(parts.flatMap((part) => [...part.sizes])),
  };
}
