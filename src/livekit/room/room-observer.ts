// What can be watched of a call's line: for metrics, logs and the session's ledger. Times are the clock's, in ms.
import type { ConnectionSample } from './connection-quality.ts';
import type { LeaveReason, Peer } from './connection.ts';

export type RoomEvent =
  /** The room is joined and our voice published. `setupMs`: from the first attempt. */
  | { readonly type: 'established'; readonly atMs: number; readonly setupMs: number }
  /** The room could not be joined at all; the job ends. */
  | { readonly type: 'join-failed'; readonly atMs: number }
  /** The SDK rebuilds the connection. */
  | { readonly type: 'reconnecting'; readonly atMs: number }
  /** It stands again; `outageMs` from `reconnecting` or `lost` on. `by`: the SDK, or a join of our own. */
  | { readonly type: 'recovered'; readonly atMs: number; readonly outageMs: number; readonly by: 'sdk' | 'rejoin' }
  /** The SDK has given up or was sent away. `wasReconnecting`: the outage had been told before. */
  | { readonly type: 'lost'; readonly atMs: number; readonly reason: LeaveReason; readonly wasReconnecting: boolean }
  /** A join of our own failed; there will be another. `message` holds no token. */
  | { readonly type: 'rejoin-failed'; readonly atMs: number; readonly attempt: number; readonly message: string }
  /** Nothing has come over the line for long, though no one says that it is down. */
  | { readonly type: 'stalled'; readonly atMs: number; readonly sinceMs: number }
  | {
      readonly type: 'caller-linked';
      readonly atMs: number;
      readonly identity: string;
      readonly peer: Peer;
      readonly again: boolean;
    }
  | { readonly type: 'caller-lost'; readonly atMs: number; readonly identity: string; readonly reason: LeaveReason }
  | { readonly type: 'moved'; readonly atMs: number; readonly room: string }
  /** Voice that the caller missed was said again. */
  | { readonly type: 'repeated'; readonly atMs: number; readonly voiceMs: number }
  | {
      readonly type: 'server-quality';
      readonly atMs: number;
      readonly of: 'caller' | 'agent';
      readonly quality: string;
    }
  | { readonly type: 'ended'; readonly atMs: number; readonly reason: string };

/** All are called synchronously and must not throw. */
export interface RoomObserver {
  event?(event: RoomEvent): void;
  /** Once a second while connected. */
  sample?(sample: ConnectionSample): void;
}
