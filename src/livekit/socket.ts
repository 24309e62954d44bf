// The worker's WebSocket as its state machine sees it, and the one implementation that works on Bun, Deno and Node.
import { WebSocket } from 'ws';
import type { Frame } from './wire.ts';

export interface SocketRequest {
  readonly url: string;
  readonly token: string;
  /** What is larger ends the connection. */
  readonly maxFrameBytes: number;
}

/** Called in this order, `closed` exactly once and last. */
export interface SocketListener {
  opened(): void;
  frame(frame: Frame): void;
  /** The far end has shown a sign of life that is no message. */
  alive(): void;
  closed(why: SocketClose): void;
}
export interface SocketClose {
  /** WebSocket close code; 1006 where there was none. */
  readonly code: number;
  readonly reason: string;
  /** Where the server refused the upgrade. */
  readonly httpStatus?: number | undefined;
}

export interface WorkerSocket {
  send(frame: Frame): void;
  /** Says goodbye and waits for the answer. */
  close(code: number, reason: string): void;
  /** Drops the connection at once; `closed` still comes. */
  cut(): void;
  /** Written, and not taken by the system yet. */
  readonly bufferedBytes: number;
}

export type OpenSocket = (request: SocketRequest, listener: SocketListener) => WorkerSocket;

/** The built-in WebSocket cannot send an Authorization header everywhere, nor tell why it was refused, nor bound a frame. */
export const openSocket: OpenSocket = ({ url, token, maxFrameBytes }, listener) => {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    maxPayload: maxFrameBytes,
    // A worker's messages are short; inflating what a stranger sends is a risk without a gain.
    perMessageDeflate: false,
  });
  let failure = '';
  let isOver = false;
  socket.binaryType = 'arraybuffer';
  socket.on('open', () => listener.opened());
  socket.on('ping', () => listener.alive());
  socket.on('message', (data, isBinary) => {
    if (isBinary) listener.frame(bytesOf(data));
    else listener.frame(new TextDecoder().decode(bytesOf(data)));
  });
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('close', (code, reason) => {
    if (isOver) return;
    isOver = true;
    const status = /\bresponse: (\d{3})\b/.exec(failure)?.[1];
    listener.closed({
      code,
      reason: reason.toString() || failure,
      httpStatus: status === undefined ? undefined : Number(status),
    });
  });
  return {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    },
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate(),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
  };
};

/** A message as `ws` hands it out, on any runtime. */
export function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof Uint8Array) return data;
  if (typeof data === 'string') return new TextEncoder().encode(data);
  if (Array.isArray(data)) return concatenated(data.map(bytesOf));
  return new Uint8Array(0);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
