// The same server on Bun, Deno and Node as real processes: HTTP, sockets, a busy port, signals.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HOSTS, missing, type Program, start } from './program.ts';
import { openSocket } from './socket-client.ts';

for (const host of HOSTS) {
  describe(`${host} serves`, { skip: missing(host) }, () => {
    let program: Program;
    let port: number;
    before(async () => {
      program = start(host, 'serve', '0');
      const [, found, url] = await program.line(/^listening (\d+) (\S+)$/);
      port = Number(found);
      assert.equal(url, `http://127.0.0.1:${port}/`);
    });
    after(() => program.kill());

    it('HTTP with bodies', async () => {
      const response = await fetch(`http://127.0.0.1:${port}/path`, { method: 'POST', body: 'the body' });
      assert.equal(response.status, 200);
      assert.equal(await response.text(), 'POST /path the body');
    });

    it('text and binary messages, in order', async () => {
      const socket = await openSocket(`ws://127.0.0.1:${port}/call`);
      assert.equal(await socket.next(), 'open 0');
      socket.send('héllo');
      const bytes = Uint8Array.from({ length: 640 }, (_, i) => i % 251);
      socket.send(bytes);
      socket.send(new Uint8Array(100_000));
      assert.equal(await socket.next(), 'text héllo');
      assert.deepEqual(await socket.next(), bytes);
      assert.equal(((await socket.next()) as Uint8Array).length, 100_000);
      socket.close(1000);
      assert.equal((await socket.closed).code, 1000);
      // A normal close ends a call, any other is waited for: the server must know which it was.
      await program.line(/^closed 1000$/);
    });

    it('audio to a client that reads late, unharmed by the buffer that is used again', async () => {
      const socket = await openSocket(`ws://127.0.0.1:${port}/call`);
      assert.equal(await socket.next(), 'open 0');
      // 14 MB: more than the kernel takes at once, less than Bun keeps for a slow reader (16 MiB).
      socket.send('audio 22000');
      for (let i = 0; i < 22_000; i++) {
        const got = (await socket.next()) as Uint8Array;
        const samples = new Int16Array(got.slice().buffer);
        assert.equal(samples.length, 320);
        assert.ok(
          samples.every((sample) => sample === (i << 16) >> 16),
          `message ${i}`,
        );
      }
      socket.close(1000);
      await socket.closed;
    });

    it('close codes from its own side', async () => {
      for (const code of [1000, 1003, 1007, 1008, 1009, 1013, 4001]) {
        const socket = await openSocket(`ws://127.0.0.1:${port}/call`);
        socket.send(`close ${code}`);
        assert.deepEqual(await socket.closed, { code, reason: 'as asked' });
      }
    });

    it('refusals of handshakes', async () => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      const { request } = await import('node:http');
      const status = await new Promise<string>((done, fail) => {
        const asked = request({ port, host: '127.0.0.1', path: '/refused', headers });
        asked.on('response', (response) => {
          response.resume();
          done(`${response.statusCode} ${response.headers['retry-after']}`);
        });
        asked.on('upgrade', () => fail(new Error('It was taken')));
        asked.on('error', fail);
        asked.end();
      });
      assert.equal(status, '503 5');
    });

    it('an error with the code of the system when the port is taken', async () => {
      const second = start(host, 'serve', String(port));
      const { code, output } = await second.exit();
      assert.match(output, /^error EADDRINUSE$/m);
      assert.equal(code, 3);
    });

    it('until SIGTERM, which closes sockets with 1001', async () => {
      const socket = await openSocket(`ws://127.0.0.1:${port}/call`);
      assert.equal(await socket.next(), 'open 0');
      program.signal('SIGTERM');
      assert.equal((await socket.closed).code, 1001);
      const { code, output } = await program.exit();
      assert.equal(code, 0, output);
      assert.match(output, /^signal SIGTERM$/m);
      await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    });
  });
}
