// Telephone on a real LiveKit server with Redis, as far as it goes without a SIP service: trunks, rights, and errors that say what to do.
// real time: the server waits for a SIP service before it says that there is none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AccessToken, SipClient } from 'livekit-server-sdk';
import { createLiveKitApi, type LiveKitApi } from '../../../src/livekit/index.ts';
import { KEY, type RealServer, SECRET, startRealServer } from '../room/real-server.ts';
import { noServer, signIn } from '../worker/real-worker.ts';
import { type Redis, startRedis, whyNoRedis } from './redis.ts';

const skip = noServer === false ? (whyNoRedis() ?? false) : noServer;
const NUMBER = '+15105550111';
/** Well above what the server needs to find out, far below the 30 s that a telephone may ring. */
const BOUND_MS = 8000;

let redis: Redis;
let server: RealServer;
let api: LiveKitApi;
let trunkId = '';
before(async () => {
  if (skip !== false) return;
  redis = await startRedis();
  server = await startRealServer(redis.yaml);
  api = createLiveKitApi({ server: server.url, apiKey: KEY, apiSecret: SECRET });
});
after(async () => {
  if (skip !== false) return;
  await server.stop();
  await redis.stop();
});

function real(name: string, run: () => Promise<void>): void {
  void test(name, { skip, timeout: 60_000 }, run);
}

/** Rejects as wanted, and within the bound. */
async function fails(ask: () => Promise<unknown>, wanted: object): Promise<void> {
  const startMs = performance.now();
  await assert.rejects(ask, { name: 'LiveKitApiError', ...wanted });
  assert.ok(performance.now() - startMs < BOUND_MS);
}

real('the server keeps trunks: the one that is made is listed', async () => {
  const sip = new SipClient(server.http, KEY, SECRET);
  const made = await sip.createSipOutboundTrunk('desk line', 'sip.example.com', ['+15105550100'], { transport: 0 });
  trunkId = made.sipTrunkId;
  assert.match(trunkId, /^ST_\w+$/);
  const listed = await sip.listSipOutboundTrunk();
  assert.deepEqual(
    listed.map(({ sipTrunkId, name, numbers }) => [sipTrunkId, name, numbers]),
    [[trunkId, 'desk line', ['+15105550100']]],
  );
});

real('a call without a SIP service ends soon, and says what is missing', async () => {
  const request = { trunkId, number: NUMBER, room: 'desk', identity: 'phone' };
  const wanted = { kind: 'sip', sipStatus: undefined, message: /^no SIP service answers: run livekit-sip/ };
  await fails(() => api.sip.call(request), wanted);
  await fails(() => api.sip.call({ ...request, waitUntilAnswered: false, ringingTimeoutSeconds: 5 }), wanted);
});

real('a call that the server itself refuses says why', async () => {
  const request = { trunkId, number: NUMBER, room: 'desk', identity: 'phone' };
  await fails(() => api.sip.call({ ...request, trunkId: 'ST_none' }), { kind: 'not-found', message: /trunk/ });
  await fails(() => api.sip.call({ ...request, number: '' }), { kind: 'invalid', message: /number/ });
  await fails(() => api.sip.call({ ...request, room: '' }), { kind: 'invalid', message: /^room: wanted/ });
  await fails(() => api.sip.call({ ...request, ringingTimeoutSeconds: 1.5 }), {
    kind: 'invalid',
    message: /^ringing: /,
  });
});

real('a transfer: nobody there, nobody with a telephone, no address, no SIP service', async () => {
  const transfer = (identity: string, to: string) => () => api.sip.transfer({ room: 'desk', identity, to });
  await api.rooms.create({ name: 'desk' });
  await fails(transfer('nobody', 'tel:+15105550199'), { kind: 'not-found', message: /participant/ });
  const leaves = [await signIn(server.url, await api.callerToken({ room: 'desk', identity: 'carl' }))];
  await fails(transfer('carl', 'tel:+15105550199'), { kind: 'invalid', message: /no SIP session/ });
  await fails(transfer('carl', 'nonsense'), { kind: 'invalid', message: /URI/ });
  // What a SIP service gives to those that it brings in.
  const token = new AccessToken(KEY, SECRET, { identity: 'phone', attributes: { 'sip.callID': 'SCL_1' } });
  token.addGrant({ roomJoin: true, room: 'desk' });
  leaves.push(await signIn(server.url, await token.toJwt()));
  await fails(transfer('phone', 'tel:+15105550199'), { kind: 'sip', message: /^no SIP service answers/ });
  for (const leave of leaves) leave();
});

void test('a server without Redis says that telephone needs one', { skip, timeout: 60_000 }, async () => {
  const plain = await startRealServer();
  try {
    const bare = createLiveKitApi({ server: plain.url, apiKey: KEY, apiSecret: SECRET });
    const request = { trunkId: 'ST_1', number: NUMBER, room: 'desk', identity: 'phone' };
    await fails(() => bare.sip.call(request), { kind: 'sip', message: /has no Redis/ });
  } finally {
    await plain.stop();
  }
});
