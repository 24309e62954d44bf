// The slot bank that both modules share: slots that were never used, then a free list through the others; a generation for each use, zeroes
// on release. All is inlined, so that each module's own addresses are folded: `bank` is where its three counters lie, `slots` the first slot.

/** In each slot: which use of it this is, which survives release; whether it is in use; the next free one. */
export const GENERATION: usize = 0;
export const IN_USE: usize = 4;
export const NEXT_FREE: usize = 8;
/** In the bank: how many slots there may be, the first that was released (0: none), how many were ever used. */
const COUNT: usize = 0;
const FIRST_FREE: usize = 4;
const USED: usize = 8;

const INDEX_BITS: u32 = 16;
const INDEX_MASK: u32 = 0xffff;
const GENERATION_MASK: u32 = 0x7fff;

/** Room for `count` slots; the memory must reach as far. Touches none of them. */
// @ts-ignore: decorator
@inline
export function createBankAt(bank: usize, count: u32): void {
  store<u32>(bank, count, COUNT);
  store<u32>(bank, 0, FIRST_FREE);
  store<u32>(bank, 0, USED);
}

/** A handle (generation above, index below), or -1 when every slot is taken. */
// @ts-ignore: decorator
@inline
export function takeSlotOf(bank: usize, slots: usize, slotBytes: usize): i32 {
  let slot = <usize>load<u32>(bank, FIRST_FREE);
  if (slot != 0) {
    store<u32>(bank, load<u32>(slot, NEXT_FREE), FIRST_FREE);
  } else {
    const used = load<u32>(bank, USED);
    if (used >= load<u32>(bank, COUNT)) return -1;
    store<u32>(bank, used + 1, USED);
    slot = slots + <usize>used * slotBytes;
    // Something else may have lain here before.
    memory.fill(slot, 0, slotBytes);
  }
  const generation = (load<u32>(slot, GENERATION) + 1) & GENERATION_MASK;
  store<u32>(slot, generation, GENERATION);
  store<u32>(slot, 1, IN_USE);
  store<u32>(slot, 0, NEXT_FREE);
  return <i32>((generation << INDEX_BITS) | <u32>((slot - slots) / slotBytes));
}

/** Where the slot of a handle lies, or 0 when the handle is of another generation, released or no handle at all. */
// @ts-ignore: decorator
@inline
export function findSlot(bank: usize, slots: usize, slotBytes: usize, handle: i32): usize {
  const index = <u32>handle & INDEX_MASK;
  if (handle < 0 || index >= load<u32>(bank, USED)) return 0;
  const slot = slots + <usize>index * slotBytes;
  return load<u32>(slot, IN_USE) != 0 && load<u32>(slot, GENERATION) == <u32>handle >> INDEX_BITS ? slot : 0;
}

/** Zeroes everything but the generation and frees the slot (0: false). */
// @ts-ignore: decorator
@inline
export function freeSlot(bank: usize, slotBytes: usize, slot: usize): bool {
  if (slot == 0) return false;
  memory.fill(slot + IN_USE, 0, slotBytes - IN_USE);
  store<u32>(slot, load<u32>(bank, FIRST_FREE), NEXT_FREE);
  store<u32>(bank, <u32>slot, FIRST_FREE);
  return true;
}
