// Folders that are only read: nothing in them changes, whatever state they are in, and whoever writes there meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compression } from '../../../src/hosts/node-compression.ts';
import type { FolderReader } from '../../../src/hosts/port.ts';
import { openHistoryFolder } from '../../../src/ops/history/read-only.ts';
import { createRig, Disk, START } from './history-rig.ts';

const HOUR_S = 3600;
const sumOf = (values: readonly number[] | undefined) => values?.reduce((a, b) => a + b, 0);

async function contents(disk: Disk): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {};
  for (const name of await disk.files.list()) all[name] = [...((await disk.files.read(name)) ?? [])];
  return all;
}

function open(folder: FolderReader, epochMs: number) {
  const told: string[] = [];
  const source = openHistoryFolder(folder, {
    compression,
    now: () => 0,
    epochMs: () => epochMs,
    pause: async () => {},
    tell: (_, message, fields) => void told.push(`${message} ${String(fields['reason'])}`),
  });
  return { source, told };
}

/** An hour and five minutes of one call a second; the process still runs. */
async function written() {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(HOUR_S + 300, () => calls.add());
  const range = { name: 'calls', fromMs: START, toMs: START + 10 * HOUR_S * 1000, stepMs: 60_000 };
  return { disk, rig, calls, range };
}

test('blocks and journals of a process that runs are read, and no byte is changed', async () => {
  const { disk, rig, range } = await written();
  const before = await contents(disk);
  const { source, told } = open(disk.files, rig.epochMs);
  const folder = await source;
  const { series } = await folder.query(range);
  // All but the open minute.
  assert.equal(sumOf(series[0]?.sum), HOUR_S + 270);
  assert.ok((await folder.series()).some(({ name }) => name === 'calls'));
  assert.deepEqual(await contents(disk), before);
  assert.deepEqual(told, []);
});

test('torn and damaged files are said, the rest is served, and they stay where they are', async () => {
  const { disk, rig, range } = await written();
  const [journal = ''] = await disk.names('journal');
  await disk.edit(journal, (bytes) => bytes.subarray(0, bytes.length - 3));
  await disk.edit('minutes-2026-11-28T09-1.block', (bytes) => bytes.subarray(0, 20));
  await disk.files.replace(
    'intent.json',
    new TextEncoder().encode('{"targets":["seconds-x.block"],"sources":["gone"]}'),
  );
  const before = await contents(disk);
  const { source, told } = open(disk.files, rig.epochMs);
  const { series } = await (await source).query(range);
  // Without the half minute before 10:00 and the minute that is torn.
  assert.equal(sumOf(series[0]?.sum), HOUR_S + 270 - 30 - 60);
  assert.equal(told.length, 2, told.join('\n'));
  assert.deepEqual(await contents(disk), before);
});

test('a folder of a later version is refused with its version', async () => {
  const disk = new Disk();
  await disk.files.replace('format.json', new TextEncoder().encode('{"format": 7}'));
  await assert.rejects(open(disk.files, START).source, /is of version 7, this program reads up to 1/);
});

test('a block that is purged between two looks is no failure', async () => {
  const { disk, rig, calls, range } = await written();
  let isSwept = false;
  const sweeping: FolderReader = {
    path: 'disk',
    list: () => disk.files.list(),
    read: (name) => disk.files.read(name),
    size: (name) => disk.files.size(name),
    async readAt(name, offset, length) {
      // The owner replaces a block just before it is read for the first query.
      if (isSwept && name === 'minutes-2026-11-28T09-1.block' && (await disk.names(name)).length > 0)
        await disk.files.rename(name, 'minutes-2026-11-28-9.block');
      return await disk.files.readAt(name, offset, length);
    },
  };
  const source = await open(sweeping, rig.epochMs).source;
  isSwept = true;
  assert.equal(sumOf((await source.query(range)).series[0]?.sum), HOUR_S + 270);
  await rig.seconds(1, () => calls.add());
});
