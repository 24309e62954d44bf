// The edge host: what it imports, its answers, calls over a standard socket, and the bundle on a host without permissions.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import edge, { createEdge, type EdgeSocket } from '../../src/hosts/edge.ts';
import type { CallInput, Transport } from '../../src/transports/port.ts';
import { missing, runtimePath } from './program.ts';

const ENTRY = fileURLToPath(new URL('../../src/hosts/edge.ts', import.meta.url));

/** All files of ours that the entry reaches, and all packages. */
function importGraph(entry: string): { files: Map<string, string>; packages: Set<string> } {
  const files = new Map<string, string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    const text = readFileSync(file, 'utf8');
    files.set(file, text);
    for (const match of text.matchAll(
      /^\s*(?:import|export)\b(?!\s+type\b)[^;'"]*from\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm,
    )) {
      const target = match[1] ?? match[2] ?? '';
      if (target.startsWith('.')) visit(resolve(dirname(file), target));
      else packages.add(target);
    }
  };
  visit(entry);
  return { files, packages };
}

describe('the edge', () => {
  it('imports nothing that only one runtime has', () => {
    const { files, packages } = importGraph(ENTRY);
    assert.ok(files.size > 10, `${files.size} files`);
    assert.deepEqual(
      [...packages].filter((name) => !/^(hono|valibot)(\/|$)/.test(name)),
      [],
    );
    for (const [file, text] of files) {
      const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
      assert.doesNotMatch(code, /['"](node|bun):|\b(Deno|Bun|process)\s*[.[]|\bBuffer\b/, file);
    }
  });

  it('answers probes to all, the rest to those with the token', async () => {
    const ask = (path: string, headers = {}) =>
      createEdge({ version: '9', token: 'secret' }).fetch(new Request(`https://edge.example${path}`, { headers }));
    assert.equal((await ask('/health')).status, 200);
    assert.equal((await ask('/status')).status, 401);
    assert.equal((await ask('/status', { authorization: 'Bearer secret' })).status, 200);
    const ready = await ask('/ready', { authorization: 'Bearer secret' });
    // Nobody takes calls here, and it says so.
    assert.equal(ready.status, 503);
    assert.equal(((await ready.json()) as { reason: string }).reason, 'no calls here');
    assert.equal((await edge.fetch(new Request('https://edge.example/health/live'))).status, 200);
  });

  it('takes calls over a standard socket', async () => {
    const sent: unknown[] = [];
    const listeners = new Map<string, (event: unknown) => void>();
    const socket = {
      send: (data: unknown) => sent.push(data),
      close: (code: number) => sent.push(`close ${code}`),
      addEventListener: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener),
    } as unknown as EdgeSocket;
    const heard: string[] = [];
    const input: CallInput = {
      audio: (bytes, position) => heard.push(`audio ${bytes.length} at ${position}`),
      played: () => {},
      text: (text) => heard.push(text),
      dtmf: () => {},
      close: (reason) => heard.push(`close ${reason}`),
    };
    let transport: Transport | undefined;
    const host = createEdge({
      version: '9',
      token: 'secret',
      start: (line) => {
        transport = line;
        return { input, session: 's-1' };
      },
      upgrade: () => ({ socket, response: new Response('upgraded') }),
    });
    const ask = (path: string) =>
      host.fetch(new Request(`https://edge.example${path}`, { headers: { upgrade: 'websocket' } }));
    assert.equal((await ask('/call')).status, 401);
    assert.equal(await (await ask('/call?rate=8000&access_token=secret')).text(), 'upgraded');
    listeners.get('message')?.({ data: new Uint8Array(320).buffer });
    listeners.get('message')?.({ data: '{"type":"text","text":"hi"}' });
    transport?.play(new Int16Array(160));
    listeners.get('message')?.({ data: '{"type":"bye"}' });
    assert.deepEqual(heard, ['audio 320 at 0', 'hi', 'close bye']);
    assert.equal(JSON.parse(String(sent[0])).type, 'ready');
    assert.equal((sent[1] as Uint8Array).length, 320);
    assert.equal(sent[2], 'close 1000');
  });

  it('says so where the platform has no sockets', async () => {
    const host = createEdge({ version: '9', token: 'x', start: () => ({ refused: 'no' }) });
    const headers = { upgrade: 'websocket', authorization: 'Bearer x' };
    assert.equal((await host.fetch(new Request('https://edge.example/call', { headers }))).status, 501);
  });

  it('runs as one bundle without any permission', { skip: missing('bun') || missing('deno') }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'syrinx-edge-'));
    try {
      const built = spawnSync(
        runtimePath('bun'),
        [
          'build',
          ENTRY,
          '--target=browser',
          '--format=esm',
          '--conditions=workerd',
          `--outfile=${join(folder, 'edge.js')}`,
        ],
        { encoding: 'utf8', timeout: 20_000 },
      );
      assert.equal(built.status, 0, built.stderr);
      const bundle = readFileSync(join(folder, 'edge.js'), 'utf8');
      assert.doesNotMatch(bundle, /(from|import|require)\s*\(?\s*["'](node|bun|cloudflare):/);
      writeFileSync(
        join(folder, 'run.js'),
        `import edge from './edge.js';
const response = await edge.fetch(new Request('https://edge.example/health'));
console.log(response.status, JSON.stringify(await response.json()));`,
      );
      const run = spawnSync(runtimePath('deno'), ['run', '--no-prompt', '--no-config', join(folder, 'run.js')], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      assert.match(run.stdout, /^200 \{"healthy":true,"status":"healthy"/, run.stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
