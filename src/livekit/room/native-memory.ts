// Memory of the native library that JavaScript holds: given back when it is not needed any more, and not when garbage is collected.
import type { Room } from '@livekit/rtc-node';

/**
 * Gives it back now. Left to the garbage collector, the buffers of all rooms, two or three for each frame, are given back together after
 * a collection, before the loop goes on: at 25 rooms that made stops of 60 to 80 ms every four seconds out of stops of 20 to 35.
 */
export function giveBack(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  // Not where it is a piece of something larger.
  if (buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}

interface Holder {
  dispose(): void;
}
interface Publications {
  readonly trackPublications?: ReadonlyMap<
    string,
    { readonly ffiHandle?: Holder; readonly track?: { readonly ffi_handle?: Holder } }
  >;
}
interface Participant extends Publications {
  readonly ffi_handle?: Holder;
}
/** rtc-node keeps these to itself; a test fails when they change. */
interface RoomInside {
  readonly ffiHandle?: Holder;
  readonly localParticipant?: Participant;
  readonly remoteParticipants: ReadonlyMap<string, Participant>;
}

/** Gives back what a room that is over holds: rtc-node leaves that to the garbage collector, which may come minutes later. */
export function giveBackRoom(room: Room): void {
  const { ffiHandle, localParticipant, remoteParticipants } = room as unknown as RoomInside;
  for (const participant of [localParticipant, ...remoteParticipants.values()]) {
    for (const { ffiHandle: publication, track } of participant?.trackPublications?.values() ?? []) {
      giveBackHandle(track?.ffi_handle);
      giveBackHandle(publication);
    }
    giveBackHandle(participant?.ffi_handle);
  }
  giveBackHandle(ffiHandle);
}

export function giveBackHandle(handle: Holder | undefined): void {
  try {
    handle?.dispose();
  } catch {
    // Gone with its room.
  }
}
