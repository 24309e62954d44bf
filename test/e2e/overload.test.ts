// A server whose machine is taken away again and again: it refuses calls while those that go on suffer, and takes them again afterwards.
// real time: a program is stopped and continued by signals, and its lateness is measured. Nothing else runs meanwhile (scripts/test-schedule.ts).
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { endAll, HOSTS, type HostName, serve } from './program.ts';
import { dial } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';
import { until } from './until.ts';

after(endAll);

interface Admission {
  readonly open: boolean;
  readonly reason: string | null;
}

async function overload(host: HostName): Promise<void> {
  const env = { SYRINX_CAPACITY_LATE_FRAME_SHARE: '0.02', SYRINX_CAPACITY_LOOP_LAG_MS: '100' };
  const server = await serve(host, [], { env });
  const call = await dial(`${server.socketUrl}?rate=16000`);
  await call.notice('ready');
  const open = async () => {
    const status = (await (await fetch(`${server.url}/status`)).json()) as { admission: Admission };
    return status.admission;
  };
  // The starts of the others are over.
  await until('an open door', 20_000, async () => (await open()).open);
  const speaking = call.speak(new Int16Array(16_000 * 12));
  // The machine is taken away again and again: 300 ms of each 350.
  for (let i = 0; i < 12; i++) {
    server.program.signal('SIGSTOP');
    await new Promise((go) => setTimeout(go, 300));
    server.program.signal('SIGCONT');
    await new Promise((go) => setTimeout(go, 50));
  }
  await until('a closed door', 3000, async () => !(await open()).open);
  assert.match(String((await open()).reason), /late-frames|loop-lag/);
  await assert.rejects(dial(`${server.socketUrl}?rate=16000`), /HTTP 503 retry-after \d+: .*(late|busy)/);
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 503);
  await until('an open door', 20_000, async () => (await open()).open);
  const next = await dial(`${server.socketUrl}?rate=16000`);
  await next.notice('ready');
  for (const one of [call, next]) one.say({ type: 'bye' });
  await Promise.all([speaking, call.closed, next.closed]);
  server.program.signal('SIGTERM');
  assert.equal((await server.program.exit()).code, 0);
}

describe('a server on a machine that is taken away', { concurrency: 4 }, () => {
  for (const host of HOSTS)
    void test(`calls are refused while those that go on suffer, on ${host}`, () =>
      onSteadyMachine(() => overload(host)));
});
