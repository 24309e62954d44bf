// The native library is given back when the process ends, also where a server does not let go of a room.
// real time: only a real library waits for a real server.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { disposeNative, loadNative, type Native } from '../../../src/livekit/room/native.ts';
import { nativeConnect } from '../../../src/livekit/room/native-connection.ts';
import { RoomTransport } from '../../../src/livekit/room/room-transport.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { inTime, type RealServer, startRealServer, whyNot } from './real-server.ts';

const skip = (await whyNot()) ?? false;
let server: RealServer | undefined;
after(() => server?.stop());

test('a server that is frozen while our voice is published: the call ends, and the process is not kept', {
  skip,
  timeout: 60_000,
}, async () => {
  const support = await loadNative();
  assert.ok(support.rtc);
  const started = await startRealServer();
  server = started;
  let freeze: () => void = () => {};
  const frozen = new Promise<void>((resolve) => {
    freeze = () => {
      started.signal('SIGSTOP');
      resolve();
    };
  });
  class Freezing extends support.native.sdk.Room {
    override async connect(...where: Parameters<InstanceType<Native['sdk']['Room']>['connect']>) {
      await super.connect(...where);
      freeze();
    }
  }
  const native = { ...support.native, sdk: { ...support.native.sdk, Room: Freezing } as Native['sdk'] };
  const transport = new RoomTransport({
    connect: nativeConnect(native),
    clock: systemClock,
    random: Math.random,
    url: started.url,
    token: await started.token('agent', 'room', { agent: true }),
    mintToken: (room, identity) => started.token(identity, room, { agent: true }),
  });
  const opening = assert.rejects(transport.open(), /No longer wanted/);
  await inTime('the join', 10_000, frozen);
  transport.close('finished');
  await opening;
  assert.equal(await inTime('the end of the call', 5000, transport.done), 'finished');
  assert.equal(await inTime('the library', 5000, disposeNative(systemClock)), false, 'it is given up');
});
