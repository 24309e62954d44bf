// The core's module compiled from the built-in bytes, where the host may compile: no I/O, no permissions, no waiting.
import { WASM_BASE64 } from './core-wasm.generated.ts';

let compiled: WebAssembly.Module | undefined;

export function wasmModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(WASM_BASE64), (c) => c.charCodeAt(0)));
  return compiled;
}
