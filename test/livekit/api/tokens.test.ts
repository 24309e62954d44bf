// Tokens: one identity, one room, a short life, and nothing that was not asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { TokenVerifier } from 'livekit-server-sdk';
import { callerToken, createTokenSource } from '../../../src/livekit/tokens.ts';
import { DEFAULT_PERMISSIONS } from '../../../src/livekit/wire.ts';

const credentials = { apiKey: 'key', apiSecret: 'secret-secret-secret-secret-secret' };

test('a caller gets one room under one name for ten minutes, and no more', async () => {
  const token = await callerToken(credentials, { room: 'desk', identity: 'carl' });
  const claims = await new TokenVerifier(credentials.apiKey, credentials.apiSecret).verify(token);
  assert.deepEqual(claims.video, {
    roomJoin: true,
    room: 'desk',
    canSubscribe: true,
    canPublish: true,
    canPublishData: true,
    canUpdateOwnMetadata: false,
  });
  assert.equal(claims.sub, 'carl');
  assert.equal((claims.exp ?? 0) - (claims.nbf ?? 0), 600);
  assert.deepEqual([claims.sip, claims.roomConfig, claims.kind], [undefined, undefined, undefined]);
});

test('who may only listen publishes neither audio nor data; agents ride on the token', async () => {
  const token = await callerToken(credentials, {
    room: 'desk',
    identity: 'carl',
    name: 'Carl',
    metadata: 'm',
    attributes: { tier: 'gold' },
    ttlSeconds: 60,
    listenOnly: true,
    agents: [{ agentName: 'anna', metadata: 'order-7' }, { agentName: 'otto' }],
  });
  const claims = decodeJwt(token) as Record<string, unknown> & { exp: number; nbf: number; video: object };
  assert.deepEqual(
    { ...claims.video },
    {
      roomJoin: true,
      room: 'desk',
      canSubscribe: true,
      canPublish: false,
      canPublishData: false,
      canUpdateOwnMetadata: false,
    },
  );
  assert.deepEqual(
    [claims.name, claims.metadata, claims.attributes, claims.exp - claims.nbf],
    ['Carl', 'm', { tier: 'gold' }, 60],
  );
  const { agents } = claims.roomConfig as { agents: Record<string, unknown>[] };
  assert.deepEqual(
    agents.map((one) => [one.agentName, one.metadata]),
    [
      ['anna', 'order-7'],
      ['otto', ''],
    ],
  );
});

test('what would be too wide or too long is refused', async () => {
  const bad = [
    { room: '', identity: 'a' },
    { room: 'r', identity: '' },
    { room: 'r'.repeat(257), identity: 'a' },
    { room: 'r', identity: 'a', ttlSeconds: 0 },
    { room: 'r', identity: 'a', ttlSeconds: 86_401 },
    { room: 'r', identity: 'a', ttlSeconds: 1.5 },
    { room: 'r', identity: 'a', ttlSeconds: Number.NaN },
  ];
  for (const options of bad) await assert.rejects(callerToken(credentials, options), RangeError);
});

test('the worker asks for the right to be a worker only; an agent for its own room', async () => {
  const tokens = createTokenSource(credentials);
  const worker = decodeJwt(await tokens.worker()) as Record<string, unknown> & { exp: number; nbf: number };
  assert.deepEqual([worker.video, worker.sub, worker.exp - worker.nbf], [{ agent: true }, undefined, 600]);
  const participant = { identity: 'anna-1', name: 'Anna', metadata: 'm', attributes: { mood: 'calm' } };
  const agent = decodeJwt(
    await tokens.agent('desk', 'anna', participant, {
      ...DEFAULT_PERMISSIONS,
      hidden: true,
      canUpdateMetadata: false,
    }),
  ) as Record<string, unknown>;
  assert.deepEqual(agent.video, {
    roomJoin: true,
    room: 'desk',
    agent: true,
    canSubscribe: true,
    canPublish: true,
    canPublishData: true,
    canUpdateOwnMetadata: false,
    hidden: true,
  });
  assert.deepEqual(
    [agent.kind, agent.sub, agent.attributes],
    ['agent', 'anna-1', { mood: 'calm', 'lk.agent_name': 'anna' }],
  );
});
