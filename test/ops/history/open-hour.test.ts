// The open hour lives in its journals: what was written is read from there, whole or not at all, and nothing counts twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, crc32 } from '../../../src/ops/history/bytes.ts';
import { Catalogue } from '../../../src/ops/history/catalogue.ts';
import { Hour } from '../../../src/ops/history/hour.ts';
import { Journal } from '../../../src/ops/history/journal.ts';
import { readJournal } from '../../../src/ops/history/journal-reader.ts';
import { MemoryFolder } from '../../../src/ops/history/memory-folder.ts';
import { Pacer } from '../../../src/ops/history/pacer.ts';
import { createRig, Disk, START } from './history-rig.ts';

const HOUR_S = 3600;
const sumOf = (values: readonly number[] | undefined) => (values ?? []).reduce((a, b) => a + b, 0);
const pacer = new Pacer({ now: () => 0, pause: async () => {} });

/** Bytes that tell their series and minute, of a length of their own. */
const chunk = (series: number, minute: number) =>
  new Uint8Array(10 + ((series * 131 + minute * 17) % 900)).fill((series + 3 * minute) % 251);

test('chunks of many series, minute by minute: each is found and read, neighbours together', async () => {
  const folder = new MemoryFolder();
  let reads = 0;
  const { readAt } = folder;
  folder.readAt = (name, offset, length) => {
    reads++;
    return readAt.call(folder, name, offset, length);
  };
  const catalogue = new Catalogue(1000);
  const entries = Array.from({ length: 150 }, (_, i) =>
    catalogue.of({ name: `n${i}`, kind: 'gauge', unit: '1', labels: {} }),
  );
  const hour = new Hour(100);
  const journal = await Journal.create(folder, 'journal-x-1.log');
  hour.journals.push({ folder, name: journal.name });
  for (let minute = 0; minute < 60; minute++) {
    for (const [i, entry] of entries.entries()) {
      const bytes = chunk(i, minute);
      const offset = journal.add(entry!.key, bytes, 0, bytes.length);
      hour.add(entry!, 6000 + minute, offset, bytes.length, crc32(bytes));
      if (journal.isFull) await journal.endRecord(pacer);
      if (!journal.isDue) continue;
      await journal.write();
      hour.commit();
    }
    await journal.sync();
    hour.commit();
  }
  const read = new Map<string, Uint8Array[]>();
  const failure = await hour.read(await hour.rows(pacer), pacer, (entry, minute, bytes, from, to) => {
    const all = read.get(entry.key) ?? [];
    all[minute - 6000] = bytes.slice(from, to);
    read.set(entry.key, all);
  });
  assert.equal(failure, undefined);
  for (const [i, entry] of entries.entries())
    assert.deepEqual(
      read.get(entry!.key),
      Array.from({ length: 60 }, (_, minute) => chunk(i, minute)),
    );
  const bytes = await folder.size(journal.name);
  assert.ok(reads < bytes / 16_384, `${reads} reads of ${bytes} bytes`);
  // A part of the hour, of one series.
  const some: number[] = [];
  const wanted = new Map([[entries[7]!, hour.length]]);
  const rows = await hour.rowsOf(wanted, pacer, (6000 + 20) * 60_000, (6000 + 30) * 60_000);
  await hour.read(rows, pacer, (entry, minute) => void (entry === entries[7] && some.push(minute - 6000)));
  assert.deepEqual(some, [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
});

test('what has not reached the journal is not served, and its place is taken by the next', async () => {
  const folder = new MemoryFolder();
  const entry = new Catalogue(10).of({ name: 'n', kind: 'gauge', unit: '1', labels: {} })!;
  const hour = new Hour(1);
  hour.journals.push({ folder, name: 'j' });
  const lost = chunk(1, 1);
  hour.add(entry, 60, 5000, lost.length, crc32(lost));
  assert.ok(hour.isEmpty);
  hour.discard();
  const journal = await Journal.create(folder, 'j');
  const kept = chunk(1, 2);
  hour.add(entry, 60, journal.add(entry.key, kept, 0, kept.length), kept.length, crc32(kept));
  await journal.sync();
  hour.commit();
  const out = new ByteWriter();
  await hour.read(await hour.rows(pacer), pacer, (_, __, bytes, from, to) => out.part(bytes, from, to));
  assert.deepEqual(out.view(), kept);
});

test('a long chunk is written and read in slices: its checksums rest between kilobytes', async () => {
  const folder = new MemoryFolder();
  let [clock, pauses] = [0, 0];
  // Each look at the clock finds another slice over.
  const slow = new Pacer({ now: () => clock++, pause: async () => void pauses++ });
  const entry = new Catalogue(10).of({ name: 'n', kind: 'histogram', unit: 's', labels: {} })!;
  const long = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7919) >> 5);
  const journal = await Journal.create(folder, 'j');
  const hour = new Hour(1);
  hour.journals.push({ folder, name: 'j' });
  const offset = journal.add(entry.key, long, 0, long.length);
  assert.ok(journal.isFull);
  await journal.endRecord(slow);
  assert.ok(!journal.isFull);
  assert.ok(pauses >= 18, `${pauses} pauses`);
  await journal.sync();
  hour.add(entry, 60, offset, long.length, crc32(long));
  hour.commit();
  const rows = await hour.rows(pacer);
  const read = async (): Promise<unknown[]> => {
    const out = new ByteWriter();
    pauses = 0;
    const failure = await hour.read(rows, slow, (_, __, bytes, from, to) => out.part(bytes, from, to));
    return [failure, out.view()];
  };
  assert.deepEqual(await read(), [undefined, long]);
  assert.ok(pauses >= 18, `${pauses} pauses`);
  const told: [string, Uint8Array][] = [];
  const file = (await folder.read('j')) as Uint8Array;
  const source = {
    bytes: file.length,
    readAt: async (from: number, length: number) => file.slice(from, from + length),
  };
  const torn = await readJournal(source, pacer, (key, bytes, from, to) => void told.push([key, bytes.slice(from, to)]));
  assert.deepEqual([torn, told], [undefined, [[entry.key, long]]]);
  file[offset + 15_000]! ^= 1;
  await folder.replace('j', file);
  const [failure, nothing] = await read();
  assert.ok(failure instanceof RangeError);
  assert.deepEqual(nothing, new Uint8Array(0));
});

