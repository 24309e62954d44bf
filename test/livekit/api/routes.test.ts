// The HTTP routes for LiveKit: tokens for clients, webhooks by their raw body.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Hono } from 'hono';
import { decodeJwt, SignJWT } from 'jose';
import { callerToken } from '../../../src/livekit/tokens.ts';
import { createWebhookGate } from '../../../src/livekit/webhooks.ts';
import { createApp as createServerApp } from '../../../src/server/app.ts';
import { createRequestCounter } from '../../../src/server/requests.ts';
import { addLiveKitToken, addLiveKitWebhook } from '../../../src/server/routes/livekit.ts';

const credentials = { apiKey: 'key', apiSecret: 'secret-secret-secret-secret-secret' };

function createApp() {
  const app = new Hono();
  const handled: string[] = [];
  let names = 0;
  const gate = createWebhookGate({
    ...credentials,
    now: Date.now,
    handle: (event) => {
      handled.push(event.event);
    },
  });
  addLiveKitWebhook(app, { receive: gate.receive, maxBodyBytes: 2000, now: Date.now });
  addLiveKitToken(app, {
    now: Date.now,
    roomsUrl: 'wss://rooms.example',
    newName: () => `n${++names}`,
    mint: ({ room, identity, name, metadata, attributes }) =>
      callerToken(credentials, { room, identity, name, metadata, attributes, agents: [{ agentName: 'anna' }] }),
  });
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    app.request(path, { method: 'POST', body, headers });
  const ask = async (body: unknown) => {
    const answer = await post('/livekit/token', typeof body === 'string' ? body : JSON.stringify(body));
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  return { app, post, ask, handled };
}

/** Agents that come when the token makes its room. */
function agentsIn(claims: Record<string, unknown>): string[] {
  return (claims.roomConfig as { agents: { agentName: string }[] }).agents.map((one) => one.agentName);
}

test('a client asks in the words of LiveKit and gets address and token', async () => {
  const { ask } = createApp();
  const { status, body } = await ask({
    room_name: 'desk',
    participant_identity: 'carl',
    participant_name: 'Carl',
    participant_metadata: 'm',
    participant_attributes: { tier: 'gold' },
  });
  assert.equal(status, 201);
  assert.equal(body.server_url, 'wss://rooms.example');
  const claims = decodeJwt(body.participant_token ?? '') as Record<string, unknown> & {
    video: Record<string, unknown>;
  };
  assert.deepEqual(
    [claims.sub, claims.name, claims.metadata, claims.attributes],
    ['carl', 'Carl', 'm', { tier: 'gold' }],
  );
  assert.deepEqual(
    [claims.video.room, claims.video.roomAdmin, claims.video.roomCreate],
    ['desk', undefined, undefined],
  );
  assert.deepEqual(agentsIn(claims), ['anna']);
});

test('names that are left open are new ones; a client can not name another agent', async () => {
  const { ask } = createApp();
  const first = await ask({});
  const second = await ask({ participant_name: null, room_config: { agents: [{ agent_name: 'otto' }] } });
  assert.deepEqual([first.body.room_name, second.body.room_name], ['call-n1', 'call-n3']);
  const claims = decodeJwt(second.body.participant_token ?? '');
  assert.equal(claims.sub, 'caller-n4');
  assert.deepEqual(agentsIn(claims), ['anna']);
});

test('nonsense is refused with what is wrong', async () => {
  const { ask } = createApp();
  const cases: [unknown, RegExp][] = [
    ['{', /JSON object/],
    [[], /JSON object/],
    [null, /JSON object/],
    [{ room_name: 7 }, /"room_name" must be a text/],
    [{ participant_attributes: { a: 1 } }, /object of texts/],
    [{ participant_attributes: [] }, /object of texts/],
    [{ room_name: 'r'.repeat(300) }, /room: wanted 1 to 256/],
    [{ participant_identity: '' }, /identity: wanted 1 to 256/],
  ];
  for (const [body, message] of cases) {
    const answer = await ask(body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(answer.body.message ?? '', message);
  }
});

async function sign(body: Uint8Array | string): Promise<string> {
  return new SignJWT({ sha256: createHash('sha256').update(body).digest('base64') })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(credentials.apiKey)
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(credentials.apiSecret));
}

test('a webhook is checked by the bytes that came, once', async () => {
  const { post, handled } = createApp();
  const event = {
    event: 'room_finished',
    id: 'EV_1',
    createdAt: String(Math.floor(Date.now() / 1000)),
    room: { name: 'Zoë' },
  };
  const body = ` ${JSON.stringify(event, null, 3)}\n`;
  const authorization = await sign(body);
  assert.equal((await post('/livekit/webhook', body, { authorization })).status, 200);
  assert.equal((await post('/livekit/webhook', body, { authorization })).status, 409);
  assert.equal((await post('/livekit/webhook', JSON.stringify(event), { authorization })).status, 401);
  assert.equal((await post('/livekit/webhook', body)).status, 401);
  assert.deepEqual(handled, ['room_finished']);
});

test('a body that is too long is not read to its end, whether it says so or not', async () => {
  const { post, app } = createApp();
  const long = 'x'.repeat(3000);
  assert.equal(
    (await post('/livekit/webhook', long, { authorization: await sign(long), 'content-length': '3000' })).status,
    413,
  );
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(500));
    },
  });
  const request = { method: 'POST', body: endless, duplex: 'half' } as RequestInit;
  const answer = await app.request(new Request('http://localhost/livekit/webhook', request));
  assert.equal(answer.status, 413);
  assert.ok(pulled <= 10, `${pulled} pieces`);
});

