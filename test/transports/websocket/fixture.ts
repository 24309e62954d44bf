// A WebSocket call on virtual time: a clock that is moved by hand, a connection made of arrays, a session that records.
import type { CallInput, Transport } from '../../../src/transports/port.ts';
import type { WebSocketCallsOptions, WebSocketCalls } from '../../../src/transports/websocket/calls.ts';
import { createWebSocketCalls } from '../../../src/transports/websocket/calls.ts';
import type { Clock, Socket, SocketHandler } from '../../../src/transports/websocket/socket.ts';

export class VirtualClock implements Clock {
  #now = 1000;
  #timers = new Set<{ atMs: number; run: () => void }>();
  now(): number {
    return this.#now;
  }
  setTimer(run: () => void, ms: number): () => void {
    const timer = { atMs: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter((t) => t.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.atMs;
      next.run();
    }
    this.#now = end;
  }
  get timers(): number {
    return this.#timers.size;
  }
}

export interface Received {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The client's end: what it got, and how it was closed. Keeps copies, as sent bytes are reused. */
export class FakeSocket implements Socket {
  bufferedAmount = 0;
  readonly messages: Received[] = [];
  readonly audio: Uint8Array[] = [];
  readonly order: string[] = [];
  closed: { code: number | undefined; reason: string | undefined } | null = null;
  isBroken = false;
  handler!: SocketHandler;
  send(data: string | Uint8Array): void {
    if (this.isBroken || this.closed) throw new Error('InvalidStateError');
    if (typeof data === 'string') {
      const message = JSON.parse(data) as Received;
      this.messages.push(message);
      this.order.push(message.type);
    } else {
      this.audio.push(data.slice());
      this.order.push(`audio ${data.length / 2}`);
    }
  }
  close(code?: number, reason?: string): void {
    if (this.closed) return;
    this.closed = { code, reason };
    this.handler?.closed(code);
  }
  of(type: string): Received[] {
    return this.messages.filter((m) => m.type === type);
  }
  codes(): unknown[] {
    return this.of('error').map((m) => m.code);
  }
  json(message: unknown): void {
    this.handler.text(JSON.stringify(message));
  }
}

/** The session's end: what came in, in order. */
export class FakeSession implements CallInput {
  readonly log: string[] = [];
  readonly packets: { position: number; bytes: Uint8Array }[] = [];
  readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }
  audio(packet: Uint8Array, position: number): void {
    this.packets.push({ position, bytes: packet.slice() });
  }
  played(position: number): void {
    this.log.push(`played ${position}`);
  }
  text(text: string): void {
    this.log.push(`text ${text}`);
  }
  dtmf(digit: string): void {
    this.log.push(`dtmf ${digit}`);
  }
  close(reason: string): void {
    this.log.push(`close ${reason}`);
  }
}

export interface World {
  readonly clock: VirtualClock;
  readonly calls: WebSocketCalls;
  readonly sessions: FakeSession[];
  connect(query?: string): FakeSocket;
  /** Connects with a rate in the address and returns both ends. */
  call(query?: string): { socket: FakeSocket; session: FakeSession };
}

export function createWorld(changes: Partial<WebSocketCallsOptions> = {}): World {
  const clock = new VirtualClock();
  const sessions: FakeSession[] = [];
  let tokens = 0;
  const calls = createWebSocketCalls({
    clock,
    newToken: () => `token-${++tokens}`,
    start(transport) {
      const session = new FakeSession(transport);
      sessions.push(session);
      return { input: session, session: `session-${sessions.length}` };
    },
    ...changes,
  });
  const connect = (query = '') => {
    const socket = new FakeSocket();
    socket.handler = calls.accept(socket, new URL(`ws://localhost/call${query}`));
    return socket;
  };
  return {
    clock,
    calls,
    sessions,
    connect,
    call(query = '?rate=16000') {
      const socket = connect(query);
      const session = sessions.at(-1);
      if (!session) throw new Error('No session was started');
      return { socket, session };
    },
  };
}

/** 20 ms at 16 kHz, all samples of one value. */
export function packet(value = 1, samples = 320): Uint8Array {
  return new Uint8Array(new Int16Array(samples).fill(value).buffer);
}
