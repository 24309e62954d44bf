// The HTTP API against a stand-in: what is asked, with which right, and what becomes of every kind of failure.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { createLiveKitApi } from '../../../src/livekit/api.ts';
import { asApiError, LiveKitApiError } from '../../../src/livekit/api-error.ts';
import { startTwirpServer, type TwirpAnswer, type TwirpServer } from './twirp-server.ts';

const credentials = { apiKey: 'key', apiSecret: 'secret-secret-secret-secret-secret' };
let server: TwirpServer;
let answer: TwirpAnswer = {};

before(async () => {
  server = await startTwirpServer(() => answer);
});
after(() => server.stop());

function api(timeoutMs = 5000) {
  return createLiveKitApi({ server: server.url, ...credentials, timeoutMs });
}
/** The last request, with the rights that its token carried. */
function last() {
  const call = server.calls.at(-1);
  assert.ok(call);
  const claims = decodeJwt(call.headers.authorization?.replace('Bearer ', '') ?? '') as Record<string, unknown>;
  return {
    method: call.path.replace('/twirp/livekit.', ''),
    body: call.body,
    video: claims.video,
    sip: claims.sip,
    claims,
  };
}

test('a telephone call is made with the right to call, and waits for the answer', async () => {
  answer = { body: { participant_id: 'PA_1', sip_call_id: 'SCL_1' } };
  const made = await api().sip.call({
    trunkId: 'ST_1',
    number: '+15105550100',
    room: 'desk',
    identity: 'phone',
    attributes: { order: '7' },
    dtmf: 'ww12#',
    ringingTimeoutSeconds: 20,
    maxDurationSeconds: 600,
  });
  assert.deepEqual(made, { participantSid: 'PA_1', sipCallId: 'SCL_1' });
  const { method, body, sip } = last();
  assert.equal(method, 'SIP/CreateSIPParticipant');
  assert.deepEqual(sip, { call: true });
  assert.deepEqual(
    [body.sipTrunkId, body.sipCallTo, body.roomName, body.participantIdentity, body.participantAttributes, body.dtmf],
    ['ST_1', '+15105550100', 'desk', 'phone', { order: '7' }, 'ww12#'],
  );
  assert.deepEqual([body.waitUntilAnswered, body.ringingTimeout, body.maxCallDuration], [true, '20s', '600s']);
});

test('a call is handed on with the right over its room only', async () => {
  answer = {};
  await api().sip.transfer({ room: 'desk', identity: 'phone', to: 'tel:+15105550199', playDialtone: true });
  const { method, body, video, sip } = last();
  assert.equal(method, 'SIP/TransferSIPParticipant');
  assert.deepEqual([video, sip], [{ roomAdmin: true, room: 'desk' }, { call: true }]);
  assert.deepEqual(
    [body.roomName, body.participantIdentity, body.transferTo, body.playDialtone],
    ['desk', 'phone', 'tel:+15105550199', true],
  );
});

test('a call that the far end refuses says how', async () => {
  const meta = { sip_status_code: '486', sip_status: 'Busy Here' };
  answer = { status: 408, body: { code: 'deadline_exceeded', msg: 'call failed', meta } };
  const request = { trunkId: 'ST_1', number: '+1', room: 'desk', identity: 'phone' };
  const busy = { name: 'LiveKitApiError', kind: 'sip', sipStatus: 486, message: /486 Busy Here/ };
  await assert.rejects(api().sip.call(request), busy);
  await assert.rejects(api().sip.transfer({ room: 'desk', identity: 'phone', to: 'tel:+1' }), busy);
});

test('a server that no SIP service belongs to says so, with what to do', async () => {
  const request = { trunkId: 'ST_1', number: '+1', room: 'desk', identity: 'phone' };
  const missing = [
    [
      { status: 503, body: { code: 'unavailable', msg: 'twirp error unknown: no response from servers' } },
      /livekit-sip/,
    ],
    [{ status: 500, body: { code: 'internal', msg: 'sip not connected (redis required)' } }, /has no Redis/],
  ] as const;
  for (const [given, message] of missing) {
    answer = given;
    const wanted = { kind: 'sip', sipStatus: undefined, message };
    await assert.rejects(api().sip.call(request), wanted);
    await assert.rejects(api().sip.transfer({ room: 'desk', identity: 'phone', to: 'tel:+1' }), wanted);
  }
});

test('what no server can take is refused before it is asked', async () => {
  const asked = server.calls.length;
  const invalid = { name: 'LiveKitApiError', kind: 'invalid' };
  const call = { trunkId: 'ST_1', number: '+1', room: 'desk', identity: 'phone' };
  for (const room of ['', 'x'.repeat(257)]) {
    await assert.rejects(api().rooms.create({ name: room }), { ...invalid, message: /^room: wanted 1 to 256/ });
    await assert.rejects(api().dispatch.create(room, { agentName: 'anna' }), invalid);
    await assert.rejects(api().sip.call({ ...call, room }), invalid);
  }
  for (const seconds of [0, -5, 1.5, Number.NaN, 86_401]) {
    await assert.rejects(api().rooms.create({ name: 'desk', emptyTimeoutSeconds: seconds }), invalid);
    await assert.rejects(api().sip.call({ ...call, maxDurationSeconds: seconds }), invalid);
    await assert.rejects(
      api().sip.transfer({ room: 'desk', identity: 'phone', to: 'tel:+1', ringingTimeoutSeconds: seconds }),
      invalid,
    );
  }
  assert.equal(server.calls.length, asked);
});

