// The specification's HTTP endpoints and the structures behind them, asked of the whole program.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { defineAgent, tool } from '../../src/agent/define-agent.ts';
import { MEGABYTE, type Program, type ProgramOptions, startProgram } from './program.ts';

const running: Program[] = [];
after(() => Promise.all(running.map((one) => one.stop())));

function start(options?: ProgramOptions): Program {
  const program = startProgram(options);
  running.push(program);
  return program;
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

test('HLT-02: GET /health answers {"healthy": true, "timestamp": "..."}', async () => {
  const { status, body } = await start().json('/health');
  assert.equal(status, 200);
  assert.equal(body.healthy, true);
  assert.match(String(body.timestamp), ISO);
  // C-17: the superset.
  assert.equal(body.status, 'healthy');
  assert.equal(body.version, '1.2.3');
  assert.ok(Array.isArray(body.checks));
});

test('HLT-03: GET /health/ready answers {"ready": true, "services": [...], "timestamp": "..."}, and /ready the same (C-16)', async () => {
  const program = start();
  program.telemetry.registerHealthCheck('openai', () => true);
  for (const path of ['/health/ready', '/ready', '/readyz']) {
    const { status, body } = await program.json(path);
    assert.equal(status, 200);
    assert.equal(body.ready, true);
    assert.ok((body.services as string[]).includes('simulated.llm'));
    assert.match(String(body.timestamp), ISO);
  }
});

test('DEP-04: not ready while draining and while it starts; alive all the time (DEP-03)', async () => {
  const program = start();
  for (const phase of ['starting', 'draining'] as const) {
    program.phase = phase;
    const ready = await program.json('/health/ready');
    assert.equal(ready.status, 503);
    assert.equal(ready.body.reason, phase);
    const health = await program.json('/health');
    assert.equal(health.status, 503);
    assert.equal(health.body.status, 'unhealthy');
    assert.equal((await program.json('/health/live')).status, 200);
  }
});

test('HLT-04: GET /health/live answers {"alive": true, "uptime_seconds": 3600, "timestamp": "..."}', async () => {
  const { status, body } = await start().json('/health/live');
  assert.equal(status, 200);
  assert.equal(body.alive, true);
  assert.ok(body.uptime_seconds === 3600 || body.uptime_seconds === 3601);
  assert.match(String(body.timestamp), ISO);
});

test('HLT-05, C-25: GET /metrics has http_requests_total, uptime_seconds and memory_bytes in the text format', async () => {
  const program = start();
  await program.text('/health');
  const response = await program.app.request('/metrics');
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  assert.match(text, /^# TYPE http_requests_total counter$/m);
  assert.match(text, /^http_requests_total\{method="GET",route="\/health",status="200"\} 1$/m);
  assert.match(text, /^# TYPE uptime_seconds gauge$/m);
  assert.match(text, /^uptime_seconds 360[01]$/m);
  assert.match(text, new RegExp(`^memory_bytes ${100 * MEGABYTE}$`, 'm'));
  assert.ok(text.endsWith('\n'));
});

test('HLT-06: GET /status answers health, metrics, uptime_seconds and request_count', async () => {
  const program = start();
  for (let i = 0; i < 3; i++) await program.text('/health/live');
  const { status, body } = await program.json('/status');
  assert.equal(status, 200);
  assert.equal((body.health as { status: string }).status, 'healthy');
  assert.equal((body.metrics as { active_sessions: number }).active_sessions, 0);
  assert.ok(Number.isInteger(body.uptime_seconds));
  assert.equal(body.request_count, 3);
  // AVL-02: the ratio is unknown before the first look of this process at itself.
  assert.deepEqual(body.availability, { ratio: null, probes: 0, successful: 0 });
});

test('HLT-07: check_system_health is measured, or null where the host does not tell', async () => {
  const { body } = await start().json('/health');
  const system = body.system as Record<string, unknown>;
  assert.equal(system.status, 'healthy');
  assert.equal(system.disk_usage, 25);
  assert.deepEqual(system.load_average, [0.5, 0.4, 0.3]);
  // Nobody samples the machine in this test.
  assert.equal(system.cpu_usage, null);
  assert.equal(system.memory_usage, null);
  const unknown = await start({
    facts: { diskUsage: () => null, loadAverage: () => null, memoryBytes: () => null },
  }).json('/health');
  const nothing = unknown.body.system as Record<string, unknown>;
  for (const field of ['memory_usage', 'cpu_usage', 'disk_usage', 'load_average', 'memory_usage_mb']) {
    assert.equal(nothing[field], null, field);
  }
  const full = await start({ facts: { diskUsage: () => 0.95 } }).json('/health');
  assert.equal((full.body.system as { status: string }).status, 'degraded');
});

test('HLT-08: check_external_services tells livekit, openai and database, each known or said not to be', async () => {
  const program = start();
  const before = await program.json('/health');
  assert.deepEqual(before.body.services, {
    livekit: 'not configured',
    openai: 'not configured',
    database: 'not configured',
  });
  program.telemetry.registerHealthCheck('database', () => true);
  const after = await program.json('/health');
  assert.equal((after.body.services as Record<string, string>).database, 'not checked yet');
});

test('DSH-01..11: dashboard_data has the shape of the specification', async () => {
  const program = start();
  const call = program.runtime.open({ transport: 'test', inputRateHz: 16000, outputRateHz: 24000 });
  const { status, body } = await program.json('/dashboard');
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ['overview', 'system', 'performance_trends', 'top_errors', 'worker_status']);
  const { overview, system, worker_status: workers } = body as Record<string, Record<string, unknown>>;
  assert.deepEqual(Object.keys(overview ?? {}), ['active_sessions', 'success_rate', 'avg_response_time', 'error_rate']);
  assert.deepEqual(Object.keys(system ?? {}), ['cpu_usage', 'memory_usage', 'active_connections', 'queue_size']);
  // DSH-01: equal to the gauge.
  assert.equal(overview?.active_sessions, 1);
  assert.match(await program.text('/metrics'), /^syrinx_sessions_active 1$/m);
  // DSH-02..04: nothing has ended yet.
  assert.equal(overview?.success_rate, null);
  assert.equal(overview?.avg_response_time, null);
  assert.equal(overview?.error_rate, null);
  assert.deepEqual(system?.memory_usage, { rss_bytes: 100 * MEGABYTE, limit_bytes: 1000 * MEGABYTE, share: 0.1 });
  assert.deepEqual(system?.active_connections, { http: 1, websocket: null, media: 1 });
  assert.equal(system?.queue_size, 0);
  const [worker] = workers as unknown as Record<string, unknown>[];
  assert.equal(worker?.active_jobs, 1);
  assert.equal(worker?.status, 'running');
  call.close('over');
  await call.done;
  const ended = (await program.json('/dashboard')).body.overview as Record<string, unknown>;
  assert.deepEqual(ended, { active_sessions: 0, success_rate: 1, avg_response_time: null, error_rate: 0 });
});

test('VIS-01, VIS-02: the same numbers as JSON and as Prometheus text, by Accept', async () => {
  const program = start();
  const call = program.runtime.open({ transport: 'test', inputRateHz: 16000, outputRateHz: 24000 });
  const { body } = await program.json('/metrics', { headers: { accept: 'application/json' } });
  assert.deepEqual(Object.keys(body), ['jobs', 'sessions', 'audio', 'tools', 'system']);
  assert.equal((body.sessions as { active_sessions: number }).active_sessions, 1);
  const text = await program.text('/metrics', { headers: { accept: 'text/plain' } });
  assert.match(text, /^syrinx_sessions_active 1$/m);
  call.close('over');
});

test('requirements 9: /sessions, /sessions/{id} and /tools have the fields of the contract', async () => {
  const weather = tool({ name: 'weather', description: 'Tells the weather', run: () => 'sunny', timeoutMs: 5000 });
  const program = start({ agent: defineAgent({ instructions: 'Help.', name: 'helper', tools: [weather] }) });
  const call = program.runtime.open({ transport: 'test', inputRateHz: 16000, outputRateHz: 24000 });
  const list = (await program.json('/sessions')).body;
  assert.equal(list.total, 1);
  const [info] = list.sessions as Record<string, unknown>[];
  assert.equal(info?.session_id, call.id);
  assert.equal(info?.agent_id, 'helper');
  assert.equal(info?.participant_count, 1);
  const rated = await program.json(`/sessions/${call.id}/rating`, { method: 'POST', body: '{"rating": 4}' });
  assert.equal(rated.status, 201);
  call.close('over');
  await call.done;
  const details = (await program.json(`/sessions/${call.id}`)).body;
  assert.equal(details.status, 'disconnected');
  assert.equal(details.end_reason, 'over');
  assert.equal((details.ratings as { rating: number }[])[0]?.rating, 4);
  for (const field of ['participants', 'metrics', 'turns', 'last_activity_at', 'conversation_turns']) {
    assert.ok(field in details, field);
  }
  assert.equal(((await program.json('/status')).body.ratings as { overall: number }).overall, 4);
  const tools = (await program.json('/tools')).body;
  assert.deepEqual(tools, {
    tools: [
      {
        name: 'weather',
        description: 'Tells the weather',
        function: 'run',
        arity: 0,
        timeout_ms: 5000,
        call_count: 0,
        error_count: 0,
        average_duration_ms: null,
      },
    ],
    total: 1,
  });
});

test('THR-03: the scale-up signal comes at 75 of 100 sessions', async () => {
  const program = start();
  const scaleUp = async () => ((await program.json('/status')).body.metrics as { scale_up: boolean }).scale_up;
  const calls = Array.from({ length: 74 }, () =>
    program.runtime.open({ transport: 'test', inputRateHz: 16000, outputRateHz: 24000 }),
  );
  assert.equal(await scaleUp(), false);
  calls.push(program.runtime.open({ transport: 'test', inputRateHz: 16000, outputRateHz: 24000 }));
  assert.equal(await scaleUp(), true);
  await program.runtime.closeAll('over');
  assert.equal(await scaleUp(), false);
});
