// What can happen to the agent's own line, on a real livekit-server: the scenarios that LiveKit simulates, and a server that dies.
// real time: a real server's outages last as long as they last.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Room } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { loadNative, type Native } from '../../../src/livekit/room/native.ts';
import { nativeConnect } from '../../../src/livekit/room/native-connection.ts';
import type { RoomEvent } from '../../../src/livekit/room/room-observer.ts';
import { RoomTransport } from '../../../src/livekit/room/room-transport.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import type { Caller } from './caller.ts';
import { AGENT, real, startRealParts } from './real-rig.ts';
import { KEY, pause, type RealServer, SECRET, until } from './real-server.ts';

let server: RealServer;
let caller: Caller;
startRealParts((...started) => {
  [server, caller] = started;
});

/** The agent's voice; stopped also when a test fails in the middle. */
let timer: ReturnType<typeof setInterval> | undefined;
after(() => clearInterval(timer));

/** rtc-node's room under the transport: only it can simulate. */
let roomOfAgent: Room | null = null;
function watched(native: Native): Native {
  class Watched extends native.sdk.Room {
    constructor() {
      super();
      roomOfAgent = this;
    }
  }
  return { ...native, sdk: { ...native.sdk, Room: Watched } as Native['sdk'] };
}

/** A call in which the agent talks without end. */
async function talking(name: string, token?: string) {
  const support = await loadNative();
  if (!support.rtc) throw new Error(support.reason);
  const events: RoomEvent[] = [];
  const heard = { packets: 0, loud: 0, closed: [] as string[] };
  const transport = new RoomTransport({
    connect: nativeConnect(watched(support.native)),
    clock: systemClock,
    random: Math.random,
    url: server.url,
    token: token ?? (await server.token('agent', name, AGENT)),
    mintToken: (room, identity) => server.token(identity, room, AGENT),
    observer: { event: (event) => events.push(event) },
  });
  transport.bind({
    audio(packet) {
      heard.packets++;
      const samples = new Int16Array(packet.buffer, packet.byteOffset, packet.length >> 1);
      if (samples.some((s) => Math.abs(s) > 1000)) heard.loud++;
    },
    played: () => {},
    text: () => {},
    dtmf: () => {},
    close: (reason) => heard.closed.push(reason),
  });
  await transport.open();
  const since = caller.told.length;
  caller.do('join', { url: server.url, token: await server.token('ada', name), again: true });
  await caller.hears('joined', 10_000, since);
  await until('the line', 5000, () => transport.leadMs > 0);
  const block = Int16Array.from({ length: 480 }, (_, i) => 8000 * Math.sin(i * 0.1));
  let playEndMs = 0;
  timer = setInterval(() => {
    const nowMs = systemClock.now();
    while (Math.max(playEndMs, nowMs) - nowMs < transport.leadMs) {
      transport.play(block);
      playEndMs = Math.max(playEndMs, nowMs) + 20;
    }
  }, 20);
  await caller.hears('sound', 5000, since, (t) => t.on === true);
  return {
    ...{ transport, events, heard },
    /** Both hear each other, and the call has not ended. */
    async goesOn(after: number) {
      await until('the line again', 20_000, () => transport.leadMs > 0 && transport.room.caller !== null);
      await until('the voice at the ear', 20_000, () => {
        const last = caller.told.findLast((t, i) => i >= after && t.event === 'sound');
        return last?.on === true || (last === undefined && transport.leadMs > 0);
      });
      heard.loud = 0;
      caller.do('tone', { ms: 300 });
      await until("the caller's voice", 10_000, () => heard.loud > 5);
      assert.deepEqual(heard.closed, []);
    },
    async end() {
      clearInterval(timer);
      const told = caller.told.length;
      caller.do('leave');
      await caller.hears('left', 5000, told);
      transport.close('finished');
      await transport.done;
    },
  };
}
async function simulate(kind: string): Promise<void> {
  const support = await loadNative();
  assert.ok(support.rtc);
  const { SimulateScenarioKind } = support.native.bindings as unknown as {
    SimulateScenarioKind: Record<string, number>;
  };
  const number = SimulateScenarioKind[kind];
  assert.notEqual(number, undefined, 'LiveKit still knows this scenario');
  await roomOfAgent?.simulateScenario(number as never);
}
const types = (events: readonly RoomEvent[]) => events.map((e) => e.type);

