// The history behind the supervisor: every process is asked, one that is silent is named, one that lacks a metric is no trouble.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { addProcessHistory } from '../../../src/cli/processes/history.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { sourceOf } from '../../../src/ops/history/index.ts';
import { historyRoutes } from '../../../src/server/routes/history.ts';
import { securityHeaders } from '../../../src/server/security-headers.ts';
import { createRig, START } from '../../ops/history/history-rig.ts';

/** Each process counts `calls` by its own number; the second alone has `rare`. */
async function build(silent: readonly number[] = []) {
  const apps = await Promise.all(
    [1, 2, 3].map(async (number) => {
      const rig = createRig();
      const calls = rig.registry.counter({ name: 'calls', help: 'h' }).labels();
      const active = rig.registry.gauge({ name: 'active', help: 'h' }).labels();
      const rare = number === 2 ? rig.registry.counter({ name: 'rare', help: 'h' }).labels() : undefined;
      await rig.history.start();
      await rig.seconds(30, () => {
        calls.add(number);
        active.set(number);
        rare?.add();
      });
      const source = sourceOf(rig.history, { now: () => 0, pause: async () => {} });
      const own = new Hono();
      historyRoutes({
        now: () => rig.epochMs,
        source,
        nearest,
        origin: '',
        pacing: { now: () => 0, pause: async () => {} },
      }).add(own);
      return own;
    }),
  );
  const app = new Hono();
  const watch = {
    reports: () => [1, 2, 3].map((number) => ({ number })) as never,
    ask: async (number: number, path: string) =>
      silent.includes(number) ? null : await (apps[number - 1] as Hono).request(path),
  };
  addProcessHistory(app, { watch, now: () => START + 30_000 }, securityHeaders());
  return async (path: string) => {
    const answer = await app.request(`/api/history${path}`);
    const text = await answer.text();
    return {
      status: answer.status,
      text,
      body: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>,
    };
  };
}

test('sums over all, gauges by process, metrics of one process, formats as elsewhere', async () => {
  const get = await build();
  const all = await get('');
  const names = (all.body.series as { name: string }[]).map(({ name }) => name);
  assert.equal(names.filter((name) => name === 'calls').length, 1);
  assert.equal(names.filter((name) => name === 'active').length, 3);
  const series = async (query: string) =>
    ((await get(`/query?${query}&step=60`)).body.series as { sum: number[]; info: { labels: object } }[]).map(
      ({ sum, info }) => [info.labels, sum],
    );
  assert.deepEqual(await series('name=calls'), [[{}, [180]]]);
  assert.deepEqual(await series('name=rare'), [[{}, [30]]]);
  assert.deepEqual(await series('name=active&label.process=3'), [[{ process: '3' }, [90]]]);
  const metrics = await get('/query?name=calls&step=60&format=prometheus');
  assert.match(metrics.text, /^calls_total 180 /m);
  const page = await get('/query?name=active&format=html');
  assert.match(page.text, /process 1[^]*process 2[^]*process 3/);
  assert.equal((await get('/query?name=cals')).status, 404);
  assert.equal((await get('/query?name=calls&step=x')).status, 400);
});

test('a silent process is missing by name; with all silent nobody answers', async () => {
  const get = await build([2]);
  const { body } = await get('/query?name=calls&step=60');
  assert.deepEqual([body.missing, (body.series as { sum: number[] }[])[0]?.sum], [['2'], [120]]);
  assert.match(String((await get('')).body.problem), /process 2 does not answer/);
  assert.match((await get('/query?name=calls&format=html')).text, /Process 2 did not answer/);
  const nobody = await build([1, 2, 3]);
  assert.equal((await nobody('')).status, 503);
  assert.equal((await nobody('/query?name=calls')).status, 503);
});
