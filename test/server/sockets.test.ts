// Handshakes of WebSocket calls, and where their messages go.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSocketHooks, type CallSocket, type SocketOptions } from '../../src/server/sockets.ts';

interface FakePeer extends CallSocket {
  context: Record<string, unknown>;
  request: { url: string };
  closedWith: number | undefined;
}

function build(changes: Partial<SocketOptions> = {}) {
  const heard: string[] = [];
  const recorded: number[] = [];
  const urls: string[] = [];
  const sockets = createSocketHooks({
    auth: { loopback: true },
    now: () => 0,
    maxSockets: 2,
    admit: () => null,
    accept: (_socket, url) => {
      urls.push(url.href);
      return {
        bytes: (data) => heard.push(`bytes ${[...data]}`),
        text: (data) => heard.push(`text ${data}`),
        closed: (code) => heard.push(`closed ${code}`),
      };
    },
    record: (status) => recorded.push(status),
    ...changes,
  });
  // The hooks only touch what a fake peer has.
  const hooks = sockets.hooks as unknown as Record<
    'open' | 'message' | 'close' | 'error' | 'upgrade',
    (...a: unknown[]) => unknown
  >;
  const upgrade = (path: string, headers: Record<string, string> = {}) =>
    hooks.upgrade(new Request(`http://localhost:8080${path}`, { headers })) as Response | undefined;
  return { sockets, hooks, upgrade, heard, recorded, urls };
}

function peer(url = 'http://localhost:8080/call?rate=8000'): FakePeer {
  const fake: FakePeer = {
    context: {},
    request: { url },
    closedWith: undefined,
    bufferedAmount: 0,
    send: () => 0,
    close(code) {
      fake.closedWith = code;
    },
  };
  return fake;
}
const message = (rawData: string | Uint8Array | ArrayBuffer) => ({
  rawData,
  uint8Array: () => new Uint8Array(rawData as ArrayBuffer),
});

describe('handshakes', () => {
  it('takes calls at /call only', async () => {
    const { upgrade, recorded } = build();
    assert.equal(upgrade('/call'), undefined);
    assert.equal(upgrade('/other')?.status, 404);
    assert.deepEqual(recorded, [101, 404]);
  });
  it('checks the token, in the header or in the address', () => {
    const { upgrade } = build({ auth: { loopback: false, token: 'secret' } });
    assert.equal(upgrade('/call')?.status, 401);
    assert.equal(upgrade('/call?access_token=wrong')?.status, 401);
    assert.equal(upgrade('/call?access_token=secret'), undefined);
    assert.equal(upgrade('/call', { authorization: 'Bearer secret' }), undefined);
    assert.equal(build({ auth: { loopback: false } }).upgrade('/call')?.status, 401);
  });
  it('refuses pages of other origins before it looks at tokens', () => {
    const { upgrade } = build({ auth: { loopback: false, token: 'secret' } });
    const refused = upgrade('/call?access_token=secret', { host: 'localhost:8080', origin: 'https://evil.example' });
    assert.equal(refused?.status, 403);
  });
  it('answers 503 with Retry-After when there is no room', async () => {
    const full = build({ admit: () => 'all 4 sessions are taken', retryAfterSeconds: 7 }).upgrade('/call');
    assert.equal(full?.status, 503);
    assert.equal(full?.headers.get('retry-after'), '7');
    assert.match((await full?.text()) ?? '', /all 4 sessions are taken/);
    const { hooks, upgrade, sockets } = build();
    const first = peer();
    hooks.open(first);
    hooks.open(peer());
    assert.equal(upgrade('/call')?.status, 503);
    // Two handshakes can be answered before either opens.
    const third = peer();
    hooks.open(third);
    assert.equal(third.closedWith, 1013);
    assert.equal(sockets.count(), 2);
    hooks.close(first, { code: 1000 });
    assert.equal(upgrade('/call'), undefined);
  });
});

describe('messages', () => {
  it('reach the handler of their connection as text or bytes', () => {
    const { hooks, heard, urls } = build();
    const fake = peer('http://localhost:8080/call?rate=8000&access_token=secret');
    hooks.open(fake);
    hooks.message(fake, message('hello'));
    hooks.message(fake, message(new Uint8Array([1, 2])));
    hooks.message(fake, message(new Uint8Array([3, 4]).buffer));
    hooks.close(fake, { code: 1001 });
    assert.deepEqual(heard, ['text hello', 'bytes 1,2', 'bytes 3,4', 'closed 1001']);
    assert.deepEqual(urls, ['http://localhost:8080/call?rate=8000']);
  });
  it('that make a call throw end that call alone', () => {
    const errors: unknown[] = [];
    const { hooks } = build({
      accept: () => ({
        bytes: () => {
          throw new Error('broken');
        },
        text: () => {},
        closed: () => {},
      }),
      onError: (error) => errors.push(error),
    });
    const fake = peer();
    hooks.open(fake);
    hooks.message(fake, message(new Uint8Array(2)));
    assert.equal(fake.closedWith, 1011);
    assert.equal((errors[0] as Error).message, 'broken');
  });
  it('are dropped after the end, which is told once', () => {
    const { hooks, heard, sockets } = build();
    const fake = peer();
    hooks.open(fake);
    hooks.error(fake, new Error('reset'));
    hooks.close(fake, { code: 1006 });
    hooks.message(fake, message('late'));
    assert.deepEqual(heard, ['closed undefined']);
    assert.equal(sockets.count(), 0);
  });
});
