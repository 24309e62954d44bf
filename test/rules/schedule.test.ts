// How `npm test` shares the machine among files: never more than there is room for, and nothing beside what needs it alone.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Cost, CORES, costOf, createRoom, inOrder, inParts, NAMED } from '../../scripts/test-schedule.ts';
import { root } from '../../scripts/steps.ts';

/** Jobs that end when they are told to. */
function jobs(costs: readonly number[]) {
  const enter = createRoom(1.6);
  const running: number[] = [];
  const ends: (() => void)[] = [];
  const all = costs.map((cores, i) =>
    enter({ seconds: 1, cores } satisfies Cost, async () => {
      running.push(i);
      await new Promise<void>((done) => {
        ends[i] = done;
      });
      running.splice(running.indexOf(i), 1);
    }),
  );
  const settled = () => new Promise<void>((done) => setImmediate(done));
  return {
    running,
    settled,
    async end(i: number): Promise<void> {
      ends[i]?.();
      await all[i];
      await settled();
    },
  };
}

test('jobs begin in their order while there is room, and what needs the machine has it alone', async () => {
  const { running, settled, end } = jobs([0.8, 0.8, CORES, 0.8]);
  await settled();
  assert.deepEqual(running, [0, 1]);
  await end(0);
  assert.deepEqual(running, [1, 3]);
  await end(1);
  assert.deepEqual(running, [3]);
  await end(3);
  assert.deepEqual(running, [2]);
  await end(2);
  assert.deepEqual(running, []);
});

test('a job that fails leaves its room to the next', async () => {
  const enter = createRoom(1.6);
  const failed = enter({ seconds: 1, cores: CORES }, () => Promise.reject(new Error('no')));
  const next = enter({ seconds: 1, cores: CORES }, async () => 'ran');
  await assert.rejects(failed, /no/);
  assert.equal(await next, 'ran');
});

test('what keeps cores busy is first and what is alone is last; each named file exists', () => {
  const order = inOrder([...NAMED, 'test/rules/schedule.test.ts']).map((file) => costOf(file).cores);
  const alone = order.filter((cores) => cores >= CORES);
  const shared = order.slice(0, order.length - alone.length);
  assert.ok(alone.length > 0 && shared.every((cores) => cores < CORES));
  assert.deepEqual(
    shared,
    [...shared].sort((a, b) => b - a),
  );
  assert.deepEqual(
    NAMED.filter((file) => !existsSync(join(root, file))),
    [],
  );
});

test('every suite is in one part', () => {
  const files = ['test/ops/a.test.ts', 'test/cli/b.test.ts', 'test/audio/neural/c.test.ts', 'test/config/d.test.ts'];
  assert.deepEqual(inParts(files), [[files[2]], [files[1], files[3]], [files[0]]]);
  assert.deepEqual(inParts([]), []);
});
