// Memory of the native library that JavaScript was shown.

/**
 * Gives it back now. Left to the garbage collector, the buffers of all rooms, two or three for each frame, are given back together after
 * a collection, before the loop goes on: at 25 rooms that made stops of 60 to 80 ms every four seconds out of stops of 20 to 35.
 */
export function giveBack(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  // Not where it is a piece of something larger.
  if (buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
