// Bodies that do not say their length: read within bounds of size and time, and handed on whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { readChunkedBodies } from '../../src/server/bodies.ts';

function rig() {
  const timers = new Set<() => void>();
  const app = new Hono();
  app.use(
    readChunkedBodies({
      maxBytes: 10,
      tooLarge: () => new Response('large', { status: 413 }),
      tooSlow: () => new Response('slow', { status: 408 }),
      setTimer: (run) => {
        timers.add(run);
        return () => void timers.delete(run);
      },
    }),
  );
  app.post('/', async (c) => c.text(await c.req.text()));
  app.get('/', (c) => c.text('none'));
  let cancelled = 0;
  const send = (parts: readonly string[], ends = true) => {
    const left = [...parts];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const part = left.shift();
        if (part !== undefined) controller.enqueue(new TextEncoder().encode(part));
        else if (ends) controller.close();
        else return new Promise(() => {});
        return undefined;
      },
      cancel: () => void cancelled++,
    });
    return app.request(new Request('http://127.0.0.1/', { method: 'POST', body, duplex: 'half' } as RequestInit));
  };
  return { app, send, timers, cancelled: () => cancelled };
}

test('a body in pieces is handed on whole, and its timer is taken back', async () => {
  const { app, send, timers } = rig();
  const answer = await send(['{"a"', ': 1}']);
  assert.deepEqual([answer.status, await answer.text()], [200, '{"a": 1}']);
  assert.equal(await (await send([])).text(), '');
  assert.equal(await (await app.request('http://127.0.0.1/')).text(), 'none');
  assert.equal(timers.size, 0);
});

test('one byte too many is refused at once; what does not end is given up, and its sender is told', async () => {
  const { send, timers, cancelled } = rig();
  assert.equal((await send(['12345', '67890'])).status, 200);
  assert.equal((await send(['12345', '678901'], false)).status, 413);
  assert.equal(cancelled(), 1);
  const slow = send(['123'], false);
  while (timers.size === 0) await new Promise((go) => setImmediate(go));
  for (const run of timers) run();
  assert.equal((await slow).status, 408);
  assert.equal(cancelled(), 2);
});