for (const [scenario, kind, by] of [
  ['signalling lost', 'SIMULATE_SIGNAL_RECONNECT', 'sdk'],
  ['full reconnect', 'SIMULATE_FULL_RECONNECT', 'sdk'],
  ['node failure', 'SIMULATE_NODE_FAILURE', 'sdk'],
  ['the server says leave', 'SIMULATE_SERVER_LEAVE', 'rejoin'],
] as const) {
  test(`${scenario}: the call goes on`, real, async () => {
    const call = await talking(kind);
    const told = caller.told.length;
    await simulate(kind);
    await until('the recovery', 20_000, () => call.events.some((e) => e.type === 'recovered' && e.by === by));
    await call.goesOn(told);
    assert.ok(!types(call.events).includes('ended'));
    await call.end();
  });
}

// What the server does of itself to a line, all in one call, one after the other; each leaves both hearing each other.
test('speaker news, another way for the media, a migration: the call goes on', real, async (t) => {
  const call = await talking('others');
  for (const kind of ['SIMULATE_SPEAKER', 'SIMULATE_FORCE_TCP', 'SIMULATE_MIGRATION']) {
    const told = caller.told.length;
    const from = call.events.length;
    await simulate(kind);
    await pause(1500);
    await until(`the end of ${kind}`, 20_000, () => call.transport.leadMs > 0);
    await call.goesOn(told);
    t.diagnostic(`${kind}: ${types(call.events.slice(from)).join(' ')}`);
  }
  assert.ok(!types(call.events).includes('ended'));
  await call.end();
});

// The SDK builds its connection anew then, and its server does not answer when it publishes our voice again.
test('a resume that is broken off: the agent is heard again', real, async (t) => {
  const call = await talking('broken-off');
  const told = caller.told.length;
  await simulate('SIMULATE_DISCONNECT_SIGNAL_ON_RESUME');
  await simulate('SIMULATE_SIGNAL_RECONNECT');
  await until('the recovery', 40_000, () => types(call.events).includes('recovered'));
  await call.goesOn(told);
  t.diagnostic(types(call.events).join(' '));
  await call.end();
});

test('the server is killed and is back after a second: SDK or rejoin, the call goes on', real, async () => {
  const call = await talking('killed');
  const told = caller.told.length;
  await server.kill();
  await until('the loss', 5000, () => types(call.events).includes('reconnecting'));
  await server.start();
  await until('the recovery', 40_000, () => types(call.events).includes('recovered'));
  await until('the caller again', 40_000, () => call.transport.room.caller !== null);
  // Her own line was down as well: what she says before it sends, nobody can hear.
  await caller.hears('sending', 40_000, told);
  call.heard.packets = 0;
  await until('her silence', 10_000, () => call.heard.packets > 0);
  await call.goesOn(told);
  await call.end();
});

test('a token that has run out: a full reconnect goes through', real, async () => {
  const token = new AccessToken(KEY, SECRET, { identity: 'agent', ttl: 2 });
  token.kind = 'agent';
  token.addGrant({ roomJoin: true, room: 'expired', canPublish: true, canSubscribe: true, ...AGENT });
  const call = await talking('expired', await token.toJwt());
  await pause(2500);
  const told = caller.told.length;
  await simulate('SIMULATE_FULL_RECONNECT');
  await until('the recovery', 20_000, () => types(call.events).includes('recovered'));
  await call.goesOn(told);
  await call.end();
});
