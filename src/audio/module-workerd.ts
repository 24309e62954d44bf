// The core's module on workerd, which forbids compiling: there an import of a .wasm file is a `WebAssembly.Module`.
import compiled from './core.wasm';

export function wasmModule(): WebAssembly.Module {
  return compiled;
}
