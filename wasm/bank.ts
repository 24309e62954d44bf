// The slots of the core.
import { BANK, SLOTS, SLOT_BYTES } from './layout';
import { createBankAt, findSlot, freeSlot, takeSlotOf } from './slot-bank';

export function createBank(count: u32): void {
  createBankAt(BANK, count);
}

/** A handle, or -1 when every slot is taken. */
export function openSlot(): i32 {
  return takeSlotOf(BANK, SLOTS, SLOT_BYTES);
}

/** Where the slot of a handle lies; 0 when the handle is not good. */
export function slotOf(handle: i32): usize {
  return findSlot(BANK, SLOTS, SLOT_BYTES, handle);
}

/** False for a handle that is not good. */
export function releaseSlot(handle: i32): bool {
  return freeSlot(BANK, SLOT_BYTES, slotOf(handle));
}
