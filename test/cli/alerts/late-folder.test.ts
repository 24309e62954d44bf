// A disk that was full when the program started: the alerts know what an earlier process left, and their state is on disk as soon as there is room.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lateFolder } from '../../../src/cli/alerts/late-folder.ts';
import { type MemoryFolder, memoryFolder } from '../../ops/alerts/memory-folder.ts';
import { begin, JOURNAL, rig, states, told } from '../../ops/alerts/watch-rig.ts';

const full = () => Object.assign(new Error('ENOSPC: no room'), { code: 'ENOSPC' });

/** A folder that opens when `hasRoom` says so. */
function late(disk: MemoryFolder) {
  const state = { hasRoom: false, opened: 0, released: 0 };
  const folder = lateFolder({
    path: disk.path,
    async open() {
      if (!state.hasRoom) throw full();
      state.opened++;
      return { ...disk, release: async () => void state.released++ };
    },
    read: async () => disk,
  });
  return { folder, state };
}

async function leftFiring(): Promise<MemoryFolder> {
  const disk = memoryFolder();
  const first = await rig(disk);
  first.heat(80);
  begin(first);
  await first.clock.advance(90_000);
  assert.deepEqual(told(first), ['firing 60']);
  return memoryFolder(Object.fromEntries(disk.files));
}

test('what an earlier process told is known, and the state is written once there is room', async () => {
  const disk = await leftFiring();
  const before = disk.files.get(JOURNAL);
  const { folder, state } = late(disk);
  const one = await rig(undefined, undefined, { folder });
  one.heat(80);
  begin(one);
  await one.clock.advance(60_000);
  assert.deepEqual([states(one), one.sent], [['firing'], []], 'nobody is paged a second time');
  assert.equal(one.watch.persistent, false);
  assert.deepEqual(one.problems(), ['the journal of alerts cannot be written; alerts go on in memory']);
  assert.equal(disk.files.get(JOURNAL), before);
  state.hasRoom = true;
  await one.clock.advance(15_000);
  assert.equal(one.watch.persistent, true);
  assert.equal(one.problems().at(-1), 'the journal of alerts is written again');
  one.heat(10);
  await one.clock.advance(10_000);
  assert.deepEqual(
    one.sent.map(({ status }) => status),
    ['resolved'],
  );
  const next = await rig(memoryFolder(Object.fromEntries(disk.files)));
  begin(next);
  await next.clock.advance(10_000);
  assert.deepEqual([states(next), next.sent], [[], []], 'the end is on disk too');
  await one.watch.close();
  await folder.release();
  assert.deepEqual([state.opened, state.released], [1, 1]);
});

test('a folder that another process wrote in the meantime is let go again, untouched', async () => {
  const disk = await leftFiring();
  const { folder, state } = late(disk);
  const one = await rig(undefined, undefined, { folder });
  begin(one);
  await one.clock.advance(10_000);
  disk.files.set(JOURNAL, 'of another process');
  state.hasRoom = true;
  await one.clock.advance(20_000);
  assert.equal(disk.files.get(JOURNAL), 'of another process');
  assert.equal(one.watch.persistent, false);
  assert.ok(state.opened >= 1);
  assert.equal(state.opened, state.released);
});

test('where there is no folder yet there is nothing in it', async () => {
  const missing = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  const folder = lateFolder({
    path: '/data/alerts',
    open: () => Promise.reject(full()),
    read: () => Promise.reject(missing),
  });
  assert.deepEqual([await folder.list(), await folder.read(JOURNAL)], [[], undefined]);
  await assert.rejects(folder.append(JOURNAL), { code: 'ENOSPC' });
});
