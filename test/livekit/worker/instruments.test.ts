// The worker's figures: each of them moves when what it counts happens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench } from './bench.ts';

/** Everything that there is to count happens once at least. */
async function eventful() {
  const bench = createBench({
    admission: { maxSessions: 2 },
    agent: { accept: ({ id }) => (id === 'AJ_no' ? { accept: false } : { accept: true }) },
  });
  const first = await bench.registered();
  first.raw(new Uint8Array([0xff]));
  await bench.clock.advance(5000);
  first.offer('AJ_no');
  first.offer('AJ_1');
  first.assign('AJ_1');
  await bench.jobs[0]?.end();
  first.offer('AJ_2');
  first.assign('AJ_2');
  await bench.jobs[1]?.end({ status: 'failed', error: 'line broke' });
  first.offer('AJ_missing');
  await bench.clock.advance(7500);
  first.offer('AJ_stuck');
  first.assign('AJ_stuck');
  first.terminate('AJ_stuck');
  await bench.clock.advance(17_000);
  first.close();
  await bench.clock.advance(500);
  const link = bench.links.last.open().register();
  link.offer('AJ_3');
  link.assign('AJ_3');
  link.offer('AJ_4');
  return bench;
}

test('offers, answers, waits, ends, losses, outages, load, scale-up and drain are measured', async () => {
  const bench = await eventful();
  const of = (name: string, labels?: Record<string, string>) => bench.metric(name, labels);
  assert.deepEqual(
    {
      offers: of('offers'),
      accepted: of('offers.accepted'),
      declined: of('offers.refused', { reason: 'declined' }),
      missing: of('assignments.missing'),
      succeeded: of('jobs.ended', { outcome: 'success' }),
      failed: of('jobs.ended', { outcome: 'failed' }),
      abandoned: of('jobs.abandoned'),
      running: of('jobs.running'),
      reserved: of('jobs.reserved'),
      losses: of('connection.losses', { cause: 'closed' }),
      reconnects: of('reconnects'),
      outage: of('outage'),
      registrations: of('registrations'),
      ignored: of('messages.ignored', { what: 'garbage' }),
      load: of('load'),
      scaleUp: of('scale.up'),
      draining: of('draining'),
    },
    {
      offers: 7,
      accepted: 6,
      declined: 1,
      missing: 1,
      succeeded: 1,
      failed: 2,
      abandoned: 1,
      running: 1,
      reserved: 1,
      losses: 1,
      reconnects: 1,
      outage: 0.5,
      registrations: 1,
      ignored: 1,
      load: 0.7,
      scaleUp: 1,
      draining: 0,
    },
  );
  void bench.worker.drain(1000);
  assert.deepEqual([of('draining'), of('load')], [1, 1]);
});

test('times are measured: from the offer to the assignment, of a whole job, of a ping', async () => {
  const { registry } = await eventful();
  for (const [name, atLeast] of [
    ['assignment.wait', 4],
    ['jobs.duration', 3],
    ['ping', 1],
  ] as const) {
    const family = registry.families().find((one) => one.name === `syrinx.livekit.${name}`);
    const handle = family?.series[0]?.handle;
    assert.ok(handle !== undefined && 'sketch' in handle, name);
    assert.ok(handle.sketch.count >= atLeast, `${name}: ${handle.sketch.count}`);
  }
});
