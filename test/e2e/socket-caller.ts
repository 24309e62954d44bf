// A caller over WebSocket for the tests: says phrases in real time, keeps all that comes back, and can vanish without a word.
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { RATE_HZ } from './recordings.ts';

const PACKET_MS = 20;
const LIMIT_MS = 30_000;

export interface Notice {
  readonly type: string;
  readonly [field: string]: unknown;
}
export interface SocketCaller {
  readonly notices: readonly Notice[];
  /** Bytes of agent audio so far, and whether any of it was not silent. */
  readonly heard: { readonly bytes: number; readonly loud: boolean };
  send(data: string | Uint8Array): void;
  say(message: Readonly<Record<string, unknown>>): void;
  /** The first notice that fits, whenever it comes. */
  notice(type: string, fits?: (notice: Notice) => boolean, limitMs?: number): Promise<Notice>;
  /** Sends the audio at its true pace; resolves when all of it is sent or the connection is gone. */
  speak(pcm: Int16Array): Promise<void>;
  /** A reset instead of a goodbye. */
  vanish(): void;
  readonly raw: Socket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Rejects with `HTTP 503 retry-after 5: ...` when the handshake is refused. */
export function dial(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SocketCaller> {
  const socket = new WebSocket(url, { perMessageDeflate: false, headers });
  const notices: Notice[] = [];
  const heard = { bytes: 0, loud: false };
  const waiting = new Set<() => void>();
  let gone: { code: number; reason: string } | undefined;
  const wake = (): void => {
    for (const check of waiting) check();
  };
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      heard.bytes += data.length;
      for (let i = 0; !heard.loud && i + 1 < data.length; i += 2) heard.loud = Math.abs(data.readInt16LE(i)) > 1000;
    } else notices.push(JSON.parse(String(data)) as Notice);
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((done) => {
    socket.on('close', (code, reason) => {
      gone = { code, reason: String(reason) };
      done(gone);
      wake();
    });
  });
  const caller: SocketCaller = {
    notices,
    heard,
    send: (data) => socket.send(data),
    say: (message) => socket.send(JSON.stringify(message)),
    notice: (type, fits = () => true, limitMs = LIMIT_MS) =>
      new Promise((done, fail) => {
        const finish = (): void => {
          clearTimeout(limit);
          waiting.delete(check);
        };
        const trouble = (why: string): void => {
          finish();
          fail(new Error(`${why} before "${type}" came; there was ${JSON.stringify(notices)}`));
        };
        const check = (): void => {
          const found = notices.find((notice) => notice.type === type && fits(notice));
          if (found) {
            finish();
            done(found);
          } else if (gone) trouble(`Closed with ${gone.code} ${gone.reason}`);
        };
        const limit = setTimeout(() => trouble(`${limitMs} ms passed`), limitMs);
        waiting.add(check);
        check();
      }),
    speak: (pcm) =>
      new Promise((done) => {
        const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
        const packet = (RATE_HZ * PACKET_MS * 2) / 1000;
        const startMs = performance.now();
        let sent = 0;
        const next = (): void => {
          const due = Math.floor((performance.now() - startMs) / PACKET_MS);
          while (sent < due && sent * packet < bytes.length && socket.readyState === WebSocket.OPEN) {
            socket.send(bytes.subarray(sent * packet, (sent + 1) * packet));
            sent++;
          }
          if (sent * packet >= bytes.length || socket.readyState !== WebSocket.OPEN) {
            clearInterval(timer);
            done();
          }
        };
        const timer = setInterval(next, PACKET_MS);
      }),
    vanish: () => caller.raw.resetAndDestroy(),
    get raw() {
      return (socket as unknown as { _socket: Socket })._socket;
    },
    closed,
  };
  return new Promise((done, fail) => {
    socket.on('open', () => done(caller));
    socket.on('error', (error) => fail(error));
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () =>
        fail(new Error(`HTTP ${response.statusCode} retry-after ${response.headers['retry-after']}: ${body}`)),
      );
    });
  });
}

/** The head of a masked frame of 126 to 65 535 bytes with a mask of zeros, for clients that break off where no library would. */
export function frameHead(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | 126;
  head.writeUInt16BE(length, 2);
  return head;
}
