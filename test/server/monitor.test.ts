// The monitor over HTTP: one look at all sessions, one session in full, streams of events, and who reads too slowly.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMonitorInstruments } from '../../src/ops/monitor/index.ts';
import { takeSnapshot } from '../../src/metrics/index.ts';
import { createApp } from '../../src/server/app.ts';
import type { AuthOptions } from '../../src/server/options.ts';
import { createRequestCounter } from '../../src/server/requests.ts';
import { monitorRoutes } from '../../src/server/routes/monitor.ts';
import { EPOCH_MS, Rig } from '../ops/monitor/rig.ts';

function build(auth: AuthOptions = { loopback: true }) {
  const rig = new Rig();
  const instruments = createMonitorInstruments(rig.registry);
  const routes = monitorRoutes({ now: () => EPOCH_MS + rig.now(), desk: rig.desk, instruments });
  const app = createApp({
    version: '1',
    startedAtMs: 0,
    now: () => EPOCH_MS,
    health: () => ({ status: 'healthy', checks: [] }),
    ready: () => ({ ready: true, services: [], activeJobs: 0, maxJobs: 1 }),
    metricsText: () => '',
    status: () => ({}),
    sessions: { list: () => [], get: () => undefined },
    tools: () => [],
    auth,
    requests: createRequestCounter(),
    extensions: [routes],
  });
  const json = async (path: string) => {
    const response = await app.request(path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const value = (name: string) => {
    const found = takeSnapshot(rig.registry).find((one) => one.name === `syrinx.monitor.${name}`);
    return found === undefined || found.kind === 'histogram' ? null : found.value;
  };
  return { rig, app, routes, json, value };
}

interface Told {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Reads a stream to its end, or until it is stopped. */
function reading(response: Response): { readonly events: Told[]; readonly done: Promise<void>; stop(): Promise<void> } {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const events: Told[] = [];
  const decoder = new TextDecoder();
  const run = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      for (const block of decoder.decode(part.value).split('\n\n')) {
        const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (event !== undefined && data !== undefined) events.push({ event, data: JSON.parse(data) as Told['data'] });
      }
    }
  };
  return { events, done: run(), stop: () => reader.cancel() };
}

describe('looks', () => {
  it('tell one line for each session, null for what is not measured', async () => {
    const { rig, json } = build();
    assert.deepEqual((await json('/monitor')).body.sessions, []);
    rig.open('a');
    rig.open('b');
    rig.set('audio_processor', 'latency_ms', 160, 'b');
    rig.setSystem('memory_mb', 90);
    await rig.run(1000);
    const { body } = await json('/monitor');
    const system = { memory_mb: 90, memory_percent: null, cpu_percent: null, process_cpu_percent: null };
    const nothing = { quality_score: null, response_ms: null, error_rate: null };
    assert.deepEqual(body, {
      timestamp: new Date(EPOCH_MS + 1000).toISOString(),
      system: { ...system, loop_lag_ms: null },
      sessions: [
        { session_id: 'a', score: 100, grade: 'excellent', latency_ms: null, ...nothing, alerts: [] },
        { session_id: 'b', score: 50, grade: 'critical', latency_ms: 160, ...nothing, alerts: ['latency_ms'] },
      ],
    });
  });

  it('tell all of one session, with its last minute and what its minutes add up to', async () => {
    const { rig, json } = build();
    rig.open('a');
    rig.set('session', 'turns', 2, 'a');
    assert.equal((await json('/monitor/a')).body.timestamp, null);
    await rig.run(1000);
    const { body } = await json('/monitor/a');
    assert.equal((body.components as Record<string, Record<string, unknown>>).session?.turns, 2);
    assert.equal((body.history as unknown[]).length, 4);
    assert.equal((body.report as Record<string, unknown>).ticks, 4);
    rig.close('a');
    const { status, body: gone } = await json('/monitor/a');
    assert.deepEqual([status, gone.error], [404, 'session_not_found']);
  });

  it('show the system though nothing is watched, without a timer', async () => {
    const { rig, json } = build();
    rig.setSystem('cpu_percent', 12);
    assert.equal(((await json('/monitor')).body.system as Record<string, unknown>).cpu_percent, 12);
    assert.equal(rig.time.pending, 0);
  });

  it('need the token like all that operators ask', async () => {
    const { app } = build({ loopback: false, token: 'secret-token-of-16' });
    for (const path of ['/monitor', '/monitor/stream', '/monitor/a'])
      assert.equal((await app.request(path)).status, 401);
    const headers = { authorization: 'Bearer secret-token-of-16' };
    assert.equal((await app.request('/monitor', { headers })).status, 200);
    assert.equal((await app.request('/monitor', { headers, method: 'POST' })).status, 405);
  });
});

describe('streams', () => {
  it('tell all sessions four times a second, and alerts and ends when they come', async () => {
    const { rig, app, value } = build();
    rig.open('a');
    const response = await app.request('/monitor/stream');
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const { events, stop } = reading(response);
    rig.set('audio_processor', 'latency_ms', 400, 'a');
    await rig.run(2000);
    assert.equal(events.filter(({ event }) => event === 'metrics').length, 8);
    assert.deepEqual(
      events.filter(({ event }) => event === 'alert').map(({ data }) => [data.session_id, data.metric, data.state]),
      [['a', 'latency_ms', 'raised']],
    );
    assert.equal(value('readers'), 1);
    rig.close('a');
    await rig.run(500);
    assert.deepEqual(
      events.slice(-3).map(({ event }) => event),
      ['ended', 'metrics', 'metrics'],
    );
    await stop();
    assert.equal(value('readers'), 0);
    assert.equal(rig.time.pending, 0);
  });

  it('of one session tell it in full, and end with it', async () => {
    const { rig, app, value } = build();
    rig.open('a');
    rig.open('b');
    assert.equal((await app.request('/monitor/stream?session=x')).status, 404);
    const { events, done } = reading(await app.request('/monitor/stream?session=a'));
    rig.set('llm_client', 'requests', 7, 'a');
    rig.set('audio_processor', 'latency_ms', 400, 'b');
    await rig.run(60_000);
    const of = (name: string) => events.filter(({ event }) => event === name);
    assert.equal(of('metrics').length, 240);
    assert.equal(of('health').length, 13);
    assert.deepEqual(
      of('report').map(({ data }) => [data.session_id, data.ticks]),
      [['a', 240]],
    );
    assert.deepEqual(of('alert'), []);
    const { components } = (of('metrics')[0] as Told).data as { components: Record<string, Record<string, unknown>> };
    assert.equal(components.llm_client?.requests, 7);
    rig.close('a');
    await done;
    assert.equal(events.at(-1)?.event, 'ended');
    assert.equal(value('readers'), 0);
  });

  it('cut off and count a reader that does not keep up; others go on', async () => {
    const { rig, app, value } = build();
    for (let i = 0; i < 100; i++) rig.open(`session-${i}`);
    const slow = await app.request('/monitor/stream');
    const { events, stop } = reading(await app.request('/monitor/stream'));
    await rig.run(60_000);
    assert.equal(value('readers.dropped'), 1);
    assert.equal(value('readers'), 1);
    assert.equal(events.filter(({ event }) => event === 'metrics').length, 240);
    // What waited for the slow one, and nothing more.
    const bytes = (await slow.arrayBuffer()).byteLength;
    assert.ok(bytes > 128 * 1024 && bytes < 2 * 128 * 1024, `${bytes}`);
    await stop();
  });

  it('do not take what happens to a thousand sessions at once for a slow reader', async () => {
    const { rig, app, value } = build();
    const ids = Array.from({ length: 1000 }, (_, i) => `session-${i}`);
    for (const id of ids) rig.open(id);
    const { events, stop } = reading(await app.request('/monitor/stream'));
    rig.setSystem('cpu_percent', 99);
    rig.setSystem('memory_mb', 900);
    await rig.run(1000);
    for (const id of ids) rig.close(id);
    await rig.run(500);
    const count = (name: string) => events.filter(({ event }) => event === name).length;
    assert.deepEqual([count('alert'), count('ended'), count('metrics')], [2000, 1000, 6]);
    assert.equal(value('readers.dropped'), 0);
    await stop();
  });

  it('are 32 at most, none of them opened by HEAD', async () => {
    const { rig, app, value, routes } = build();
    rig.open('a');
    for (let i = 0; i < 5; i++) assert.equal((await app.request('/monitor/stream', { method: 'HEAD' })).status, 200);
    assert.equal(value('readers'), 0);
    const open: Response[] = [];
    while (open.length < 32) open.push(await app.request('/monitor/stream'));
    const refused = await app.request('/monitor/stream');
    assert.deepEqual([refused.status, ((await refused.json()) as Record<string, unknown>).error], [503, 'busy']);
    routes.close?.();
    assert.equal(value('readers'), 0);
    assert.equal((await app.request('/monitor/stream')).status, 503, 'the port is about to close');
    for (const response of open) assert.match(await response.text(), /^retry: 2000\n\n$/);
    rig.close('a');
    assert.equal(rig.time.pending, 0);
  });
});
