// The real socket of the worker: headers, limits, refusals, silence, and what it makes of garbage on the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerTiming } from '../../../src/livekit/worker.ts';
import { startWorker, until } from './real-worker.ts';
import { registered, type SocketServer, startSocketServer } from './socket-server.ts';

const credentials = { apiKey: 'key', apiSecret: 'secret-secret-secret-secret-secret' };
const backoff = { firstMs: 20, capMs: 40 };

async function withWorker(
  options: Parameters<typeof startSocketServer>[0],
  timing: Partial<WorkerTiming>,
  check: (given: {
    server: SocketServer;
    worker: ReturnType<typeof startWorker>;
    lost: (cause: string) => Promise<unknown>;
  }) => Promise<void>,
): Promise<void> {
  const server = await startSocketServer(options);
  const worker = startWorker(`${server.url}/base`, credentials, { timing: { backoff, ...timing } });
  try {
    const seen = (cause: string) => worker.log.some((line) => line.includes(`"cause":"${cause}"`));
    await check({ server, worker, lost: (cause) => until(`loss by ${cause}`, () => seen(cause)) });
  } finally {
    await worker.stop();
    await server.stop();
  }
}

test('the request carries a token of its own for each attempt, the path, and no compression', async () => {
  await withWorker({ behaviour: (socket) => socket.close(1011, 'not today') }, {}, async ({ server, lost }) => {
    await lost('closed');
    await until('three attempts', () => server.connections.length >= 3);
    const { headers, url } = server.connections[0]?.request ?? {};
    assert.equal(url, '/base/agent');
    assert.equal(headers?.['sec-websocket-extensions'], undefined);
    const [head = '', payload = ''] = headers?.authorization?.replace('Bearer ', '').split('.') ?? [];
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    assert.match(atob(head), /HS256/);
    assert.deepEqual([claims.video, claims.iss, claims.sub], [{ agent: true }, 'key', undefined]);
    assert.ok(claims.exp - claims.nbf <= 600);
  });
});

test('registered; pings of the server and answers to ours keep it alive', async () => {
  let pings = 0;
  const behaviour = (socket: Parameters<NonNullable<Parameters<typeof startSocketServer>[0]['behaviour']>>[0]) => {
    socket.send(registered);
    const timer = setInterval(() => {
      pings++;
      socket.ping();
    }, 20);
    socket.on('close', () => clearInterval(timer));
  };
  await withWorker({ behaviour }, { pingMs: 30, silenceMs: 90 }, async ({ server, worker }) => {
    await until('registration', () => worker.worker.status().ready);
    await until('ten pings', () => pings >= 10);
    assert.equal(server.connections.length, 1);
    assert.ok(server.connections[0]?.said.includes('ping'));
    assert.equal(worker.worker.status().ready, true);
  });
});

test('a registered server that falls silent is left', async () => {
  await withWorker(
    { behaviour: (socket) => socket.send(registered) },
    { pingMs: 20, silenceMs: 80 },
    async ({ lost }) => {
      await lost('silent');
    },
  );
});

test('a server that never answers the upgrade, and one that never answers the registration', async () => {
  await withWorker({ upgrade: 'silent' }, { connectMs: 60 }, async ({ server, lost }) => {
    await lost('connect-timeout');
    assert.equal(server.connections.length, 0);
  });
  await withWorker({}, { registerMs: 60 }, async ({ server, lost }) => {
    await lost('register-timeout');
    assert.deepEqual(server.connections[0]?.said, ['register']);
  });
});

test('a refused upgrade: the key for 401, anything else for the rest', async () => {
  await withWorker({ upgrade: 401 }, {}, async ({ worker, lost }) => {
    await lost('unauthorized');
    assert.match(worker.log.join('\n'), /refuses the API key or secret \(401\)/);
  });
  await withWorker({ upgrade: 503 }, {}, async ({ worker, lost }) => {
    await lost('connect');
    assert.match(worker.log.join('\n'), /503/);
  });
});

test('a server that takes the connection and refuses the registration: its reason is told, and it is asked again', async () => {
  const behaviour = (socket: {
    on(event: 'message', heard: () => void): void;
    close(code: number, why: string): void;
  }) => socket.on('message', () => socket.close(1008, 'namespace is not allowed'));
  await withWorker({ behaviour }, {}, async ({ server, worker, lost }) => {
    await lost('closed');
    assert.match(worker.log.join('\n'), /code 1008, namespace is not allowed/);
    await until('three attempts', () => server.connections.length >= 3);
    assert.deepEqual(server.connections[0]?.said, ['register']);
    assert.deepEqual([worker.worker.status().reason, worker.worker.status().ready], ['not-registered', false]);
  });
});

test('nobody there, and a name that does not exist', async () => {
  for (const url of ['ws://127.0.0.1:1', 'ws://nowhere.invalid']) {
    const worker = startWorker(url, credentials, { timing: { backoff } });
    await until('the loss', () => worker.worker.status().registrations[0]?.lastLoss !== null);
    assert.match(worker.worker.status().registrations[0]?.lastLoss ?? '', /^connect: /);
    await worker.stop();
  }
});

test('oversized frames, garbage, texts and a cut connection are losses, never exceptions', async () => {
  const cases: [string, (socket: { send(data: Uint8Array | string): void; terminate(): void }) => void][] = [
    ['closed', (socket) => socket.send(new Uint8Array(3 * 1024 * 1024))],
    ['garbage', (socket) => socket.send(new Uint8Array([0xff, 0xff, 0xff]))],
    ['garbage', (socket) => socket.send('{"no')],
    ['closed', (socket) => socket.terminate()],
  ];
  for (const [cause, behaviour] of cases) {
    await withWorker({ behaviour }, {}, async ({ server, worker, lost }) => {
      await lost(cause);
      await until('another attempt', () => server.connections.length >= 2);
      assert.equal(worker.jobs.length, 0, cause);
    });
  }
});

test('after the registration too: eight bad frames are survived, an oversized one is not', async () => {
  const behaviour = (socket: { send(data: Uint8Array | string): void }) => {
    socket.send(registered);
    for (let i = 0; i < 8; i++) socket.send(new Uint8Array([0xff]));
  };
  await withWorker({ behaviour }, {}, async ({ server, worker, lost }) => {
    await until('registration', () => worker.worker.status().ready);
    server.connections[0]?.socket.send(new Uint8Array(2 * 1024 * 1024 + 1));
    await lost('closed');
    assert.ok(server.connections[0]?.said.includes('register'));
  });
});
