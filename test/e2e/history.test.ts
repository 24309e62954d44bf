// History of real processes: killed, on disks that are full, read-only, taken or of a later version, and of several processes as one.
// real time: full minutes are waited for, and disks that come back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { endAll, HOSTS, type HostName, inFolder, run, serve, type Server } from './program.ts';
import { until } from './until.ts';

after(endAll);

/** AVL-03. */
const BACK_MS = 30_000;
const hostOf = (i: number): HostName => HOSTS[i % HOSTS.length] as HostName;
const SECONDS = 'name=syrinx.history.on.disk&step=1';

interface Overview {
  readonly storage: 'disk' | 'memory';
  readonly problem: string | null;
}
interface Answer {
  readonly series: readonly {
    readonly atMs: readonly number[];
    readonly info: { readonly labels: Record<string, string> };
  }[];
}

const overview = async ({ url }: Server) => (await (await fetch(`${url}/api/history`)).json()) as Overview;
const query = async ({ url }: Server, asked: string) =>
  (await (await fetch(`${url}/api/history/query?${asked}`)).json()) as Answer;
const onDisk = (server: Server, limitMs = BACK_MS) =>
  until('history on disk', limitMs, async () => (await overview(server)).storage === 'disk');
const troubled = (server: Server, problem: RegExp, limitMs = BACK_MS) =>
  until(`trouble like ${problem}`, limitMs, async () => problem.test((await overview(server)).problem ?? ''));

