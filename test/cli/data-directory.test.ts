// The data directory: owned while one of its parts is open, by one process, whichever part comes first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDataDirectory } from '../../src/cli/data-directory.ts';
import { type DataFolder, FolderInUseError } from '../../src/hosts/port.ts';

function build() {
  const held: string[] = [];
  let refused: string | null = null;
  const host = {
    async openDataFolder(path: string): Promise<DataFolder> {
      if (refused === path) throw new FolderInUseError(path, 4711);
      if (held.includes(path)) throw new Error(`${path} is taken twice`);
      held.push(path);
      const release = async () => void held.splice(held.indexOf(path), 1);
      return { path, release } as unknown as DataFolder;
    },
  };
  return {
    data: withDataDirectory(host, '/data'),
    host,
    held,
    refuse(path: string | null) {
      refused = path;
    },
  };
}

test('parts share one owner, who goes with the last of them', async () => {
  const { data, held } = build();
  const [history, alerts] = await Promise.all([
    data.openDataFolder('/data/history'),
    data.openDataFolder('/data/alerts'),
  ]);
  assert.deepEqual(held.toSorted(), ['/data', '/data/alerts', '/data/history']);
  await history.release();
  assert.deepEqual(held.toSorted(), ['/data', '/data/alerts']);
  await alerts.release();
  assert.deepEqual(held, []);
  await (await data.openDataFolder('/data/history')).release();
  assert.deepEqual(held, []);
});

test('while another process owns it no part is opened, and that process is named; afterwards it is taken', async () => {
  const { data, held, refuse } = build();
  refuse('/data');
  const opened = [data.openDataFolder('/data/history'), data.openDataFolder('/data/alerts')];
  for (const result of await Promise.allSettled(opened)) {
    assert.ok(result.status === 'rejected' && result.reason instanceof FolderInUseError);
    assert.equal(result.reason.message, '/data belongs to process 4711');
  }
  assert.deepEqual(held, []);
  refuse(null);
  await data.openDataFolder('/data/history');
  assert.deepEqual(held, ['/data', '/data/history']);
});

test('a part that cannot be opened keeps nothing', async () => {
  const { data, held, refuse } = build();
  refuse('/data/history');
  await assert.rejects(data.openDataFolder('/data/history'), FolderInUseError);
  assert.deepEqual(held, []);
  await data.openDataFolder('/elsewhere/x');
  assert.deepEqual(held, ['/elsewhere/x']);
});

test('without a data directory nothing is changed', () => {
  const { host } = build();
  assert.equal(withDataDirectory(host, undefined), host);
});
