// A WebSocket client for tests: messages one at a time, and how it was closed.

export interface TestSocket {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  next(): Promise<string | Uint8Array>;
  close(code: number): void;
  readonly closed: Promise<{ code: number; reason: string }>;
}

const LIMIT_MS = 10_000;

export function openSocket(url: string): Promise<TestSocket> {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const messages: (string | Uint8Array)[] = [];
  let wake: () => void = () => {};
  socket.onmessage = (event) => {
    messages.push(typeof event.data === 'string' ? event.data : new Uint8Array(event.data as ArrayBuffer));
    wake();
  };
  const closed = new Promise<{ code: number; reason: string }>((done) => {
    socket.onclose = (event) => {
      done({ code: event.code, reason: event.reason });
      wake();
    };
  });
  async function next(): Promise<string | Uint8Array> {
    const found = messages.shift();
    if (found !== undefined) return found;
    await new Promise<void>((done, fail) => {
      const limit = setTimeout(() => fail(new Error(`No message in ${LIMIT_MS} ms`)), LIMIT_MS);
      wake = () => {
        clearTimeout(limit);
        done();
      };
    });
    const arrived = messages.shift();
    if (arrived === undefined) throw new Error('The connection was closed while a message was awaited');
    return arrived;
  }
  return new Promise((done, fail) => {
    socket.onopen = () =>
      done({ send: (data) => socket.send(data), next, close: (code) => socket.close(code), closed });
    socket.onerror = () => fail(new Error(`Cannot connect to ${url}`));
  });
}
