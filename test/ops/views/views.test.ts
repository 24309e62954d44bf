// The JSON views out of a snapshot: shapes, windows, unknown values that stay unknown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';
import {
  createWindows,
  dashboardData,
  jsonMetrics,
  WINDOW_METRICS,
  type WorkerStatus,
} from '../../../src/ops/views/index.ts';
import { createCallInstruments } from '../../../src/runner/instruments.ts';

const WORKER: WorkerStatus = { worker_id: 'w', status: 'running', active_jobs: 0, max_jobs: 100, load: 0 };
const FACTS = {
  memoryBytes: 1000,
  memoryLimitBytes: 4000,
  connections: { http: 1, websocket: 0, media: 0 },
  workers: [WORKER],
};

function rig() {
  const registry = createRegistry();
  const instruments = createCallInstruments(registry, ['weather']);
  const windows = createWindows();
  const look = (nowMs: number) => windows.look(takeSnapshot(registry, WINDOW_METRICS), nowMs);
  const end = (reason: string, responseMs: number | null = null) => {
    const call = instruments.started('websocket');
    if (responseMs !== null) {
      const ledger = {
        turn: 1,
        caller: { startMs: 0, endMs: 1, text: '' },
        agent: { text: '', heard: '', startMs: 2, endMs: 3, interruptedAtMs: null },
        stages: [],
        responseMs,
        overheadMs: 1,
        unexplainedMs: 0,
      };
      call.telemetry({ type: 'turn', ledger }, 0);
    }
    call.ended(reason, 1000);
  };
  const dashboard = () =>
    dashboardData(takeSnapshot(registry), windows, FACTS) as Record<string, Record<string, unknown>>;
  return { registry, instruments, windows, look, end, dashboard };
}

test("DSH-01..11: an idle process has the specification's shape, and null where nothing happened", () => {
  const { look, dashboard } = rig();
  look(0);
  const data = dashboard();
  assert.deepEqual(Object.keys(data), ['overview', 'system', 'performance_trends', 'top_errors', 'worker_status']);
  assert.deepEqual(data.overview, {
    active_sessions: 0,
    success_rate: null,
    avg_response_time: null,
    error_rate: null,
  });
  assert.deepEqual(data.system, {
    cpu_usage: { process: null, system: null },
    memory_usage: { rss_bytes: 1000, limit_bytes: 4000, share: 0.25 },
    active_connections: FACTS.connections,
    queue_size: null,
  });
  assert.deepEqual(data.top_errors, []);
  assert.deepEqual(data.worker_status, [WORKER]);
});

test('rates and means are of the window, trends compare it with the one before', () => {
  const { look, end, dashboard, windows } = rig();
  look(0);
  // The first five minutes: 4 calls, one of which failed.
  for (const reason of ['bye', 'bye', 'bye', 'model failure']) end(reason, 400);
  for (let ms = 5000; ms <= 300_000; ms += 5000) look(ms);
  assert.equal(windows.previous()?.sessionsEnded ?? null, 0);
  assert.equal(windows.current().successRate, 0.75);
  assert.equal(windows.current().avgResponseMs, 400);
  // The next: 2 calls, all well and slower.
  for (const reason of ['bye', 'bye']) end(reason, 600);
  for (let ms = 305_000; ms <= 600_000; ms += 5000) look(ms);
  const { overview, performance_trends: trends } = dashboard();
  assert.equal(overview?.success_rate, 1);
  assert.equal(overview?.error_rate, 0);
  assert.equal(overview?.avg_response_time, 600);
  assert.deepEqual(trends?.success_rate, { current: 1, previous: 0.75, change_percent: 33.3 });
  const response = trends?.response_time_ms as Record<string, unknown>;
  assert.equal(response.previous, 400);
  assert.equal(response.change_percent, 50);
  assert.equal(Math.round((response.percentiles_since_start as { p99: number }).p99 / 10), 60);
  // And one in which nothing ended: unknown, not 0 and not 100 %.
  for (let ms = 605_000; ms <= 900_000; ms += 5000) look(ms);
  assert.equal(dashboard().overview?.success_rate, null);
  assert.equal(windows.previous()?.successRate, 1);
});

test('a clock that goes back begins anew instead of inventing', () => {
  const { look, end, windows } = rig();
  look(1_000_000);
  end('bye');
  look(1_005_000);
  look(10);
  assert.equal(windows.current().seconds, 0);
  assert.equal(windows.previous(), null);
});

test('DSH-10: errors are counted by type, the most frequent first, ten at most', () => {
  const { instruments, dashboard, look } = rig();
  const call = instruments.started('websocket');
  for (let i = 0; i < 12; i++) {
    for (let n = 0; n <= i; n++) call.telemetry({ type: 'failure', stage: 'llm', turn: 1, kind: `k${i}` }, 0);
  }
  look(0);
  const errors = dashboard().top_errors as unknown as { type: string; count: number }[];
  assert.equal(errors.length, 10);
  assert.deepEqual(errors[0], { type: 'llm.k11', count: 12 });
});

test("the contract's metrics: every field measured, null or absent", () => {
  const { registry, instruments, end } = rig();
  const facts = { memoryBytes: 50 * 1024 * 1024 };
  const idle = jsonMetrics(takeSnapshot(registry), facts);
  assert.deepEqual(idle, {
    jobs: { total_jobs: 0, active_jobs: 0, completed_jobs: 0, failed_jobs: 0, average_duration_ms: null },
    sessions: { total_sessions: 0, active_sessions: 0, messages_processed: 0, average_session_duration_ms: null },
    audio: {
      audio_segments_processed: 0,
      average_processing_latency_ms: null,
      vad_activations: null,
      audio_quality_score: null,
    },
    tools: { tool_calls_executed: 0, tool_execution_errors: 0, average_tool_duration_ms: null, tools_by_usage: [] },
    system: { memory_usage_mb: 50, cpu_usage_percent: null, network_bytes_sent: null, network_bytes_received: null },
  });
  end('bye');
  end('model failure');
  const call = instruments.started('websocket');
  for (const [callId, name, phase] of [
    ['a', 'weather', 'finished'],
    ['b', 'weather', 'failed'],
    ['c', 'made-up', 'failed'],
  ] as const) {
    call.telemetry({ type: 'tool', turn: 1, callId, name, phase: 'started' }, 100);
    call.telemetry({ type: 'tool', turn: 1, callId, name, phase }, 300);
  }
  const { jobs, tools } = jsonMetrics(takeSnapshot(registry), facts) as Record<string, Record<string, unknown>>;
  assert.deepEqual(jobs, {
    total_jobs: 3,
    active_jobs: 1,
    completed_jobs: 1,
    failed_jobs: 1,
    average_duration_ms: 1000,
  });
  assert.equal(tools?.tool_calls_executed, 3);
  assert.equal(tools?.tool_execution_errors, 2);
  assert.equal(tools?.average_tool_duration_ms, 200);
  assert.deepEqual(tools?.tools_by_usage, [
    { tool_name: 'weather', call_count: 2 },
    { tool_name: '_other', call_count: 1 },
  ]);
});