/** The whole server, reachable from outside, with LiveKit or without. */
function createServer(withLiveKit: boolean) {
  const requests = createRequestCounter();
  const gate = createWebhookGate({ ...credentials, now: Date.now, handle: () => {} });
  const app = createServerApp({
    version: '1.2.3',
    startedAtMs: 0,
    now: Date.now,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: true, services: [], activeJobs: 0, maxJobs: 1 }),
    metricsText: () => requests.text(),
    status: () => ({}),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    auth: { token: 'sesame', loopback: false },
    requests,
    livekit: withLiveKit
      ? {
          token: {
            now: Date.now,
            roomsUrl: 'wss://rooms.example',
            newName: () => 'n',
            mint: ({ room, identity }) => callerToken(credentials, { room, identity }),
          },
          webhook: { receive: gate.receive, maxBodyBytes: 100_000, now: Date.now },
        }
      : undefined,
  });
  const post = async (path: string, body: string, headers: Record<string, string> = {}, method = 'POST') => {
    const answer = await app.request(path, { method, headers, ...(method === 'GET' ? {} : { body }) });
    return { status: answer.status, allow: answer.headers.get('allow'), text: await answer.text() };
  };
  return { post, requests };
}

test('in the server, tokens are given to those who have the key of the door; webhooks bring their own', async () => {
  const { post, requests } = createServer(true);
  const trusted = { authorization: 'Bearer sesame' };
  assert.equal((await post('/livekit/token', '{}')).status, 401);
  const given = await post('/livekit/token', '{}', trusted);
  assert.equal(given.status, 201);
  assert.match(given.text, /"server_url":"wss:\/\/rooms.example"/);
  assert.equal((await post('/livekit/token', 'x'.repeat(70_000), trusted)).status, 413);
  const get = await post('/livekit/token', '', trusted, 'GET');
  assert.deepEqual([get.status, get.allow], [405, 'POST, OPTIONS']);

  const event = { event: 'room_started', id: 'EV_2', createdAt: String(Math.floor(Date.now() / 1000)) };
  // Longer than any other body may be, and no bearer token anywhere.
  const body = JSON.stringify({ ...event, room: { metadata: 'm'.repeat(80_000) } });
  const authorization = await sign(body);
  assert.equal((await post('/livekit/webhook', body, { authorization })).status, 200);
  assert.equal((await post('/livekit/webhook', body, { authorization })).status, 409);
  assert.equal((await post('/livekit/webhook', body, trusted)).status, 401);
  assert.equal((await post('/livekit/webhook', 'x'.repeat(100_001), { authorization })).status, 413);
  assert.match(requests.text(), /route="\/livekit\/webhook",status="409"\} 1/);
  const none = await post('/nowhere', '', trusted);
  assert.match(none.text, /\/livekit\/token/);
});

test('without LiveKit there are no such paths', async () => {
  const { post } = createServer(false);
  const trusted = { authorization: 'Bearer sesame' };
  assert.equal((await post('/livekit/token', '{}', trusted)).status, 404);
  assert.equal((await post('/livekit/webhook', '{}', trusted)).status, 404);
  assert.doesNotMatch((await post('/nowhere', '', trusted)).text, /livekit/);
});