async function served(host: HostName, folder: string, more: object = {}): Promise<Server> {
  const file = join(folder, `config-${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ telemetry: { data_directory: join(folder, 'data') }, ...more }));
  return await serve(host, ['--config', file]);
}
async function stopped(server: Server): Promise<void> {
  server.program.signal('SIGTERM');
  assert.equal((await server.program.exit()).code, 0);
}

async function killLosesOpenMinute(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const first = await served(host, folder);
    await onDisk(first);
    // Until the first full minute is on disk, and a little of the next is not.
    const minute = Math.floor(Date.now() / 60_000);
    await until('the next minute', 75_000, async () => Date.now() > (minute + 1) * 60_000 + 3000);
    const before = (await query(first, SECONDS)).series[0]?.atMs ?? [];
    first.program.signal('SIGKILL');
    await first.program.exit();
    const offline = await run(host, [
      'history',
      'query',
      'syrinx.history.on.disk',
      '--step',
      '1',
      '--last',
      '10m',
      '--dir',
      join(folder, 'data'),
    ]);
    assert.equal(offline.code, 0, offline.stderr);
    const second = await served(host, folder);
    await onDisk(second);
    const after = new Set((await query(second, SECONDS)).series[0]?.atMs);
    const lost = before.filter((atMs) => !after.has(atMs));
    assert.ok(before.length > lost.length, 'the full minute is there');
    assert.ok(lost.length <= 60, `${lost.length} s are lost`);
    assert.deepEqual(
      lost.filter((atMs) => Math.floor(atMs / 60_000) === minute),
      [],
      'of the full minute nothing is lost',
    );
    assert.equal(offline.stdout.split('\n').filter((line) => /^\d{4}-/.test(line)).length, before.length - lost.length);
    await stopped(second);
  });
}

async function secondProcess(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const first = await served(host, folder);
    await onDisk(first);
    const file = join(folder, 'second.json');
    writeFileSync(file, JSON.stringify({ telemetry: { data_directory: join(folder, 'data') } }));
    const refused = await run(host, ['start', '--port', '0', '--config', file], {
      env: { SYRINX_MODELS_PROVIDER: 'simulated' },
    });
    assert.equal(refused.code, 5, refused.stderr);
    assert.match(refused.stderr, new RegExp(`Data directory is in use\\n.* belongs to process ${first.program.pid};`));
    assert.equal(/history is not written/.test(refused.stderr), false, 'one line says it all');
    const second = await served(host, folder, { alerts: { enabled: false } });
    await troubled(second, new RegExp(`data belongs to process ${first.program.pid}`));
    assert.equal((await fetch(`${second.url}/health/ready`)).status, 200);
    assert.equal(second.program.stderr.split('history is not written').length, 2, 'said once');
    await stopped(first);
    await onDisk(second);
    await stopped(second);
  });
}

async function laterVersion(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'data', 'history'), { recursive: true });
    writeFileSync(join(folder, 'data', 'history', 'format.json'), '{"format": 9}');
    const server = await served(host, folder);
    await troubled(server, /is of version 9, this program reads up to 1/);
    assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
    await stopped(server);
  });
}

async function severalAsOne(host: HostName): Promise<void> {
  await inFolder(async (folder) => {
    const server = await served(host, folder, { capacity: { processes: 2 } });
    const of = async (name: string) => (await query(server, `name=${name}&step=1`)).series;
    await until(
      'both processes',
      BACK_MS,
      async () => (await of('syrinx.history.on.disk').catch(() => []))?.length === 2,
    );
    const labels = (await of('syrinx.history.on.disk')).map(({ info }) => info.labels['process']);
    assert.deepEqual(new Set(labels), new Set(['1', '2']));
    await until('a second of both', BACK_MS, async () => (await of('syrinx.event.loop.lag')).length === 1);
    await stopped(server);
    const list = await run(host, ['history', 'list', 'syrinx.history.on.disk', '--dir', join(folder, 'data')]);
    assert.match(list.stdout, /process=1\n[^]*process=2\n/);
  });
}

/** A file system of its own that is small; null where this user may mount none. */
function smallDisk(path: string): { fill(): void; free(): void; remount(how: 'ro' | 'rw'): void; end(): void } | null {
  const mount = (...args: string[]) => spawnSync('mount', args).status === 0;
  mkdirSync(path);
  if (!mount('-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', path)) return null;
  const filler = join(path, 'filler');
  return {
    fill() {
      for (let size = 512 * 1024; size >= 4096; size /= 2) {
        try {
          writeFileSync(filler, new Uint8Array(size), { flag: 'a' });
        } catch {
          // What fits is in it; then a smaller piece.
        }
      }
    },
    free: () => rmSync(filler),
    remount: (how) => void assert.ok(mount('-o', `remount,${how}`, path), how),
    end: () => void spawnSync('umount', ['-l', path]),
  };
}

async function diskComesBack(host: HostName, skip: (why: string) => void): Promise<void> {
  await inFolder(async (folder) => {
    const disk = smallDisk(join(folder, 'data'));
    if (disk === null) return skip('this user may not mount a file system');
    try {
      disk.fill();
      const server = await served(host, folder);
      const back = async (what: string) => {
        const startMs = performance.now();
        await onDisk(server);
        console.log(
          `# ${what}, ${host}: history is written ${Math.round(performance.now() - startMs)} ms after its end`,
        );
      };
      await troubled(server, /ENOSPC|no space/i);
      disk.free();
      await back('a disk that was full at the start');
      // A disk that fills up is noticed when the journal needs its next page, after a minute or two; calls and probes go on.
      disk.fill();
      await troubled(server, /ENOSPC|no space/i, 150_000);
      assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
      assert.ok(((await query(server, SECONDS)).series[0]?.atMs.length ?? 0) > 10, 'memory has it');
      disk.free();
      await back('a disk that filled up');
      await stopped(server);
      disk.remount('ro');
      const again = await served(host, folder);
      await troubled(again, /EROFS|read-only/i);
      disk.remount('rw');
      await onDisk(again);
      await stopped(again);
    } finally {
      disk.end();
    }
  });
}

describe('history of real processes', { concurrency: 2 }, () => {
  void test(`kill -9 loses at most the open minute (${hostOf(0)})`, () => killLosesOpenMinute(hostOf(0)));
  void test(`a disk that is full or read-only comes back (${hostOf(2)})`, async (t) => {
    await diskComesBack(hostOf(2), (why) => t.skip(why));
  });
  for (const [i, host] of HOSTS.entries()) {
    void test(`a second process on one data directory (${host})`, () => secondProcess(host));
    if (i === 1) void test(`a folder of a later version (${host})`, () => laterVersion(host));
    if (i === 0) void test(`several processes are one (${host})`, () => severalAsOne(host));
  }
});
