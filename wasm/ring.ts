// The ring of 16 kHz samples that wait for a whole frame.
import { RING, RING_COUNT, RING_HEAD, RING_SAMPLES } from './layout';

export function ringFree(slot: usize): i32 {
  return RING_SAMPLES - load<i32>(slot, RING_COUNT);
}

/** Appends; the caller has asked `ringFree`. */
export function ringPush(slot: usize, from: usize, samples: i32): void {
  const count = load<i32>(slot, RING_COUNT);
  const tail = (load<i32>(slot, RING_HEAD) + count) & (RING_SAMPLES - 1);
  const first = min(samples, RING_SAMPLES - tail);
  memory.copy(slot + RING + (<usize>tail << 1), from, <usize>first << 1);
  memory.copy(slot + RING, from + (<usize>first << 1), <usize>(samples - first) << 1);
  store<i32>(slot, count + samples, RING_COUNT);
}

/** Takes the oldest samples; false, and nothing taken, when there are fewer. */
export function ringTake(slot: usize, to: usize, samples: i32): bool {
  const count = load<i32>(slot, RING_COUNT);
  if (count < samples) return false;
  const head = load<i32>(slot, RING_HEAD);
  const first = min(samples, RING_SAMPLES - head);
  memory.copy(to, slot + RING + (<usize>head << 1), <usize>first << 1);
  memory.copy(to + (<usize>first << 1), slot + RING, <usize>(samples - first) << 1);
  store<i32>(slot, (head + samples) & (RING_SAMPLES - 1), RING_HEAD);
  store<i32>(slot, count - samples, RING_COUNT);
  return true;
}
