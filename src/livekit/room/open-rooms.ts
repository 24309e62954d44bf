// The rooms of the calls that are running, for agents that do more in them than talk.
import type { RoomControl } from './room-control.ts';

const open = new Map<string, RoomControl>();

/** Returns how to take it away. */
export function openRoom(sessionId: string, room: RoomControl): () => void {
  open.set(sessionId, room);
  return () => {
    if (open.get(sessionId) === room) open.delete(sessionId);
  };
}

/**
 * The LiveKit room of a running call: attributes, text, data, DTMF and RPC both ways. Give it the session that a tool or `onSession`
 * was given.
 *
 * @returns undefined for calls that are in no room (WebSocket, telephone), and after the end.
 */
export function roomOf(session: { readonly id: string }): RoomControl | undefined {
  return open.get(session.id);
}