test('dispatches carry metadata and attributes, with the right over their room only', async () => {
  answer = { body: { id: 'AD_1', agent_name: 'anna', room: 'desk', metadata: 'm', state: { jobs: [{ id: 'AJ_1' }] } } };
  const expected = { id: 'AD_1', agentName: 'anna', room: 'desk', metadata: 'm', jobs: 1 };
  assert.deepEqual(await api().dispatch.create('desk', { agentName: 'anna', metadata: 'm' }), expected);
  assert.deepEqual(last().video, { roomAdmin: true, room: 'desk' });
  assert.deepEqual([last().body.agentName, last().body.metadata, last().body.room], ['anna', 'm', 'desk']);
  const attributes = { tier: 'gold' };
  assert.deepEqual(await api().dispatch.create('desk', { agentName: 'anna', attributes }), expected);
  assert.equal(last().method, 'AgentDispatchService/CreateDispatch');
  assert.deepEqual([last().body.attributes, last().video], [attributes, { roomAdmin: true, room: 'desk' }]);
});

test('rooms are made with what was given and nothing else', async () => {
  answer = { body: { sid: 'RM_1', name: 'desk', metadata: '', num_participants: 2, creation_time: '1800000000' } };
  const made = await api().rooms.create({ name: 'desk', emptyTimeoutSeconds: 30, agents: [{ agentName: 'anna' }] });
  assert.deepEqual(made, { sid: 'RM_1', name: 'desk', metadata: '', participants: 2, createdAtMs: 1_800_000_000_000 });
  assert.deepEqual(last().video, { roomCreate: true });
  assert.deepEqual([last().body.emptyTimeout, last().body.departureTimeout], [30, undefined]);
  answer = { body: { rooms: [{ sid: 'RM_1', name: 'desk' }] } };
  assert.equal((await api().rooms.list(['desk']))[0]?.name, 'desk');
  assert.deepEqual([last().body.names, last().video], [['desk'], { roomList: true }]);
  answer = {
    body: {
      participants: [
        { sid: 'PA_1', identity: 'anna-1', kind: 'AGENT', attributes: { 'lk.agent_name': 'anna' } },
        { sid: 'PA_2', identity: 'carl', kind: 'SIP', attributes: { 'lk.agent_name': 'anna' } },
      ],
    },
  };
  assert.deepEqual(await api().rooms.participants('desk'), [
    { sid: 'PA_1', identity: 'anna-1', isAgent: true, agentName: 'anna' },
    { sid: 'PA_2', identity: 'carl', isAgent: false, agentName: '' },
  ]);
});

test('each failure has its kind, and no message repeats a token', async () => {
  const cases: [TwirpAnswer, string, RegExp][] = [
    [
      { status: 401, body: { msg: 'invalid token: eyJhbGciOi.eyJ2aWRl.AYvev-_x, error: bad' } },
      'auth',
      /^invalid token: \*\*\*, error: bad$/,
    ],
    [{ status: 403, body: { code: 'permission_denied', msg: 'no' } }, 'auth', /^no$/],
    [{ status: 404, body: { code: 'not_found', msg: 'twirp error unknown: gone' } }, 'not-found', /^gone$/],
    [
      { status: 503, body: { code: 'unavailable', msg: 'twirp error unknown: no response from servers' } },
      'not-found',
      /room is not known/,
    ],
    [{ status: 404, body: {} }, 'connection', /./],
    [{ status: 400, body: { code: 'invalid_argument', msg: 'bad' } }, 'invalid', /^bad$/],
    [{ status: 503, body: { code: 'unavailable', msg: 'later' } }, 'connection', /^later$/],
    [{ status: 500, body: { code: 'internal', msg: 'oops' } }, 'server', /^oops$/],
  ];
  for (const [given, kind, message] of cases) {
    answer = given;
    await assert.rejects(api().rooms.list(), { name: 'LiveKitApiError', kind, message });
    await assert.rejects(api().dispatch.create('r', { agentName: 'a', attributes: { k: 'v' } }), { kind, message });
  }
});

test('silence and absence are told from an answer', async () => {
  answer = { silent: true };
  await assert.rejects(api(50).rooms.list(), { kind: 'connection', message: 'no answer in time' });
  const nobody = createLiveKitApi({ server: 'ws://127.0.0.1:1', ...credentials });
  await assert.rejects(nobody.rooms.list(), { kind: 'connection' });
  await assert.rejects(nobody.dispatch.create('r', { agentName: 'a', attributes: {} }), { kind: 'connection' });
});

test('anything can be thrown', () => {
  for (const thrown of [undefined, null, 7, 'text', {}, new Error('x'.repeat(5000))]) {
    const error = asApiError(thrown);
    assert.ok(error instanceof LiveKitApiError && error.message.length <= 300);
    assert.equal(asApiError(error), error);
  }
});
