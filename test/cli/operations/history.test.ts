// `syrinx history` as it is typed: a real HTTP server or a folder is asked, mistakes are told in a line with a code.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { main } from '../../../src/cli/main.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { compression } from '../../../src/hosts/node-compression.ts';
import type { FolderReader } from '../../../src/hosts/port.ts';
import { sourceOf } from '../../../src/ops/history/index.ts';
import { createApp } from '../../../src/server/app.ts';
import { createRequestCounter } from '../../../src/server/requests.ts';
import { historyRoutes } from '../../../src/server/routes/history.ts';
import { createRig, Disk, START } from '../../ops/history/history-rig.ts';
import { createFakeHost } from '../fake-host.ts';

const RANGE = ['--from', new Date(START).toISOString(), '--to', new Date(START + 120_000).toISOString()];

/** Two minutes of calls and times, on a disk. */
async function written() {
  const disk = new Disk();
  const rig = createRig(disk.open);
  const calls = rig.registry.counter({ name: 'calls', help: 'h', labels: ['who'] });
  const time = rig.registry.histogram({ name: 'turn.time', help: 'h', unit: 's' }).labels();
  await rig.history.start();
  await rig.seconds(120, () => {
    calls.labels({ who: 'a' }).add(2);
    calls.labels({ who: 'b' }).add();
    time.record(0.25);
  });
  return { disk, rig };
}

