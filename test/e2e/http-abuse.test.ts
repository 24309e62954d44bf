// What strangers do to the HTTP side of `syrinx start`: bodies that are too large or never end, crowds, half-open connections, endless
// addresses and headers. Each is answered or cut, and the call beside it goes on.
// real time: a body that never ends is waited for 5 s, and calls take as long as they take.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { samplesOf } from './metrics-text.ts';
import { endAll, HOSTS, type HostName, type Server, serve } from './program.ts';
import { dial, type SocketCaller } from './socket-caller.ts';
import { onSteadyMachine } from './steadiness.ts';

after(endAll);

/** As src/server/bodies.ts waits. */
const BODY_MS = 5000;
const SLACK_MS = 2500;
const HALF_OPEN = 200;
const SCRAPERS = 1000;

/** Sends bytes as they are; resolves with what came back when the far end is done, or after the limit. */
function raw(server: Server, text: string, limitMs: number): Promise<{ answer: string; ms: number }> {
  const { hostname, port } = new URL(server.url);
  const startMs = performance.now();
  return new Promise((done) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const end = () => {
      clearTimeout(limit);
      socket.destroy();
      done({ answer, ms: performance.now() - startMs });
    };
    const limit = setTimeout(end, limitMs);
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
      if (answer.includes('\r\n\r\n')) end();
    });
    socket.on('error', end).on('close', end);
  });
}
const statusOf = (answer: string): number => Number(/^HTTP\/1\.\d (\d{3})/.exec(answer)?.[1] ?? 0);

async function answers(call: SocketCaller): Promise<void> {
  const before = call.notices.filter(({ type }) => type === 'reply').length;
  call.say({ type: 'text', text: 'Hello world.' });
  for (const endMs = performance.now() + 15_000; ; ) {
    if (call.notices.filter(({ type }) => type === 'reply').length > before) return;
    assert.ok(performance.now() < endMs, 'the call is answered');
    await new Promise((go) => setTimeout(go, 50));
  }
}

async function tooLarge(server: Server, session: string): Promise<void> {
  const url = `${server.url}/sessions/${session}/rating`;
  const declared = await fetch(url, { method: 'POST', body: 'x'.repeat(200_000) });
  assert.equal(declared.status, 413);
  const head = `POST ${new URL(url).pathname} HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n`;
  const { answer } = await raw(server, head + `4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(250), 5000);
  // Some hosts cut the line while the client still sends: that is an answer, too.
  assert.ok([413, 0].includes(statusOf(answer)), answer.slice(0, 100));
  const notJson = await fetch(url, { method: 'POST', body: '\u0000{' });
  assert.equal(notJson.status, 400);
}

async function tooSlow(server: Server, session: string): Promise<void> {
  const head = `POST /sessions/${session}/rating HTTP/1.1\r\nhost: 127.0.0.1\r\n`;
  const halves = [`${head}content-length: 20\r\n\r\n{"rat`, `${head}transfer-encoding: chunked\r\n\r\n5\r\n{"rat\r\n`];
  const all = await Promise.all(halves.map((half) => raw(server, half, BODY_MS + SLACK_MS)));
  for (const { answer, ms } of all) {
    const isCut = answer === '' && ms < BODY_MS + SLACK_MS;
    assert.ok(statusOf(answer) === 408 || isCut, `${answer.slice(0, 200)} in ${ms} ms`);
  }
}

async function crowd(server: Server): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const silent: Socket[] = Array.from({ length: HALF_OPEN }, () =>
    connect(Number(port), hostname).on('error', () => {}),
  );
  for (const [i, socket] of silent.entries()) if (i % 2 === 0) socket.write('GET /metrics HTTP/1.1\r\nhost: 127');
  const pages = await Promise.all(
    Array.from({ length: SCRAPERS }, async () => {
      const response = await fetch(`${server.url}/metrics`);
      return { status: response.status, text: await response.text() };
    }),
  );
  assert.equal(pages.filter(({ status, text }) => status === 200 && text.endsWith('\n')).length, SCRAPERS);
  assert.ok(samplesOf(pages[0]?.text ?? '').size > 100);
  const probe = await raw(server, 'GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n', 3000);
  assert.equal(statusOf(probe.answer), 200);
  for (const socket of silent) socket.destroy();
}

async function oddRequests(server: Server): Promise<void> {
  const host = 'host: 127.0.0.1\r\n';
  const requests: readonly (readonly [what: string, text: string, codes: readonly number[]])[] = [
    ['an endless address', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`, [0, 400, 404, 413, 414, 431]],
    [
      'a flood of headers',
      `GET /health HTTP/1.1\r\n${host}${'x-y: z\r\n'.repeat(20_000)}\r\n`,
      [0, 200, 400, 413, 431],
    ],
    ['no HTTP', '\u0000\u0001\u0002 nonsense\r\n\r\n', [0, 400]],
    ['a foreign host', 'GET /metrics HTTP/1.1\r\nhost: evil.example\r\n\r\n', [403]],
    ['a method of its own', `BREW /metrics HTTP/1.1\r\n${host}\r\n`, [0, 400, 405, 501]],
  ];
  for (const [what, text, codes] of requests) {
    const { answer } = await raw(server, text, 3000);
    assert.ok(codes.includes(statusOf(answer)), `${what}: ${answer.slice(0, 100)}`);
  }
}

async function abuse(host: HostName): Promise<void> {
  const server = await serve(host);
  const call = await dial(`${server.socketUrl}?rate=16000`);
  const { session } = await call.notice('ready');
  await answers(call);
  await tooLarge(server, String(session));
  await Promise.all([tooSlow(server, String(session)), crowd(server), answers(call)]);
  await oddRequests(server);
  await answers(call);
  // Every path of strangers is one label.
  const routes = new Set(
    [
      ...(await (await fetch(`${server.url}/metrics`)).text()).matchAll(/^http_requests_total\{.*route="([^"]*)"/gm),
    ].map(([, route]) => route),
  );
  for (const route of routes) assert.ok(route === 'other' || /^\/[\w/:]*$/.test(route ?? ''), `route ${route}`);
  call.say({ type: 'bye' });
  assert.equal((await call.closed).code, 1000);
  server.program.signal('SIGTERM');
  const { code, stderr } = await server.program.exit();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /Unhandled|^\s+at /m);
}

describe('a server whose HTTP is abused', { concurrency: 2 }, () => {
  for (const host of HOSTS) {
    test(`${host}: every misuse is answered or cut, the call beside it goes on`, () =>
      onSteadyMachine(() => abuse(host)));
  }
});
