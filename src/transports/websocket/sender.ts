// Sends audio from one reused buffer, and leaves alone what the network has not taken yet.
import type { Socket } from './socket.ts';

/** Samples in one message at most: 16 KiB is small beside any proxy's limit. */
const MAX_SAMPLES = 8192;
const ARENA_SAMPLES = 4 * MAX_SAMPLES;

/** Shared by all calls: a message is copied in and handed over in one go, so two calls never need it at once. */
let arena = new Int16Array(ARENA_SAMPLES);
let offset = 0;
/** The view that was sent last; packets mostly have one size and go out at once, so it mostly fits again. */
let view = new Uint8Array(arena.buffer, 0, 0);

/** Sends mono PCM16 in the machine's byte order, which is little-endian on every machine that the hosts run on. */
export function sendAudio(socket: Socket, samples: Int16Array): void {
  for (let start = 0; start < samples.length; start += MAX_SAMPLES) {
    const count = Math.min(MAX_SAMPLES, samples.length - start);
    if (offset + count > ARENA_SAMPLES) {
      arena = new Int16Array(ARENA_SAMPLES);
      offset = 0;
    }
    arena.set(count === samples.length ? samples : samples.subarray(start, start + count), offset);
    if (view.buffer !== arena.buffer || view.byteOffset !== offset * 2 || view.length !== count * 2) {
      view = new Uint8Array(arena.buffer, offset * 2, count * 2);
    }
    socket.send(view);
    // Node's sockets go on reading from these bytes until the network has taken them.
    if (socket.bufferedAmount > 0) offset += count;
  }
}