/** A command line on a host whose folders are given; files that are written can be read. */
function commandLine(folders: Readonly<Record<string, FolderReader>> = {}, env: Record<string, string> = {}) {
  return async (...args: string[]) => {
    const written = new Map<string, string>();
    const host = {
      ...createFakeHost({ env }),
      compression,
      async readFolder(path: string) {
        const found = folders[path];
        if (found === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT', path });
        return found;
      },
    };
    host.files.checkWritable = async (path) => {
      if (path.startsWith('/read-only/')) throw Object.assign(new Error('EROFS'), { code: 'EROFS', path });
    };
    host.files.open = (path) => ({
      write: (bytes) => void written.set(path, (written.get(path) ?? '') + new TextDecoder().decode(bytes)),
      close() {},
    });
    const code = await main(host, ['history', ...args]);
    return { code, out: host.out.join('\n'), errors: host.errors.join('\n'), written };
  };
}

/** A folder that holds only folders. */
function holding(path: string, ...names: string[]): FolderReader {
  const none = () => Promise.reject(new Error('no files here'));
  return { path, list: async () => names, read: none, readAt: none, size: none };
}

test('a data directory is listed, asked and exported, of one process or of several', async () => {
  const { disk } = await written();
  const run = commandLine({
    '/data': holding('/data', 'alerts', 'history'),
    '/data/history': disk.files,
    '/many': holding('/many', 'process-1', 'process-2', 'process-3'),
    '/many/process-1': holding('/many/process-1', 'history'),
    '/many/process-1/history': disk.files,
    '/many/process-2': holding('/many/process-2', 'history'),
    '/many/process-2/history': disk.files,
    '/many/process-3': holding('/many/process-3'),
  });
  const list = await run('list', 'calls', 't*', '--dir', '/data/');
  assert.equal(list.code, 0, list.errors);
  assert.match(list.out, /^calls +counter +who=a$/m);
  assert.match(list.out, /^turn\.time +histogram +s$/m);
  assert.match(list.out, /^3 series; blocks of full hours on disk: /m);
  const one = await run('query', 'calls', '--label', 'who=a', '--step', '1m', '--dir', '/data', ...RANGE);
  assert.match(one.out, /^calls \{who=a\}, counter, steps of 1 min$/m);
  assert.match(one.out, /^2026-11-28 10:00:00 +120 +2 \/s$/m);
  const both = await run('query', 'turn_time_seconds', '--step', '1m', '--dir', '/many', ...RANGE);
  assert.match(both.out, /^2026-11-28 10:00:00 +120 +250 ms +2\d\d ms/m);
  const json = await run('query', 'calls', '--format', 'json', '--dir', '/data/history', '--step', '60', ...RANGE);
  const answer = JSON.parse(json.out) as { data: { series: { sum: number[] }[] } };
  assert.deepEqual(answer.data.series[0]?.sum, [60, 120]);
  const text = await run('export', 'calls', '--format', 'csv', '--dir', '/data', '--step', '1m', ...RANGE);
  assert.equal(text.out.split('\r\n').length, 1 + 4);
  const file = await run(
    'export',
    '--format',
    'prometheus',
    '--dir',
    '/data',
    '--out',
    '/x.om',
    '--step',
    '1s',
    ...RANGE,
  );
  assert.match(file.out, /^\d+ series, \d+ steps written to \/x\.om$/);
  assert.match(file.written.get('/x.om') ?? '', /turn_time_seconds_count 90 \d+\n[^]*# EOF\n$/);
  const page = await run('export', 'turn.time', '--format', 'html', '--dir', '/data', '--out', '/x.html', ...RANGE);
  assert.match(page.written.get('/x.html') ?? '', /<h2>turn\.time<\/h2>/);
  const whole = await run('export', 'calls', '--dir', '/data', '--step', '60', ...RANGE);
  assert.equal((JSON.parse(whole.out) as { series: unknown[] }).series.length, 2);
});

test('a running server is asked with its token', async () => {
  const { rig } = await written();
  const app = createApp({
    version: '1',
    startedAtMs: START,
    now: () => rig.epochMs,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: true, services: [], activeJobs: 0, maxJobs: 1 }),
    metricsText: () => '',
    status: () => ({}),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    auth: { loopback: true, token: 'secret' },
    requests: createRequestCounter(),
    extensions: [
      historyRoutes({
        now: () => rig.epochMs,
        source: sourceOf(rig.history, { now: () => 0, pause: async () => {} }),
        nearest,
        origin: 'desk',
        pacing: { now: () => 0, pause: async () => {} },
      }),
    ],
  });
  const server = createServer((request, response) => {
    const headers = new Headers(request.headers as Record<string, string>);
    void (async () => {
      const answer = await app.request(`http://${request.headers.host}${request.url}`, { headers });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(await answer.text());
    })();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const run = commandLine({}, { SYRINX_SERVER_TOKEN: 'secret' });
    const list = await run('list', '--url', url);
    assert.equal(list.code, 0, list.errors);
    assert.match(list.out, /^9 series; blocks of full hours on disk: /m);
    const query = await run('query', 'turn.time', '--url', url, '--step', '2m', ...RANGE);
    assert.match(query.out, /^TIME \(UTC\) +COUNT +MEAN +MIN +P50 +P95 +P99 +MAX$/m);
    const exported = await run('export', '*', '--url', url, '--format', 'prometheus', '--step', '1s', ...RANGE);
    assert.match(exported.out, /calls_total\{who="a"\} 240 /);
    const wrong = await run('query', 'turn.tiem', '--url', url);
    assert.deepEqual([wrong.code, /did you mean "turn\.time"/.test(wrong.errors)], [2, true], wrong.errors);
    const long = await run('query', 'calls', '--url', url, '--last', '30d', '--step', '1s');
    assert.deepEqual([long.code, /more than 11000 steps/.test(long.errors)], [2, true], long.errors);
    const refused = await commandLine()('list', '--url', url);
    assert.equal(refused.code, 4);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  const gone = await commandLine()('list', '--url', 'http://127.0.0.1:1');
  assert.deepEqual([gone.code, /Server gives no answer/.test(gone.errors)], [3, true]);
});

test('mistakes are told in a line each, before anything is done', async () => {
  const newer = new Disk();
  await newer.files.replace('format.json', new TextEncoder().encode('{"format": 9}'));
  const run = commandLine({ '/empty': holding('/empty', 'x'), '/newer': newer.files });
  const refused = async (args: string[], message: RegExp) => {
    const { code, errors, out } = await run(...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(errors, message);
  };
  await refused([], /ACTION: missing/);
  await refused(['lst'], /Unknown action 'lst'\n {2}- did you mean 'list'\?/);
  await refused(['query'], /NAME: missing; syrinx history list names all/);
  await refused(['list', '--format', 'csv'], /--format: wanted one of text, json/);
  await refused(['export', '--format', 'xml'], /--format: wanted one of json, csv, prometheus, html/);
  await refused(['list', '--out', 'x'], /--out: is for 'export', not for 'list'/);
  await refused(['list', '--dir', '/a', '--url', 'http://b'], /--dir and --url: give one of them/);
  await refused(['list', '--dir', '/nowhere'], /--dir: \/nowhere: file or folder does not exist/);
  await refused(['list', '--dir', '/empty'], /--dir: \/empty: holds no history/);
  await refused(['list', '--dir', '/newer'], /is of version 9, this program reads up to 1/);
  await refused(['export', '--out', '/read-only/x'], /--out: \/read-only\/x: file system is read-only/);
  const bad = ['query', 'x', '--last', '3x', '--from', 'y', '--step', '1.5', '--quantiles', '3', '--label', 'a'];
  const { errors } = await run(...bad);
  for (const option of ['last', 'from', 'step', 'quantiles', 'label'])
    assert.match(errors, new RegExp(`--${option}: wanted`));
  await refused(['query', 'x', '--from', '2026-01-02', '--to', '2026-01-01'], /--from: wanted a time before --to/);
});
