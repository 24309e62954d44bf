// JSON views of several processes as one: made from the views of real registries, and compared with one registry that saw everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeDashboards, mergeJsonMetrics, mergeTools, type Part } from '../../../src/cli/processes/merge.ts';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';
import { createWindows, dashboardData, jsonMetrics } from '../../../src/ops/views/index.ts';
import { createCallInstruments } from '../../../src/runner/instruments.ts';

/** A process in which so many calls ended, some of them failed, with response times of their own. */
class Process {
  readonly registry = createRegistry();
  readonly windows = createWindows();
  readonly #calls = createCallInstruments(this.registry, ['weather']);

  hold(lengthsMs: readonly number[], responsesMs: readonly number[], reason = 'over'): this {
    for (const lengthMs of lengthsMs) {
      const call = this.#calls.started('test');
      for (const responseMs of responsesMs) {
        call.telemetry({ type: 'turn', ledger: turn(responseMs) }, 0);
        call.telemetry({ type: 'tool', turn: 1, callId: 'a', name: 'weather', phase: 'started' }, 0);
        call.telemetry({ type: 'tool', turn: 1, callId: 'a', name: 'weather', phase: 'finished' }, responseMs);
      }
      if (reason !== 'over') call.telemetry({ type: 'failure', stage: 'llm', turn: 1, kind: 'timeout' }, 0);
      call.frames(1, 0, 5, 0.1);
      call.ended(reason, lengthMs);
    }
    return this;
  }

  dashboard(id = 'one'): Part['body'] {
    this.windows.look(takeSnapshot(this.registry), 1000);
    return dashboardData(takeSnapshot(this.registry), this.windows, {
      memoryBytes: 100,
      memoryLimitBytes: 1000,
      connections: { http: 1, websocket: 2, media: 0 },
      workers: [{ worker_id: id, status: 'running', active_jobs: 0, max_jobs: 10, load: 0 }],
    });
  }
}

function turn(responseMs: number) {
  const caller = { startMs: 0, endMs: 100, text: 'x' };
  const agent = { startMs: 100 + responseMs, endMs: 5000, interruptedAtMs: null, heard: 'y', said: 'y' };
  const rest = { stages: [], overheadMs: 10, unexplainedMs: 0 };
  return { turn: 1, caller, agent, responseMs, ...rest } as never;
}

const pair = () =>
  [new Process().hold([1000, 3000], [200]), new Process().hold([5000], [400, 800], 'model failure')] as const;
const both = () => new Process().hold([1000, 3000], [200]).hold([5000], [400, 800], 'model failure');
const parts = (bodies: readonly Part['body'][]): Part[] => bodies.map((body, i) => ({ process: i + 1, body }));

test('two dashboards are what one process would show that had held all the calls', () => {
  const [a, b] = pair();
  const merged = mergeDashboards(parts([a.dashboard('a'), b.dashboard('b')]));
  const one = both().dashboard();
  assert.deepEqual(Object.keys(merged), Object.keys(one));
  assert.deepEqual(merged.overview, one.overview);
  assert.deepEqual(merged.top_errors, one.top_errors);
  const [own, single] = [merged, one].map(({ performance_trends: trends }) => {
    const { response_time_ms: response, ...others } = trends as Record<string, Record<string, unknown>>;
    return { others, current: response?.current };
  });
  assert.deepEqual(own, single);
  assert.deepEqual(merged.system, {
    cpu_usage: { process: null, system: null },
    memory_usage: { rss_bytes: 200, limit_bytes: 1000, share: 0.2 },
    active_connections: { http: 2, websocket: 4, media: 0 },
    queue_size: null,
  });
  assert.deepEqual(
    (merged.worker_status as { process: number; worker_id: string }[]).map((one) => [one.process, one.worker_id]),
    [
      [1, 'a'],
      [2, 'b'],
    ],
  );
});

test('two objects of numbers are what one process would tell; means are weighted', () => {
  const told = ({ registry }: Process) => jsonMetrics(takeSnapshot(registry), { memoryBytes: 1024 * 1024 });
  const merged = mergeJsonMetrics(parts(pair().map(told)));
  const one = told(both());
  const near = (value: unknown, wanted: unknown, path: string): void => {
    if (typeof wanted === 'number') assert.ok(Math.abs(Number(value) - wanted) < 0.01, `${path}: ${value}, ${wanted}`);
    else if (typeof wanted !== 'object' || wanted === null) assert.equal(value, wanted, path);
    else {
      for (const [name, inner] of Object.entries(wanted))
        near((value as Record<string, unknown>)[name], inner, `${path}.${name}`);
    }
  };
  for (const group of ['jobs', 'sessions', 'audio', 'tools']) near(merged[group], one[group], group);
  assert.equal((merged.system as { memory_usage_mb: number }).memory_usage_mb, 2);
});

test('tools are listed once, with the calls of all', () => {
  const tool = (calls: number, averageMs: number | null) => ({
    tools: [{ name: 'weather', description: 'w', call_count: calls, error_count: 1, average_duration_ms: averageMs }],
  });
  assert.deepEqual(mergeTools(parts([tool(1, 100), tool(3, 300), tool(0, null)])), {
    tools: [{ name: 'weather', description: 'w', call_count: 4, error_count: 3, average_duration_ms: 250 }],
    total: 1,
  });
});

test('nothing known stays null, and rubbish is left out', () => {
  const { overview, top_errors: errors } = mergeDashboards(parts([{ overview: 7, top_errors: 'x' }, {}])) as Record<
    string,
    unknown
  >;
  assert.deepEqual(overview, { active_sessions: null, success_rate: null, avg_response_time: null, error_rate: null });
  assert.deepEqual(errors, []);
  assert.deepEqual(mergeTools(parts([{ tools: 3 }, {}])), { tools: [], total: 0 });
});
