// The slot bank of this module: slots that were never used, then a free list through the others; a generation for each use, zeroes on release.
import { FIRST_FREE, GENERATION, IN_USE, NEXT_FREE, SLOTS, SLOTS_USED, SLOT_BYTES, SLOT_COUNT } from './layout';

const INDEX_BITS: u32 = 16;
const INDEX_MASK: u32 = 0xffff;
const GENERATION_MASK: u32 = 0x7fff;

/** Room for `count` slots; the memory must reach as far. Touches none of them. */
export function createBank(count: u32): void {
  store<u32>(SLOT_COUNT, count);
  store<u32>(SLOTS_USED, 0);
  store<u32>(FIRST_FREE, 0);
}

/** A handle (generation above, index below), or -1 when every slot is taken. */
export function takeSlot(): i32 {
  let slot = <usize>load<u32>(FIRST_FREE);
  if (slot != 0) {
    store<u32>(FIRST_FREE, load<u32>(slot, NEXT_FREE));
  } else {
    const used = load<u32>(SLOTS_USED);
    if (used >= load<u32>(SLOT_COUNT)) return -1;
    store<u32>(SLOTS_USED, used + 1);
    slot = SLOTS + <usize>used * SLOT_BYTES;
    // The text of the weights lay here.
    memory.fill(slot, 0, SLOT_BYTES);
  }
  const generation = (load<u32>(slot, GENERATION) + 1) & GENERATION_MASK;
  store<u32>(slot, generation, GENERATION);
  store<u32>(slot, 1, IN_USE);
  store<u32>(slot, 0, NEXT_FREE);
  return <i32>((generation << INDEX_BITS) | <u32>((slot - SLOTS) / SLOT_BYTES));
}

/** Where the slot of a handle lies, or 0 when the handle is of another generation, released or no handle at all. */
export function slotOf(handle: i32): usize {
  const index = <u32>handle & INDEX_MASK;
  if (handle < 0 || index >= load<u32>(SLOTS_USED)) return 0;
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
