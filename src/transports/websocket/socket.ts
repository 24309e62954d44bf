// What a WebSocket call needs from its surroundings: a connection, a clock, and somebody to take the call.
import type { CallInput, Transport } from '../port.ts';

/** The server's end of a connection. Sends are queued; they may keep the bytes until the network has taken them. */
export interface Socket {
  send(data: string | Uint8Array): unknown;
  close(code?: number, reason?: string): void;
  /** Bytes that the network has not taken yet. */
  readonly bufferedAmount: number;
}
export interface SocketHandler {
  bytes(data: Uint8Array): void;
  text(data: string): void;
  closed(code: number | undefined): void;
}
export interface Clock {
  /** Monotonic, ms. */
  now(): number;
  /** Runs `run` once, `delayMs` from now; returns how to prevent it. */
  setTimer(run: () => void, delayMs: number): () => void;
}

/** Starts a session for a line; a string says why it is refused. The session may play at once. */
export type StartCall = (
  transport: Transport,
) => { readonly input: CallInput; readonly session: string } | { readonly refused: string };
