// What `import` gives for a .wasm file on workerd.
declare module '*.wasm' {
  const compiled: WebAssembly.Module;
  export default compiled;
}
