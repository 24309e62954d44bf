// Whole calls over real sockets on each runtime: the example's client, tokens, resumption, bad frames, a full house.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readWav, writeWav } from '../../src/audio/wav.ts';
import { HOSTS, missing, type Program, start, startFile } from './program.ts';
import { openSocket, type TestSocket } from './socket-client.ts';

const CLIENT = fileURLToPath(new URL('../../examples/websocket-client/client.ts', import.meta.url));

/** The next JSON message of a type; audio and others before it are passed over. */
async function message(socket: TestSocket, type: string): Promise<Record<string, unknown>> {
  for (;;) {
    const got = await socket.next();
    if (typeof got !== 'string') continue;
    const parsed = JSON.parse(got) as Record<string, unknown>;
    if (parsed.type === type) return parsed;
  }
}

for (const host of HOSTS) {
  describe(`calls on ${host}`, { skip: missing(host) }, () => {
    let program: Program;
    let address: string;
    let port: number;
    let folder: string;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'syrinx-calls-'));
      program = start(host, 'calls', '0');
      port = Number((await program.line(/^listening (\d+)/))[1]);
      address = `ws://127.0.0.1:${port}/call?access_token=a-token`;
    });
    after(async () => {
      await program.kill();
      rmSync(folder, { recursive: true });
    });

    it('bring back what the example client says', async () => {
      const spoken = Int16Array.from({ length: 8000 }, (_, i) => ((i * 37) % 2000) + 1);
      writeFileSync(join(folder, 'in.wav'), writeWav(16_000, [spoken]));
      const out = join(folder, 'out.wav');
      const url = `ws://127.0.0.1:${port}/call`;
      const client = startFile(
        host,
        CLIENT,
        join(folder, 'in.wav'),
        '--out',
        out,
        '--url',
        url,
        '--token',
        'a-token',
        '--tail',
        '0.4',
      );
      const { code, output } = await client.exit();
      assert.equal(code, 0, output);
      assert.match(output, /^ready: session echo-1$/m);
      await program.line(/^call over: bye$/);
      const heard = readWav(readFileSync(out)).channels[0] ?? new Int16Array(0);
      // A busy machine may stretch the silence between packets, but every sample arrives, in order.
      const voiced = heard.filter((sample) => sample !== 0);
      assert.deepEqual(voiced, spoken);
    });

    it('need the token', async () => {
      await assert.rejects(openSocket(`ws://127.0.0.1:${port}/call`));
      await assert.rejects(openSocket(`ws://127.0.0.1:${port}/call?access_token=guess`));
      const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: 'Bearer a-token' } });
      // Node's client asks a second time after each 401.
      assert.match(await metrics.text(), /^http_requests_total\{method="GET",route="\/call",status="401"\} [24]$/m);
    });

    it('are resumed on another connection', async () => {
      const first = await openSocket(`${address}&rate=16000`);
      const { resume } = await message(first, 'ready');
      first.send(new Uint8Array(640));
      first.close(4000);
      await first.closed;
      const second = await openSocket(address);
      second.send(JSON.stringify({ type: 'hello', resume }));
      const ready = await message(second, 'ready');
      assert.equal(ready.resumed, true);
      assert.equal(ready.session, 'echo-1');
      assert.equal(ready.outputPosition, 320);
      assert.ok(Number(ready.inputPosition) >= 320);
      second.send(JSON.stringify({ type: 'text', text: 'hi' }));
      assert.equal((await message(second, 'reply')).text, 'You typed: hi');
      second.send(JSON.stringify({ type: 'bye' }));
      assert.equal((await second.closed).code, 1000);
    });

    it('end with the promised codes on bad frames', async () => {
      const large = await openSocket(`${address}&rate=8000`);
      large.send(new Uint8Array(20_000));
      assert.equal((await message(large, 'error')).code, 'frame_too_large');
      assert.equal((await large.closed).code, 1009);
      const odd = await openSocket(`${address}&rate=8000`);
      for (let i = 0; i < 10; i++) odd.send(new Uint8Array(3));
      assert.equal((await odd.closed).code, 1003);
      const garbage = await openSocket(`${address}&rate=8000`);
      for (let i = 0; i < 10; i++) garbage.send('garbage');
      assert.equal((await garbage.closed).code, 1007);
    });

    it('are refused when the house is full, and possible again afterwards', async () => {
      const sockets = [await openSocket(`${address}&rate=8000`), await openSocket(`${address}&rate=8000`)];
      for (const socket of sockets) await message(socket, 'ready');
      await assert.rejects(openSocket(`${address}&rate=8000`));
      assert.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 503);
      for (const socket of sockets) {
        socket.send(JSON.stringify({ type: 'bye' }));
        await socket.closed;
      }
      const again = await openSocket(`${address}&rate=8000`);
      await message(again, 'ready');
      program.signal('SIGTERM');
      assert.equal((await message(again, 'bye')).reason, 'server is stopping');
      assert.equal((await again.closed).code, 1001);
      assert.equal((await program.exit()).code, 0);
    });
  });
}
