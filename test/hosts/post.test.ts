// A POST by each host as a real process: what arrives, and what it makes of answers that are odd, endless or never come.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { HOSTS, missing, start } from './program.ts';

for (const host of HOSTS) {
  describe(`${host} posts`, { skip: missing(host) }, () => {
    let server: Server;
    let base = '';
    const asked: string[] = [];
    let letGo = (): void => {};
    const wasLetGo = new Promise<void>((done) => (letGo = done));
    before(async () => {
      server = createServer((request, response) => {
        asked.push(request.url ?? '');
        if (request.url === '/moved') response.writeHead(302, { location: '/echo' }).end('elsewhere');
        else if (request.url === '/endless') {
          const more = (): void => {
            while (response.write('x'.repeat(65_536)));
          };
          response.on('drain', more).on('close', letGo);
          more();
        } else if (request.url === '/echo') {
          let body = '';
          request.setEncoding('utf8').on('data', (part) => (body += part));
          request.on('end', () => {
            const { 'x-sent': sent, 'content-length': length, 'transfer-encoding': coding } = request.headers;
            response.writeHead(429, { 'retry-after': '7' }).end([request.method, sent, length, coding, body].join('|'));
          });
        }
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
      server.close();
      server.closeAllConnections();
    });
    const post = async (url: string, ...more: string[]) => {
      const { output } = await start(host, 'post', url, ...more).exit();
      return JSON.parse(output.trim().split('\n').at(-1) ?? '');
    };

    it('headers and a body of known length, and gives status, headers and text back', async () => {
      const text = 'POST|by a host|6||héllo';
      assert.deepEqual(await post(`${base}/echo`), { status: 429, wait: '7', text, isLong: false });
    });

    it('and does not follow where it is sent elsewhere', async () => {
      const { status } = await post(`${base}/moved`);
      assert.equal(status, 302);
      assert.deepEqual(asked.slice(-1), ['/moved']);
    });

    it('and lets an answer without end go', async () => {
      const { status, isLong } = await post(`${base}/endless`);
      assert.deepEqual([status, isLong], [200, true]);
      await wasLetGo;
    });

    it('until it is aborted', async () => {
      const { error } = await post(`${base}/silent`, '200');
      assert.match(error, /^(TimeoutError|AbortError)$/);
    });

    it('and says that nobody is there', async () => {
      const { error } = await post('http://127.0.0.1:1/');
      assert.match(error, /Error$/);
    });
  });
}
