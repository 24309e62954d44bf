// All WebSocket calls of a server: gives connections to new calls or to those that wait for their client.
import { WebSocketCall } from './call.ts';
import { Connection } from './connection.ts';
import type { WebSocketCounts, WebSocketLimits } from './limits.ts';
import { createCounts, DEFAULT_LIMITS } from './limits.ts';
import type { Hello } from './protocol.ts';
import { CLOSE, helloOfUrl } from './protocol.ts';
import type { Clock, Socket, SocketHandler, StartCall } from './socket.ts';

export interface WebSocketCallsOptions {
  readonly clock: Clock;
  /** Makes secrets that cannot be guessed (128 bits or more): who has one can take the call over. */
  readonly newToken: () => string;
  /** Starts a session for a call; called when its client has said hello. */
  readonly start: StartCall;
  readonly limits?: Partial<WebSocketLimits> | undefined;
}

export interface WebSocketCalls {
  /** Takes a connection; its messages go to what this returns. */
  accept(socket: Socket, url: URL): SocketHandler;
  /** True for a client that comes back to a call and needs no new room. One that will only say so in its hello gets the
   *  benefit of the doubt while a call waits; if it wants a new call after all, `start` decides. */
  isResume(url: URL): boolean;
  /** Calls that go on, those that wait for their client included. */
  readonly size: number;
  readonly counts: Readonly<WebSocketCounts>;
  /** Ends all calls because the server stops. */
  stop(): void;
}

export function createWebSocketCalls(options: WebSocketCallsOptions): WebSocketCalls {
  const { clock, newToken, start } = options;
  const limits: WebSocketLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const counts = createCounts();
  const calls = new Map<string, WebSocketCall>();

  function greet(connection: Connection, hello: Hello): void {
    if (hello.resume !== undefined) {
      const call = calls.get(hello.resume);
      if (call) call.resume(connection);
      else connection.refuse('unknown_call', 'No call waits under this token: start a new one', CLOSE.unknownCall);
      return;
    }
    const call = new WebSocketCall(hello, {
      clock,
      limits,
      counts,
      start,
      resumeToken: newToken(),
      ended: (over) => calls.delete(over.resumeToken),
    });
    calls.set(call.resumeToken, call);
    const refused = call.begin(connection);
    if (refused === null) return;
    calls.delete(call.resumeToken);
    connection.refuse('refused', refused, CLOSE.tryLater);
  }

  return {
    accept: (socket, url) => new Connection(socket, url, { clock, limits, counts, greet }),
    isResume(url) {
      const token = url.searchParams.get('resume');
      if (token !== null) return calls.has(token);
      if (helloOfUrl(url)) return false;
      for (const call of calls.values()) if (call.isWaiting) return true;
      return false;
    },
    get size() {
      return calls.size;
    },
    counts,
    stop() {
      for (const call of calls.values()) call.stop();
    },
  };
}
