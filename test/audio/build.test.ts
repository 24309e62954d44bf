// The committed core is what wasm/ compiles to, and it is closed: no imports, no growth of memory, no data of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCore, committedCore } from '../../scripts/build-wasm.ts';

// Here and not in a hook: a busy machine may need more than a hook's time.
const built = buildCore();

test('core.wasm and the generated module are what wasm/ compiles to', () => {
  const committed = committedCore();
  assert.equal(Buffer.compare(built.wasm, committed.wasm), 0, 'run "npm run build:wasm" and commit');
  assert.equal(built.module, committed.module);
});

test('the module imports nothing, never grows its memory and has no data segments', () => {
  const module = new WebAssembly.Module(committedCore().wasm as Uint8Array<ArrayBuffer>);
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  assert.doesNotMatch(built.wat, /memory\.grow/);
  // Data would lie where the layout puts its own things.
  assert.doesNotMatch(built.wat, /\(data /);
  assert.match(built.wat, /f32x4\.mul/);
});

test('the module stays small', () => {
  assert.ok(built.wasm.length < 24_576, `${built.wasm.length} bytes`);
});
