// Memory of the native library that JavaScript was shown.

/**
 * Gives it back now. Left to the garbage collector, a room's 300 buffers a second are given back together with those of all rooms, after
 * each collection and before the loop goes on: at 25 rooms a stop of 50 to 60 ms every four seconds.
 */
export function giveBack(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  // Not where it is a piece of something larger.
  if (buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
