// Folders that outlive the process: one owner at a time, a dead owner's lock is taken over, files are replaced whole.
import assert from 'node:assert/strict';
import { type FileHandle, mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { compression } from '../../src/hosts/node-compression.ts';
import { openDataFolder } from '../../src/hosts/node-data-folder.ts';
import { FolderInUseError } from '../../src/hosts/port.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (found: Uint8Array | undefined) => (found === undefined ? undefined : new TextDecoder().decode(found));

async function within(run: (path: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'syrinx-folder-'));
  try {
    await run(join(root, 'a', 'b'));
  } finally {
    await rm(root, { recursive: true });
  }
}

test('appended, replaced, renamed, removed', () =>
  within(async (path) => {
    const folder = await openDataFolder(path);
    const file = await folder.append('journal');
    await file.write(bytes('one\n'));
    await file.write(bytes('two\n'));
    await file.sync();
    await file.close();
    const again = await folder.append('journal');
    await again.write(bytes('three\n'));
    await again.close();
    assert.equal(text(await folder.read('journal')), 'one\ntwo\nthree\n');
    assert.equal(text(await folder.readAt('journal', 4, 3)), 'two');
    assert.equal(text(await folder.readAt('journal', 8, 100)), 'three\n');
    await assert.rejects(folder.readAt('journal', 0, Number.MAX_SAFE_INTEGER), RangeError);
    await assert.rejects(folder.readAt('missing', 0, 1), { code: 'ENOENT' });
    assert.equal(await folder.size('journal'), 14);
    await folder.replace('journal', bytes('short'));
    assert.equal(text(await folder.read('journal')), 'short');
    await folder.rename('journal', 'old');
    assert.deepEqual(await folder.list(), ['old']);
    assert.equal(await folder.read('journal'), undefined);
    await folder.remove('old');
    await assert.rejects(folder.append('../outside'), RangeError);
    await folder.release();
    assert.deepEqual(await readdir(path), []);
  }));

test('a slow disk has one sync of the process at a time, of whatever folder, and writes go on beside it', () =>
  within(async (path) => {
    const folders = [await openDataFolder(join(path, 'one')), await openDataFolder(join(path, 'two'))];
    const files = await Promise.all(folders.map((folder) => folder.append('journal')));
    const handle = await open(join(path, 'handle'), 'w');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const { datasync } = prototype;
    const under: (() => void)[] = [];
    prototype.datasync = () => new Promise<void>((done) => under.push(done));
    try {
      const synced: number[] = [];
      const all = files.map((file, i) => file.sync().then(() => synced.push(i)));
      await files[0]!.write(bytes('beside\n'));
      assert.deepEqual([under.length, synced], [1, []]);
      under[0]!();
      await all[0];
      await files[1]!.write(bytes('beside\n'));
      assert.deepEqual([under.length, synced], [2, [0]]);
      under[1]!();
      await Promise.all(all);
    } finally {
      prototype.datasync = datasync;
      await handle.close();
    }
    await Promise.all(files.map((file) => file.close()));
    assert.equal(text(await folders[0]!.read('journal')), 'beside\n');
    await Promise.all(folders.map((folder) => folder.release()));
  }));

test('a second owner is refused while the first lives, and taken when it has let go', () =>
  within(async (path) => {
    const first = await openDataFolder(path);
    await assert.rejects(openDataFolder(path), (error: unknown) => {
      assert.ok(error instanceof FolderInUseError);
      assert.equal(error.pid, process.pid);
      return true;
    });
    await first.release();
    const second = await openDataFolder(path);
    await second.release();
  }));

test('the lock of a dead process is taken over, that of a silent stranger after a while', () =>
  within(async (path) => {
    await (await openDataFolder(path)).release();
    const lock = join(path, '.lock');
    // What a killed process leaves behind: a number that runs something else by now.
    const own = await openDataFolder(path);
    const left = JSON.parse(await readFile(lock, 'utf8')) as Record<string, unknown>;
    await own.release();
    await writeFile(lock, JSON.stringify({ ...left, startTicks: '1' }));
    await (await openDataFolder(path)).release();

    const stranger = JSON.stringify({ ...left, place: 'elsewhere' });
    await writeFile(lock, stranger);
    await assert.rejects(openDataFolder(path), FolderInUseError);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    await (await openDataFolder(path)).release();

    await writeFile(lock, 'torn');
    await utimes(lock, longAgo, longAgo);
    await (await openDataFolder(path)).release();
  }));

test('of many that want a dead one, one gets it', () =>
  within(async (path) => {
    await (await openDataFolder(path)).release();
    await writeFile(join(path, '.lock'), 'torn');
    await utimes(join(path, '.lock'), new Date(0), new Date(0));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => openDataFolder(path)));
    const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(taken.length, 1);
    await taken[0]?.release();
  }));

test('deflate and back, also by what another host packed; what is no stream, or too long, is refused', async () => {
  const { bun } = process.versions as Record<string, string | undefined>;
  const own = bun === undefined ? compression : (await import('../../src/hosts/bun-compression.ts')).compression;
  const given = new Uint8Array(40_000).map((_, i) => i % 7);
  for (const [packs, unpacks] of [
    [compression, compression],
    [own, compression],
    [compression, own],
    [own, own],
  ] as const) {
    const packed = (bytes: Uint8Array) => {
      const into = new Uint8Array(bytes.length + 64);
      return into.subarray(0, packs.deflate(bytes, into));
    };
    const small = packed(given);
    assert.ok(small.length < 1000);
    assert.deepEqual(new Uint8Array(unpacks.inflate(small, 40_000)), given);
    for (const length of [1, 90, 5000]) {
      const part = given.subarray(3, 3 + length);
      assert.deepEqual(new Uint8Array(unpacks.inflate(packed(part), length)), part);
    }
    assert.throws(() => packs.deflate(given, new Uint8Array(10)), RangeError);
    assert.throws(() => unpacks.inflate(small, 39_999));
    assert.throws(() => unpacks.inflate(small.subarray(0, small.length - 5), 40_000));
    assert.throws(() => unpacks.inflate(new Uint8Array(20).fill(255), 40_000));
  }
});