test('a journal that cannot be begun leaves no file', async () => {
  const folder = new MemoryFolder();
  const { append } = folder;
  let isClosed = false;
  folder.append = async (name) => ({
    ...(await append.call(folder, name)),
    write: async () => {
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    },
    close: async () => {
      isClosed = true;
    },
  });
  await assert.rejects(Journal.create(folder, 'j'), /no room/);
  assert.deepEqual([isClosed, await folder.list()], [true, []]);
});

test('a journal that is changed or removed under a running process: the rest is served and sealed, and it is said', async () => {
  for (const spoil of ['change', 'remove'] as const) {
    const disk = new Disk();
    const rig = createRig(disk.open, { startMs: START - 600_000 });
    const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
    await rig.history.start();
    await rig.seconds(300, () => calls.add());
    const [journal = ''] = await disk.names('journal');
    if (spoil === 'remove') await disk.files.remove(journal);
    else await disk.edit(journal, (bytes) => bytes.fill(170, 8).subarray(0, bytes.length - 1));
    const whole = sumOf((await rig.query({ name: 'calls', stepMs: 60_000 })).series[0]?.sum);
    // At least the open minute; not more than there was.
    assert.ok(whole >= 30 && whole < 300, `${spoil}: ${whole}`);
    await rig.seconds(HOUR_S, () => calls.add());
    assert.equal(rig.history.state.problem, null, spoil);
    const said = rig.told.filter((line) => line.includes('minutes of an hour cannot be read any more'));
    assert.equal(said.length, 1, rig.told.join('\n'));
    // Sealed without what is lost: the minutes before, and the one that still went there.
    assert.deepEqual((await disk.names('.block')).length, 2);
    const after = sumOf((await rig.query({ name: 'calls', stepMs: 60_000 })).series[0]?.sum);
    assert.equal(after, HOUR_S + 300 - 270 - 60, spoil);
  }
});

test('a disk that was full for hours, then a restart: what memory had sealed meanwhile counts once', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(630, () => calls.add());
  disk.failing = 'ENOSPC';
  // More hours than may wait: they are sealed in memory, and half of the first is in a journal on disk.
  await rig.seconds(5 * HOUR_S, () => calls.add());
  disk.failing = null;
  await rig.seconds(71, () => calls.add());
  assert.equal(rig.history.state.problem, null);
  const query = { name: 'calls', fromMs: START, stepMs: 60_000 };
  assert.equal(sumOf((await rig.query(query)).series[0]?.sum), 701 + 5 * HOUR_S);
  await rig.history.stop();
  assert.equal((await disk.names('journal')).length, 1);
  const next = createRig(disk.open, { startMs: rig.epochMs });
  await next.history.start();
  assert.equal(sumOf((await next.query(query)).series[0]?.sum), 701 + 5 * HOUR_S);
});

test('a folder that is taken away while minutes are written: nothing counts twice when it is back', async () => {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
  await rig.history.start();
  await rig.seconds(300, () => calls.add());
  disk.failing = 'EBUSY';
  await rig.seconds(90, () => calls.add());
  disk.failing = null;
  disk.kill();
  await rig.seconds(90, () => calls.add());
  assert.equal(rig.history.state.problem, null);
  const { series } = await rig.query({ name: 'calls', stepMs: 60_000 });
  assert.equal(sumOf(series[0]?.sum), 480);
});
