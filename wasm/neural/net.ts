// The net on one window: magnitudes, four convolutions, an LSTM cell, one probability.
import { sigmoid, sigmoidTimesTanh } from './activation';
import { firstLayer, quantizeMagnitudes } from './first-layer';
import { magnitudes } from './front-end';
import {
  CONV1_OUTPUT,
  CONV2_BIASES,
  CONV2_INPUT,
  CONV2_OUTPUT,
  CONV2_SCALES,
  CONV2_WEIGHTS,
  CONV3_BIASES,
  CONV3_INPUT,
  CONV3_OUTPUT,
  CONV3_SCALES,
  CONV3_WEIGHTS,
  CONV4_BIASES,
  CONV4_INPUT,
  CONV4_OUTPUT,
  CONV4_SCALES,
  CONV4_WEIGHTS,
  GATES,
  GATE_BIASES,
  HIDDEN,
  HIDDEN_SCALES,
  HIDDEN_WEIGHTS,
  INPUT_SCALES,
  INPUT_WEIGHTS,
  LAST_BIAS,
  LAST_WEIGHTS,
  LSTM_GATES,
  LSTM_HIDDEN,
  LSTM_INPUT,
  RUNS,
  STATE_C,
  STATE_H,
  STEPS,
} from './layout';
import { atLeast, product } from './product';
import { factorFor, quantize } from './quantize';
import { PAIR_BYTES, PAIR_WEIGHTS } from './sums';

const LOWEST: f32 = -3.4e38;
/** h lies within -1..1; its scale is fixed. */
const HIDDEN_FACTOR: f32 = 16384;

/** Probability of speech in a window: 64 samples of context and 512 new ones at `pcm`. Moves the state of the slot on. */
export function runNet(slot: usize, pcm: usize): f32 {
  let factor = factorFor(magnitudes(pcm));
  quantizeMagnitudes(factor);
  let step = stepOf(factor, 0);

  factor = factorFor(firstLayer(step));
  quantize(CONV1_OUTPUT, 512, factor, CONV2_INPUT);
  step = stepOf(factor, 4);

  // Stride 2: the first output hears frames 0 and 1 with taps 1 and 2, the second frames 1 to 3.
  const tap: usize = 64 * PAIR_WEIGHTS;
  const frame: usize = 64 * PAIR_BYTES;
  const first = product(CONV2_WEIGHTS + tap, 3 * tap, CONV2_INPUT, 128, 64, CONV2_SCALES, step, CONV2_BIASES, 0, CONV2_OUTPUT);
  const second = product(CONV2_WEIGHTS, 3 * tap, CONV2_INPUT + frame, 192, 64, CONV2_SCALES, step, CONV2_BIASES, 0, CONV2_OUTPUT + 256);
  factor = factorFor(max(first, second));
  quantize(CONV2_OUTPUT, 128, factor, CONV3_INPUT);
  step = stepOf(factor, 8);

  factor = factorFor(product(CONV3_WEIGHTS, 64 * PAIR_WEIGHTS, CONV3_INPUT, 64, 64, CONV3_SCALES, step, CONV3_BIASES, 0, CONV3_OUTPUT));
  quantize(CONV3_OUTPUT, 64, factor, CONV4_INPUT);
  step = stepOf(factor, 12);

  factor = factorFor(product(CONV4_WEIGHTS, 32 * PAIR_WEIGHTS, CONV4_INPUT, 32, 128, CONV4_SCALES, step, CONV4_BIASES, 0, CONV4_OUTPUT));
  quantize(CONV4_OUTPUT, 128, factor, LSTM_INPUT);
  step = stepOf(factor, 16);

  quantize(slot + STATE_H, 128, HIDDEN_FACTOR, LSTM_HIDDEN);
  product(INPUT_WEIGHTS, 64 * PAIR_WEIGHTS, LSTM_INPUT, 64, GATES, INPUT_SCALES, step, GATE_BIASES, LOWEST, LSTM_GATES);
  product(HIDDEN_WEIGHTS, 64 * PAIR_WEIGHTS, LSTM_HIDDEN, 64, GATES, HIDDEN_SCALES, 1 / HIDDEN_FACTOR, LSTM_GATES, LOWEST, LSTM_GATES);
  store<i32>(slot, load<i32>(slot, RUNS) + 1, RUNS);
  return cell(slot);
}

function stepOf(factor: f32, at: usize): f32 {
  const step: f32 = factor > 0 ? 1 / factor : 0;
  store<f32>(STEPS + at, step);
  return step;
}

/** New state from the gates i, f, g, o, and the last layer on it. */
export function cell(slot: usize): f32 {
  const size: usize = <usize>HIDDEN * 4;
  let sum = f32x4.splat(0);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < size; i += 16) {
    const at = LSTM_GATES + i;
    const fresh = sigmoidTimesTanh(v128.load(at), v128.load(at + 2 * size));
    const c = f32x4.add(f32x4.mul(sigmoid(v128.load(at + size)), v128.load(slot + i, STATE_C)), fresh);
    const h = sigmoidTimesTanh(v128.load(at + 3 * size), c);
    v128.store(slot + i, c, STATE_C);
    v128.store(slot + i, h, STATE_H);
    sum = f32x4.add(sum, f32x4.mul(atLeast(zero, h), v128.load(LAST_WEIGHTS + i)));
  }
  const half = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  const total = f32x4.add(half, v128.shuffle<f32>(half, half, 1, 0, 3, 2));
  return f32x4.extract_lane(sigmoid(f32x4.add(total, v128.load32_splat(LAST_BIAS))), 0);
}
