// Every kernel against its f64 twin, on what each stage was really given; 10^5 values and more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNeuralEngine } from '../../../src/audio/neural/create-neural-vad.ts';
import { LAYOUT } from '../../../src/audio/neural/neural-wasm.generated.ts';
import { neuralSlotOffset } from '../../../src/audio/neural/slot-stream.ts';
import { seeded, speechLike } from '../signals.ts';
import { cellTwin, magnitudesTwin, MATRICES, NetTwin, type Sums } from './net-twin.ts';

const SEED = 20261124;
const WINDOWS = 96;
const engine = createNeuralEngine({ maxSlots: 1 });
const handle = engine.core.openSlot(0);
const slot = neuralSlotOffset(handle);
const twin = new NetTwin(engine.core.memory.buffer as ArrayBuffer);

/** Speech-like sound, noise from one bit to full scale, squares, steps and silence. */
function windowOf(kind: number, random: () => number, speech: Int16Array, at: number): Int16Array {
  const level = 2 ** (random() * 15);
  const period = 2 + Math.floor(random() * 200);
  return Int16Array.from({ length: 512 }, (_, i) => {
    if (kind < 3) return speech[(at * 512 + i) % speech.length]!;
    if (kind === 3) return Math.round((random() * 2 - 1) * level);
    if (kind === 4) return i % period < period / 2 ? 32767 : -32768;
    if (kind === 5) return i < period ? 0 : Math.round(level) - 1;
    return random() < 0.01 ? -32768 : 0;
  });
}

let cases = 0;
function near(name: string, actual: ArrayLike<number>, twinValues: Sums, relative: number, absolute = 1e-12): void {
  for (let i = 0; i < twinValues.values.length; i++) {
    cases++;
    const error = Math.abs(actual[i]! - twinValues.values[i]!);
    const most = relative * twinValues.sizes[i]! + absolute;
    if (!(error <= most)) assert.fail(`${name} ${i}: ${actual[i]}, twin ${twinValues.values[i]} (seed ${SEED})`);
  }
}
const sized = (values: Float64Array, size: number): Sums => ({ values, sizes: values.map(() => size) });

function quantized(name: string, actual: Int16Array, from: ArrayLike<number>, step: number): void {
  for (let i = 0; i < actual.length; i++) {
    cases++;
    // f32 may round a product to the other side of a half.
    const ok = step === 0 ? actual[i] === 0 : Math.abs(actual[i]! - from[i]! / step) <= 0.502;
    if (!ok) assert.fail(`${name} ${i}: ${actual[i]} for ${from[i]} in steps of ${step} (seed ${SEED})`);
  }
}

test(`stages of the net, seed ${SEED}`, () => {
  const random = seeded(SEED);
  const speech = speechLike({ seconds: 4, seed: SEED, noiseDb: -50 });
  const heard = new Int16Array(576);
  for (let w = 0; w < WINDOWS; w++) {
    const pcm = windowOf(Math.floor(random() * 7), random, speech, w);
    heard.copyWithin(0, 512);
    heard.set(pcm, 64);
    const cBefore = twin.floats(slot + LAYOUT.STATE_C, 128);
    const hBefore = twin.floats(slot + LAYOUT.STATE_H, 128);
    engine.pcmIn.set(pcm);
    assert.equal(engine.core.push(handle, 512), 0);
    const steps = twin.floats(LAYOUT.STEPS, 5);

    const lanes = twin.floats(LAYOUT.MAGNITUDES, 129 * 4);
    const byFrame = Float64Array.from({ length: 4 * 129 }, (_, i) => lanes[(i % 129) * 4 + Math.floor(i / 129)]!);
    const magnitudes = magnitudesTwin(heard);
    near('magnitude', byFrame, sized(magnitudes, Math.max(...magnitudes)), 1e-6);
    const conv1Input = twin.conv1Input();
    quantized('conv1 input', conv1Input, byFrame, steps[0]!);

    const conv1 = twin.floats(LAYOUT.CONV1_OUTPUT, 512);
    near('conv1', conv1, twin.conv1(conv1Input, steps[0]!), 3e-7);
    const conv2Input = twin.inputs(LAYOUT.CONV2_INPUT, 512);
    quantized('conv2 input', conv2Input, conv1, steps[1]!);
    const conv2 = twin.floats(LAYOUT.CONV2_OUTPUT, 128);
    near('conv2', conv2, twin.conv2(conv2Input, steps[1]!), 3e-7);
    const conv3Input = twin.inputs(LAYOUT.CONV3_INPUT, 128);
    quantized('conv3 input', conv3Input, conv2, steps[2]!);
    const conv3 = twin.floats(LAYOUT.CONV3_OUTPUT, 64);
    const bias3 = twin.floats(LAYOUT.CONV3_BIASES, 64);
    near('conv3', conv3, twin.product(MATRICES.conv3, conv3Input, 0, steps[2]!, bias3, 0), 3e-7);
    const conv4Input = twin.inputs(LAYOUT.CONV4_INPUT, 64);
    quantized('conv4 input', conv4Input, conv3, steps[3]!);
    const conv4 = twin.floats(LAYOUT.CONV4_OUTPUT, 128);
    const bias4 = twin.floats(LAYOUT.CONV4_BIASES, 128);
    near('conv4', conv4, twin.product(MATRICES.conv4, conv4Input, 0, steps[3]!, bias4, 0), 3e-7);

    const input = twin.inputs(LAYOUT.LSTM_INPUT, 128);
    quantized('LSTM input', input, conv4, steps[4]!);
    const hidden = twin.inputs(LAYOUT.LSTM_HIDDEN, 128);
    quantized('LSTM hidden', hidden, hBefore, 1 / 16384);
    const gates = twin.floats(LAYOUT.LSTM_GATES, 512);
    const first = twin.product(MATRICES.input, input, 0, steps[4]!, twin.floats(LAYOUT.GATE_BIASES, 512), -Infinity);
    const both = twin.product(MATRICES.hidden, hidden, 0, 1 / 16384, first.values, -Infinity);
    near('gates', gates, { values: both.values, sizes: both.sizes.map((size, i) => size + first.sizes[i]!) }, 5e-7);

    const last = twin.floats(LAYOUT.LAST_WEIGHTS, 128);
    const cell = cellTwin(gates, cBefore, last, twin.floats(LAYOUT.LAST_BIAS, 1)[0]!);
    const c = twin.floats(slot + LAYOUT.STATE_C, 128);
    near('c', c, { values: cell.c, sizes: cell.c.map((x) => Math.abs(x) + 1) }, 1e-6);
    near('h', twin.floats(slot + LAYOUT.STATE_H, 128), sized(cell.h, 1), 1e-6);
    near('probability', twin.floats(slot + LAYOUT.PROBABILITY, 1), sized(Float64Array.of(cell.probability), 1), 1e-6);
  }
  assert.ok(cases >= 1e5, `${cases} cases`);
});

test('sums of no row can leave an i32, whatever the input', () => {
  for (const [name, matrix] of Object.entries(MATRICES)) {
    const largest = name === 'hidden' ? 16384 : 16383;
    for (let row = 0; row < matrix.rows; row++) {
      let positive = 0;
      let negative = 0;
      for (let i = 0; i < matrix.inputs; i++) {
        const weight = twin.weight(matrix, row, i);
        if (weight > 0) positive += weight;
        else negative -= weight;
      }
      const sum = name === 'hidden' ? positive + negative : Math.max(positive, negative);
      assert.ok(sum > 0 && sum * largest < 2 ** 31, `${name} row ${row}`);
    }
  }
});
