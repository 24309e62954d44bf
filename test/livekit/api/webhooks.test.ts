// Webhooks: what is not signed, not whole, not new or not recent is refused, and memory stays bounded without letting a replay in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { WebhookEvent } from '@livekit/protocol';
import { SignJWT } from 'jose';
import { createWebhookGate, type WebhookGateOptions } from '../../../src/livekit/webhooks.ts';

const apiKey = 'key';
const apiSecret = 'secret-secret-secret-secret-secret';
/** Signatures are checked against the machine's clock. */
const startMs = Math.floor(Date.now() / 1000) * 1000;

async function signed(
  body: string,
  { secret = apiSecret, issuer = apiKey, sha = body, seconds = 300 } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ sha256: createHash('sha256').update(sha).digest('base64') })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setNotBefore(now - 600)
    .setExpirationTime(now + seconds)
    .sign(new TextEncoder().encode(secret));
}

function bodyOf(id: string, atMs = startMs, event = 'room_started'): string {
  return new WebhookEvent({ id, event, createdAt: BigInt(Math.floor(atMs / 1000)) }).toJsonString();
}

function createGate(more: Partial<WebhookGateOptions> = {}) {
  const handled: string[] = [];
  let nowMs = startMs;
  const gate = createWebhookGate({
    apiKey,
    apiSecret,
    now: () => nowMs,
    handle: (event) => {
      handled.push(event.id);
    },
    ...more,
  });
  return {
    handled,
    pass: (ms: number) => {
      nowMs += ms;
    },
    async send(body: string, authorization?: string | null) {
      const header = authorization === undefined ? await signed(body) : authorization;
      return (await gate.receive(body, header)).status;
    },
  };
}

test('a signed event is handled once; the same one again is refused', async () => {
  const { send, handled } = createGate();
  const body = bodyOf('EV_1');
  assert.equal(await send(body), 200);
  assert.equal(await send(body), 409);
  assert.equal(await send(body, `Bearer ${await signed(body)}`), 409);
  assert.equal(await send(bodyOf('EV_2')), 200);
  assert.deepEqual(handled, ['EV_1', 'EV_2']);
});

test('two copies at the same time: one is handled', async () => {
  const { send, handled } = createGate();
  const body = bodyOf('EV_1');
  assert.deepEqual((await Promise.all([send(body), send(body), send(body)])).sort(), [200, 409, 409]);
  assert.deepEqual(handled, ['EV_1']);
});

test('without a signature, with a wrong one, an expired one, of another key, over another body: refused', async () => {
  const { send, handled } = createGate();
  const body = bodyOf('EV_1');
  assert.equal(await send(body, null), 401);
  assert.equal(await send(body, ''), 401);
  assert.equal(await send(body, 'nonsense'), 401);
  assert.equal(await send(body, await signed(body, { secret: `${apiSecret}x` })), 401);
  assert.equal(await send(body, await signed(body, { issuer: 'other' })), 401);
  assert.equal(await send(body, await signed(body, { seconds: -60 })), 401);
  assert.equal(await send(`${body} `, await signed(body)), 401);
  assert.deepEqual(handled, []);
});

test('what is signed and is no event is refused', async () => {
  const { send, handled } = createGate();
  assert.equal(await send('no json'), 400);
  assert.equal(await send('{}'), 400);
  assert.equal(await send('[1]'), 401);
  assert.equal(await send(bodyOf('')), 400);
  assert.equal(await send(bodyOf('x'.repeat(200))), 400);
  assert.equal(await send(bodyOf('EV_1', startMs, '')), 400);
  assert.deepEqual(handled, []);
});

test('what is too old, too new or too long is refused before it is believed', async () => {
  const { send, handled } = createGate({ maxAgeMs: 60_000, maxBodyBytes: 500 });
  assert.equal(await send(bodyOf('EV_old', startMs - 61_000)), 409);
  assert.equal(await send(bodyOf('EV_new', startMs + 61_000)), 409);
  assert.equal(await send(bodyOf('EV_long').replace('{', `{${' '.repeat(500)}`)), 413);
  assert.equal(await send(`"${'ä'.repeat(260)}"`), 413);
  assert.equal(await send(bodyOf('EV_just', startMs - 59_000)), 200);
  assert.deepEqual(handled, ['EV_just']);
});

test('what could not be handled may come again', async () => {
  let fails = true;
  const { send } = createGate({
    handle: async () => {
      if (fails) throw new Error('database is away');
    },
  });
  const body = bodyOf('EV_1');
  assert.equal(await send(body), 500);
  fails = false;
  assert.equal(await send(body), 200);
  assert.equal(await send(body), 409);
});

test('memory is bounded, and what was forgotten is still no way in', async () => {
  const { send, handled, pass } = createGate({ maxIds: 10, maxAgeMs: 600_000 });
  const bodies = Array.from({ length: 30 }, (_, i) => bodyOf(`EV_${i}`, startMs + i * 1000));
  for (const body of bodies) assert.equal(await send(body), 200);
  for (const body of bodies) assert.equal(await send(body), 409);
  assert.equal(handled.length, 30);
  // What happened before the forgotten ones is refused too; what comes now is not.
  assert.equal(await send(bodyOf('EV_before', startMs + 5000)), 409);
  assert.equal(await send(bodyOf('EV_after', startMs + 40_000)), 200);
  pass(601_000);
  assert.equal(await send(bodyOf('EV_later', startMs + 600_000)), 200);
  for (const body of bodies) assert.equal(await send(body), 409);
});
