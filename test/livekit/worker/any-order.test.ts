// A server that says anything at any time: the worker never throws, never takes more than it has room for, and always ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBench } from './bench.ts';
import { JobStatus } from './fake-link.ts';
import { settle } from './virtual-clock.ts';

const PLACES = 3;
const id = fc.nat(5).map((n) => `AJ_${n}`);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('offer' as const), id }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('assign' as const), id, token: fc.constantFrom('t', '') }) },
  { weight: 16, arbitrary: fc.record({ do: fc.constant('call' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('terminate' as const), id }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat(9), how: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('raw' as const), bytes: fc.uint8Array({ maxLength: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('text' as const), text: fc.string({ maxLength: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'open' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'register' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 300, 3000, 9000) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'drain' as const }) },
);

let jobsSeen = 0;

test('any order of messages, losses and ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
      async (isRegistered, steps) => {
        const bench = createBench({ admission: { maxSessions: PLACES } });
        if (isRegistered) await bench.registered();
        else bench.worker.start();
        await settle();
        let drained: Promise<void> | null = null;
        for (const one of steps) {
          const link = bench.links.last;
          switch (one.do) {
            case 'offer':
              link.offer(one.id);
              break;
            case 'assign':
              link.assign(one.id, { token: one.token });
              break;
            case 'call':
              link.offer(one.id);
              link.assign(one.id);
              break;
            case 'terminate':
              link.terminate(one.id);
              break;
            case 'end': {
              const job = bench.jobs[one.at];
              if (one.how === 0) await job?.end();
              else if (one.how === 1) await job?.end({ status: 'failed', error: 'line broke' });
              else await job?.fail(new Error('room is gone'));
              break;
            }
            case 'raw':
              link.raw(one.bytes);
              break;
            case 'text':
              link.raw(one.text);
              break;
            case 'close':
              link.close();
              break;
            case 'open':
              link.open();
              break;
            case 'register':
              link.register();
              break;
            case 'wait':
              await bench.clock.advance(one.ms);
              break;
            case 'drain':
              drained = bench.worker.drain(5000);
          }
          const { running, reserved, load, ready, reason } = bench.worker.status();
          assert.ok(running >= 0 && reserved >= 0 && running + reserved <= PLACES);
          assert.equal(ready, reason === null);
          assert.ok(load >= 0 && load <= 1);
          if (ready) assert.ok(load < 0.7, `ready at ${load}`);
        }
        jobsSeen += bench.jobs.length;
        drained ??= bench.worker.drain(5000);
        await bench.clock.advance(60_000);
        await drained;
        const { running, reserved } = bench.worker.status();
        assert.deepEqual([running, reserved], [0, 0]);
        assert.equal(bench.clock.pending, 0, 'no timer is left behind');
        for (const link of bench.links.links) {
          // Nobody is told twice how a job ended, on one connection, unless it was offered or assigned again.
          const ends = link.all('updateJob').filter(({ status }) => status !== JobStatus.JS_RUNNING);
          const asked = steps.filter((one) => ['assign', 'offer', 'call'].includes(one.do)).length * 2;
          assert.ok(ends.length <= asked);
          for (const { jobId } of link.all('availability')) {
            const offers = steps.filter((one) => (one.do === 'offer' || one.do === 'call') && one.id === jobId).length;
            assert.ok(link.answerTo(jobId).length <= offers);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(jobsSeen > 50, `${jobsSeen} jobs: the orders are too wild to mean anything`);
});
