// The slot bank of this module: a free list through the slots, a generation for each use, zeroes on release.
import { FIRST_FREE, GENERATION, IN_USE, NEXT_FREE, SLOTS, SLOT_BYTES, SLOT_COUNT } from './layout';

const INDEX_BITS: u32 = 16;
const INDEX_MASK: u32 = 0xffff;
const GENERATION_MASK: u32 = 0x7fff;

/** Chains `count` slots; the memory must reach as far. */
export function createBank(count: u32): void {
  store<u32>(SLOT_COUNT, count);
  for (let i: u32 = 0; i < count; i++) {
    const slot = SLOTS + <usize>i * SLOT_BYTES;
    memory.fill(slot, 0, SLOT_BYTES);
    store<u32>(slot, i + 1 < count ? <u32>(slot + SLOT_BYTES) : 0, NEXT_FREE);
  }
  store<u32>(FIRST_FREE, count > 0 ? <u32>SLOTS : 0);
}

/** A handle (generation above, index below), or -1 when every slot is taken. */
export function takeSlot(): i32 {
  const slot = <usize>load<u32>(FIRST_FREE);
  if (slot == 0) return -1;
  store<u32>(FIRST_FREE, load<u32>(slot, NEXT_FREE));
  const generation = (load<u32>(slot, GENERATION) + 1) & GENERATION_MASK;
  store<u32>(slot, generation, GENERATION);
  store<u32>(slot, 1, IN_USE);
  store<u32>(slot, 0, NEXT_FREE);
  return <i32>((generation << INDEX_BITS) | <u32>((slot - SLOTS) / SLOT_BYTES));
}

/** Where the slot of a handle lies, or 0 when the handle is of another generation, released or no handle at all. */
export function slotOf(handle: i32): usize {
  const index = <u32>handle & INDEX_MASK;
  if (handle < 0 || index >= load<u32>(SLOT_COUNT)) return 0;
  const slot = SLOTS + <usize>index * SLOT_BYTES;
  return load<u32>(slot, IN_USE) != 0 && load<u32>(slot, GENERATION) == <u32>handle >> INDEX_BITS ? slot : 0;
}

/** Zeroes everything but the generation and frees the slot. False for a handle that is no longer good. */
export function releaseSlot(handle: i32): bool {
  const slot = slotOf(handle);
  if (slot == 0) return false;
  memory.fill(slot + IN_USE, 0, SLOT_BYTES - IN_USE);
  store<u32>(slot, load<u32>(FIRST_FREE), NEXT_FREE);
  store<u32>(FIRST_FREE, <u32>slot);
  return true;
}
