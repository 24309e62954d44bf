// WebSocket calls at `/call`: who may open one, how many there may be, and whom each message goes to.
import type { Hooks, Peer } from 'crossws';
import { failure } from './answers.ts';
import { authorize, isOriginAllowed, refusal } from './auth.ts';
import type { AuthOptions } from './options.ts';

export const CALL_PATH = '/call';

/** What a call may do with its connection. Sends are queued; `bufferedAmount` is what the network has not taken yet. */
export interface CallSocket {
  send(data: string | Uint8Array): unknown;
  close(code?: number, reason?: string): void;
  readonly bufferedAmount: number;
}
/** What a call wants to hear of its connection. Bytes are borrowed: valid only during the call, and on Bun and Node a Buffer, whose `slice` does not copy. */
export interface CallSocketHandler {
  bytes(data: Uint8Array): void;
  text(data: string): void;
  /** The connection is gone; told once. */
  closed(code: number | undefined): void;
}

export interface SocketOptions {
  readonly auth: AuthOptions;
  /** Epoch time, ms. */
  now(): number;
  readonly maxSockets: number;
  /** Asked before the handshake is answered; a string says why no call can be taken (the client gets 503). */
  admit(url: URL): string | null;
  /** A connection is open; whoever answers it gets its messages. */
  accept(socket: CallSocket, url: URL): CallSocketHandler;
  readonly retryAfterSeconds?: number | undefined;
  /** Told of every answered handshake, as a request of the route `/call`. */
  record?(status: number): void;
  /** Told of what a call threw at a message; its connection is closed with 1011. */
  onError?(error: unknown): void;
}

export interface SocketHooks {
  readonly hooks: Partial<Hooks>;
  /** Open connections. */
  count(): number;
}

/** Hooks for `Host.serve`. */
export function createSocketHooks(options: SocketOptions): SocketHooks {
  const open = new Set<Peer>();
  const hooks: Partial<Hooks> = {
    upgrade(request) {
      const refused = refuse(request, options, open.size);
      options.record?.(refused?.status ?? 101);
      if (refused) {
        // A handshake that is refused by hand ends its connection: there is no next request on it.
        refused.headers.set('connection', 'close');
        return refused;
      }
      return undefined;
    },
    open(peer) {
      // Handshakes that were answered at the same time can overshoot.
      if (open.size >= options.maxSockets) {
        peer.close(1013, 'too many connections');
        return;
      }
      open.add(peer);
      const url = new URL(peer.request.url);
      // The door is passed: nobody behind it needs the token.
      url.searchParams.delete('access_token');
      try {
        contextOf(peer).handler = options.accept(peer, url);
      } catch (error) {
        options.onError?.(error);
        peer.close(1011, 'internal error');
      }
    },
    message(peer, message) {
      const handler = contextOf(peer).handler;
      if (!handler) return;
      try {
        const data = message.rawData;
        if (typeof data === 'string') handler.text(data);
        else handler.bytes(data instanceof Uint8Array ? data : message.uint8Array());
      } catch (error) {
        // Without this, one call's trouble would end the process and all calls with it.
        options.onError?.(error);
        peer.close(1011, 'internal error');
      }
    },
    close: (peer, details) => forget(peer, details.code),
    error: (peer) => forget(peer, undefined),
  };

  function forget(peer: Peer, code: number | undefined): void {
    if (!open.delete(peer)) return;
    const context = contextOf(peer);
    const handler = context.handler;
    context.handler = undefined;
    handler?.closed(code);
  }
  return { hooks, count: () => open.size };
}

function refuse(request: Request, options: SocketOptions, openSockets: number): Response | null {
  const url = new URL(request.url);
  if (url.pathname !== CALL_PATH) {
    return failure(options, 404, 'not_found', 'No WebSocket here', { available_endpoints: [CALL_PATH] });
  }
  if (!isOriginAllowed(request, options.auth)) {
    return failure(
      options,
      403,
      'foreign_origin',
      'Pages of this origin may not open calls; allow it in the configuration',
    );
  }
  const verdict = authorize(request, options.auth, true);
  if (verdict !== 'allowed') return refusal(verdict, options.auth, options.now());
  const reason = openSockets >= options.maxSockets ? 'too many connections' : options.admit(url);
  if (reason === null) return null;
  const full = failure(options, 503, 'unavailable', `No call can be taken now: ${reason}`);
  full.headers.set('retry-after', String(options.retryAfterSeconds ?? 5));
  return full;
}

function contextOf(peer: Peer): { handler?: CallSocketHandler | undefined } {
  return peer.context as { handler?: CallSocketHandler | undefined };
}
