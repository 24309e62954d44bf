// Stands in for the loader of LiveKit's native addon inside the compiled binary; works on a read-only root without a temporary directory.
const file = require('__RTC_ADDON_FILE__'); // a path inside the binary's own file system

function load(path) {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

/** Through an anonymous file in memory: Bun's own way writes the addon to a temporary directory, which may lack or forbid execution. */
function loadFromMemory() {
  const { dlopen, FFIType } = require('bun:ffi');
  const { closeSync, readFileSync, writeSync } = require('node:fs');
  const libc = dlopen('libc.so.6', {
    memfd_create: { args: [FFIType.cstring, FFIType.u32], returns: FFIType.i32 },
  });
  const MFD_CLOEXEC = 1;
  const descriptor = libc.symbols.memfd_create(Buffer.from('rtc-node\0'), MFD_CLOEXEC);
  if (descriptor < 0) throw new Error('memfd_create failed: cannot load the LiveKit addon');
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(descriptor, bytes, at, Math.min(bytes.length - at, 4 * 1024 * 1024));
  }
  try {
    return load(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}

function loadAny() {
  if (process.env.RTC_ADDON_MEMFD === '1') return loadFromMemory();
  try {
    return load(file);
  } catch (error) {
    try {
      return loadFromMemory();
    } catch (second) {
      second.cause = error;
      throw second;
    }
  }
}

module.exports = loadAny();
