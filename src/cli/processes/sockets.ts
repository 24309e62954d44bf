// WebSocket calls through the supervisor: each goes to the process with most room, or back to the one that has it.
import { WebSocket } from 'ws';
import { bytesOf } from '../../livekit/socket.ts';
import type { CallSocket, CallSocketHandler } from '../../server/sockets.ts';
import type { Clock } from '../../runner/clock.ts';

export interface ProcessSocketsOptions {
  /** Where a further call has room; null: nowhere. */
  readonly pick: () => number | null;
  readonly urlOf: (number: number) => string | undefined;
  readonly token: string;
  readonly clock: Clock;
}

/** What a client may send before its process has answered: a hello, and a second of audio. */
const MAX_EARLY_BYTES = 256 * 1024;
/** A client that takes less than it is sent is let go: the process behind can not see it. */
const MAX_WAITING_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** A client that says nothing is passed on, to be told off by its process. */
const HELLO_MS = 5000;

/** The process that made a token for coming back, or null. Its number stands before the first dot. */
export function processOfToken(token: string): number | null {
  const number = /^(\d{1,2})\./.exec(token)?.[1];
  return number === undefined ? null : Number(number);
}

/** For the door of the supervisor: takes connections of clients. */
export function createProcessSockets({ pick, urlOf, token, clock }: ProcessSocketsOptions) {
  return (socket: CallSocket, url: URL): CallSocketHandler => {
    let far: WebSocket | null = null;
    let isOver = false;
    let early: (string | Uint8Array)[] = [];
    let earlyBytes = 0;
    let cancel: () => void = () => {};

    function end(code: number, reason: string): void {
      if (isOver) return;
      isOver = true;
      cancel();
      early = [];
      socket.close(code, reason);
      far?.close();
    }

    function connect(number: number | null): void {
      cancel();
      const base = number === null ? undefined : urlOf(number);
      if (base === undefined) return end(1013, 'no process has room');
      const target = new URL(`${url.pathname}${url.search}`, base);
      target.protocol = 'ws:';
      const own = new WebSocket(target, {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
        maxPayload: MAX_MESSAGE_BYTES,
        handshakeTimeout: 5000,
      });
      far = own;
      own.binaryType = 'arraybuffer';
      own.on('open', () => {
        for (const message of early) own.send(message);
        early = [];
      });
      own.on('message', (data, isBinary) => {
        if (isOver) return;
        if (socket.bufferedAmount > MAX_WAITING_BYTES) return end(1013, 'client reads too slowly');
        socket.send(isBinary ? bytesOf(data) : new TextDecoder().decode(bytesOf(data)));
      });
      own.on('error', () => {});
      own.on('close', (code, reason) => end(sayable(code), reason.toString()));
    }

    function forward(message: string | Uint8Array): void {
      if (far?.readyState === WebSocket.OPEN) return far.send(message);
      earlyBytes += message.length;
      if (earlyBytes > MAX_EARLY_BYTES) return end(1008, 'too much before the answer');
      // Bytes are borrowed.
      early.push(typeof message === 'string' ? message : Uint8Array.from(message));
    }

    const resume = url.searchParams.get('resume');
    if (resume !== null) connect(processOfToken(resume) ?? pick());
    else if (url.searchParams.size > 0) connect(pick());
    // The first message may say that its client comes back.
    else cancel = clock.setTimer(() => connect(pick()), HELLO_MS);

    return {
      bytes: (data) => {
        if (isOver) return;
        if (far === null) connect(pick());
        forward(data);
      },
      text: (data) => {
        if (isOver) return;
        if (far === null) connect(processOfToken(resumeIn(data)) ?? pick());
        forward(data);
      },
      closed(code) {
        if (isOver) return;
        isOver = true;
        cancel();
        // One that vanished may come back: its process must not take it for a goodbye.
        if (code === undefined || code === 1006) far?.terminate();
        else far?.close(sayable(code));
      },
    };
  };
}

function resumeIn(hello: string): string {
  try {
    const { resume } = JSON.parse(hello) as { resume?: unknown };
    return typeof resume === 'string' ? resume : '';
  } catch {
    return '';
  }
}

/** Codes that stand for "none was sent" can not be sent. */
function sayable(code: number): number {
  return code === 1005 ? 1000 : code === 1006 || code === 1015 ? 1011 : code;
}
