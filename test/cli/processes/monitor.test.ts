// The monitor of several processes: one list of their sessions, and one session wherever it runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { addProcessMonitor } from '../../../src/cli/processes/monitor.ts';
import type { ProcessReport } from '../../../src/cli/processes/watch.ts';

function rig(answers: Readonly<Record<string, () => Response>>) {
  const asked: string[] = [];
  const app = new Hono();
  const reports = [1, 2, 3].map((number) => ({ number }) as ProcessReport);
  addProcessMonitor(
    app,
    {
      watch: {
        reports: () => reports,
        async ask(number, path, init) {
          asked.push(`${number} ${path}${init?.signal === undefined ? '' : ' for as long as it is read'}`);
          return answers[`${number} ${path}`]?.() ?? null;
        },
      },
      now: () => 0,
    },
    (_, next) => next(),
  );
  const json = async (path: string) => {
    const response = await app.request(path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { app, asked, json };
}

const part = (cpu: number, ...ids: string[]) =>
  Response.json({ system: { cpu_percent: cpu }, sessions: ids.map((session_id) => ({ session_id })) });

test('sessions of all processes that answer, with the number of each', async () => {
  const { json } = rig({ '1 /monitor': () => part(10, 'a'), '2 /monitor': () => part(20, 'b', 'c') });
  const { status, body } = await json('/monitor');
  assert.equal(status, 200);
  assert.deepEqual(body, {
    timestamp: '1970-01-01T00:00:00.000Z',
    processes: [
      { process: 1, system: { cpu_percent: 10 } },
      { process: 2, system: { cpu_percent: 20 } },
    ],
    sessions: [
      { session_id: 'a', process: 1 },
      { session_id: 'b', process: 2 },
      { session_id: 'c', process: 2 },
    ],
  });
  assert.equal((await rig({}).json('/monitor')).status, 503);
});

test('one session is found in the process that has it, its stream too', async () => {
  const { app, asked, json } = rig({
    '1 /monitor/b%2F': () => new Response(null, { status: 404 }),
    '2 /monitor/b%2F': () => Response.json({ session_id: 'b/' }),
    '2 /monitor/stream?session=b%2F': () =>
      new Response('retry: 2000\n\n', { headers: { 'content-type': 'text/event-stream' } }),
  });
  assert.deepEqual((await json('/monitor/b%2F')).body, { session_id: 'b/' });
  const stream = await app.request('/monitor/stream?session=b%2F');
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  assert.deepEqual(asked, [
    '1 /monitor/b%2F',
    '2 /monitor/b%2F',
    '1 /monitor/stream?session=b%2F for as long as it is read',
    '2 /monitor/stream?session=b%2F for as long as it is read',
  ]);
  assert.deepEqual((await json('/monitor/x')).status, 404);
});

test('there is no stream of all processes together, and the answer says where they are', async () => {
  const { json, asked } = rig({});
  const { status, body } = await json('/monitor/stream');
  assert.deepEqual([status, body.error], [400, 'no_common_stream']);
  assert.match(String(body.message), /\/processes\/\{number\}\/monitor\/stream/);
  assert.deepEqual(asked, []);
});
