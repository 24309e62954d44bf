// Whose call it is: the choice of the caller, hang-ups, losses, and rebuilt connections that report everybody as gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallerLink, DEFAULT_CALLER_LIMITS } from '../../../src/livekit/room/caller-link.ts';
import { peer, VirtualClock } from './virtual-room.ts';

function setUp(pinned?: string) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const link = new CallerLink(pinned, clock, DEFAULT_CALLER_LIMITS, {
    linked: ({ identity }, again) => log.push(`${again ? 'again' : 'linked'} ${identity}`),
    lost: ({ identity }, reason) => log.push(`lost ${identity}: ${reason}`),
    gone: (reason) => log.push(`gone: ${reason}`),
  });
  return { clock, log, link };
}

test('the first who is no agent is the caller', () => {
  const { log, link } = setUp();
  link.connected([peer('recorder', 'other'), peer('helper', 'agent'), peer('ada'), peer('bob')]);
  assert.deepEqual(log, ['linked ada']);
  assert.equal(link.caller?.identity, 'ada');
});

test('a caller who is named is waited for, whoever else is there', () => {
  const { log, link } = setUp('bob');
  link.connected([peer('ada')]);
  link.joined(peer('bob'));
  assert.deepEqual(log, ['linked bob']);
});

test('nobody comes: the agent gives up', async () => {
  const { clock, log, link } = setUp();
  link.connected([]);
  await clock.pass(299_000);
  assert.deepEqual(log, []);
  await clock.pass(1000);
  assert.deepEqual(log, ['gone: no caller came']);
});

test('who leaves in due form has hung up after a moment, and may reload the page within it', async () => {
  const { clock, log, link } = setUp();
  link.connected([peer('ada'), peer('bob')]);
  link.left('ada', 'left');
  await clock.pass(4900);
  link.joined(peer('ada'));
  await clock.pass(60_000);
  link.left('ada', 'left');
  await clock.pass(5000);
  assert.deepEqual(log, ['linked ada', 'lost ada: left', 'again ada', 'lost ada: left', 'gone: caller hung up']);
});

test('a telephone is hung up at once', async () => {
  const { clock, log, link } = setUp();
  link.connected([peer('phone', 'sip')]);
  link.left('phone', 'left');
  await clock.pass(300);
  assert.deepEqual(log.slice(1), ['lost phone: left', 'gone: caller hung up']);
});

test('who is lost may come back for two minutes; bystanders do not become the caller, newcomers may', async () => {
  const { clock, log, link } = setUp();
  link.connected([peer('ada'), peer('bystander')]);
  link.left('ada', 'connection lost');
  await clock.pass(119_000);
  link.joined(peer('bystander'));
  assert.equal(link.isWaiting, true, 'still without a caller');
  link.joined(peer('ada-2'));
  assert.equal(link.caller?.identity, 'ada-2');
  link.left('ada-2', 'connection lost');
  await clock.pass(120_000);
  assert.deepEqual(log.slice(-2), ['lost ada-2: connection lost', 'gone: caller lost']);
});

test('two devices with one identity: the second takes over', () => {
  const { log, link } = setUp();
  link.connected([peer('ada')]);
  link.joined(peer('ada'));
  assert.deepEqual(log, ['linked ada'], 'no loss where the new one comes first');
  link.left('ada', 'duplicate identity');
  link.joined(peer('ada'));
  assert.deepEqual(log.slice(1), ['lost ada: duplicate identity', 'again ada']);
});

for (const [when, gapMs] of [
  ['before', -150],
  ['during', 150],
] as const) {
  test(`everybody is reported as gone ${when} our own reconnect: no hang-up`, async () => {
    const { clock, log, link } = setUp();
    link.connected([peer('ada')]);
    await clock.pass(10_000);
    if (gapMs > 0) link.reconnecting();
    else link.left('ada', 'left');
    await clock.pass(Math.abs(gapMs));
    if (gapMs > 0) link.left('ada', 'left');
    else link.reconnecting();
    await clock.pass(60_000);
    link.reconnected();
    await clock.pass(119_000);
    assert.deepEqual(log, ['linked ada', 'lost ada: left']);
    link.joined(peer('ada'));
    assert.equal(log.at(-1), 'again ada');
  });
}

test('shortly after our own reconnect nobody is believed to have hung up', async () => {
  const { clock, log, link } = setUp();
  link.connected([peer('ada')]);
  link.reconnecting();
  link.reconnected();
  await clock.pass(900);
  link.left('ada', 'left');
  await clock.pass(60_000);
  assert.equal(log.includes('gone: caller hung up'), false);
  link.joined(peer('ada'));
  await clock.pass(1000);
  link.left('ada', 'left');
  await clock.pass(5000);
  assert.equal(log.at(-1), 'gone: caller hung up');
});

test('a rejoin: the caller is there already, comes later, or never', async () => {
  const { clock, log, link } = setUp();
  link.connected([peer('ada')]);
  link.disconnected();
  await clock.pass(180_000);
  link.connected([peer('ada')]);
  link.disconnected();
  link.connected([]);
  await clock.pass(110_000);
  link.joined(peer('ada'));
  link.disconnected();
  link.connected([]);
  await clock.pass(120_000);
  assert.deepEqual(log, [
    'linked ada',
    'lost ada: connection lost',
    'again ada',
    'lost ada: connection lost',
    'again ada',
    'lost ada: connection lost',
    'gone: caller lost',
  ]);
});

test('after the end nothing happens', async () => {
  const { clock, log, link } = setUp();
  link.connected([]);
  link.close();
  link.joined(peer('ada'));
  await clock.pass(1_000_000);
  assert.deepEqual(log, []);
  assert.equal(clock.pending, 0);
});
