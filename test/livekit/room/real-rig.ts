// What tests with a real livekit-server begin with: the server, and a caller in a process of its own.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { disposeNative } from '../../../src/livekit/room/native.ts';
import { systemClock } from '../../../src/runner/clock.ts';
import { type Caller, startCaller } from './caller.ts';
import { type RealServer, startRealServer, whyNot } from './real-server.ts';

export const skip = (await whyNot()) ?? false;
/** Other processes take their time. */
export const real = { skip, timeout: 90_000 };
export const AGENT = { agent: true, canUpdateOwnMetadata: true } as const;

/** Started before the first test of the file that asks, ended after the last one. */
export function startRealParts(started: (server: RealServer, caller: Caller) => void): void {
  let server: RealServer | undefined;
  let caller: Caller | undefined;
  before(async () => {
    if (skip !== false) return;
    server = await startRealServer();
    caller = await startCaller();
    started(server, caller);
  });
  after(async () => {
    await caller?.exit();
    await server?.stop();
    assert.ok(await disposeNative(systemClock), 'nothing holds the native library');
  });
}
