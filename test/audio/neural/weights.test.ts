// What src/audio/neural/ holds is what its sources give; the module is closed; damaged weights are refused.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildNeural, buildWeights, committedNeural } from '../../../scripts/build-neural.ts';
import { modelPath } from '../../../scripts/silero-weights.ts';
import { createNeuralVad } from '../../../src/audio/neural/index.ts';
import { WEIGHTS_TEXT } from '../../../src/audio/neural/weights.generated.ts';
import { seeded } from '../signals.ts';

// Here and not in a hook: a busy machine may need more than a hook's time.
const built = buildNeural();
const committed = committedNeural();

test('the module and its generated text are what wasm/neural/ compiles to', () => {
  assert.equal(Buffer.compare(built.wasm, committed.wasm), 0, 'run scripts/build-neural.ts and commit');
  assert.equal(built.module, committed.module);
});

test('the weights are those of the model file', {
  skip: !existsSync(modelPath()) && 'the model package is not installed',
}, () => {
  assert.ok(buildWeights() === committed.weights, 'run scripts/build-neural.ts and commit');
});

test('the module imports nothing, never grows its memory and has no data segments', () => {
  const module = new WebAssembly.Module(committed.wasm as Uint8Array<ArrayBuffer>);
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  assert.doesNotMatch(built.wat, /memory\.grow/);
  assert.doesNotMatch(built.wat, /\(data /);
  assert.match(built.wat, /i32x4\.dot_i16x8_s/);
});

test('module and weights stay below 420 kB gzipped', () => {
  const bytes = gzipSync(committed.module).length + gzipSync(committed.weights).length;
  assert.ok(bytes <= 420_000, `${bytes} bytes`);
});

test('damaged, cut, longer and foreign weights are refused', () => {
  const random = seeded(4);
  const other = (c: string): string => (c === 'A' ? 'B' : 'A');
  const changed = (at: number, c = other(WEIGHTS_TEXT[at]!)): string =>
    WEIGHTS_TEXT.slice(0, at) + c + WEIGHTS_TEXT.slice(at + 1);
  const damaged = [
    '',
    WEIGHTS_TEXT.slice(0, -1),
    `${WEIGHTS_TEXT}A`,
    changed(0),
    changed(WEIGHTS_TEXT.length - 1),
    changed(1000, "'"),
    changed(1000, '\u00e9'),
    changed(1000, '\ud800'),
    'A'.repeat(WEIGHTS_TEXT.length),
    WEIGHTS_TEXT.slice(4) + WEIGHTS_TEXT.slice(0, 4),
    ...Array.from({ length: 40 }, () => changed(Math.floor(random() * WEIGHTS_TEXT.length))),
  ];
  for (const weights of damaged) {
    assert.throws(() => createNeuralVad({ maxSlots: 1, weights }), /weights of the neural VAD are damaged/);
  }
  assert.equal(createNeuralVad({ maxSlots: 1, weights: WEIGHTS_TEXT }).open().push(new Int16Array(10)), 0);
});

test('a compiled module may be handed in', () => {
  const module = new WebAssembly.Module(committed.wasm as Uint8Array<ArrayBuffer>);
  const pcm = new Int16Array(512).map((_, i) => (i * 7919) % 2000);
  const given = createNeuralVad({ maxSlots: 1, module }).open();
  assert.equal(given.push(pcm), createNeuralVad({ maxSlots: 1 }).open().push(pcm));
});
