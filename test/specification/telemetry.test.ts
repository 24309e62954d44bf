// The specification's code blocks for events and collectors, written in TypeScript and run as they stand.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { defineAgent } from '../../src/agent/define-agent.ts';
import { watchRooms } from '../../src/cli/livekit/room-watch.ts';
import { createSessionWatch } from '../../src/cli/telemetry/session-watch.ts';
import { attachMany, detach, execute, Metrics, unregisterCollector } from '../../src/index.ts';
import type { AssignedJob } from '../../src/livekit/job.ts';
import { createRegistry, renderPrometheus, takeSnapshot } from '../../src/metrics/index.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { type Measurements, processTelemetry, startCollecting } from '../../src/ops/telemetry/index.ts';
import { calls, writes } from '../simulation/models.ts';
import { simulate } from '../simulation/simulated-call.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

const log = createLogger({ level: 'error', format: 'json', write: () => {}, now: () => 0 });
after(() => {
  for (const { id } of processTelemetry.events.attached()) detach(id);
});

/** A program that users' events and collectors reach, as `start` makes it. */
function program() {
  const registry = createRegistry();
  const watch = createSessionWatch({
    telemetry: processTelemetry,
    registry,
    agent: defineAgent({ instructions: 'Help.' }),
    agentName: 'helper',
    log,
    epochNowMs: () => 1_700_000_000_000,
  });
  return { registry, watch };
}

function received(id: string, events: readonly (readonly string[])[]) {
  const seen: { event: string; measurements: Measurements; metadata: Readonly<Record<string, unknown>> }[] = [];
  attachMany(id, events, (event, measurements, metadata) => {
    seen.push({ event, measurements: { ...measurements }, metadata });
  });
  return seen;
}

test('TEL-01, TEL-02: attach_many with the five events and Metrics.handle_event, as written', () => {
  const { registry } = program();
  attachMany(
    'livekitex-agent-monitoring',
    [
      ['livekitex_agent', 'session', 'started'],
      ['livekitex_agent', 'session', 'completed'],
      ['livekitex_agent', 'audio', 'processed'],
      ['livekitex_agent', 'tool', 'executed'],
      ['livekitex_agent', 'connection', 'established'],
    ],
    Metrics.handleEvent,
    {},
  );
  execute(['livekitex_agent', 'tool', 'executed'], { duration_ms: 250, success: true });
  execute(['livekitex_agent', 'tool', 'executed'], { duration_ms: 350, success: false });
  execute(['livekitex_agent', 'session', 'turn_completed'], { session_id: 's', duration_ms: 1, messages_count: 2 });
  const snapshot = takeSnapshot(registry);
  const handled = snapshot.filter(({ name }) => name === 'syrinx.events.handled');
  assert.deepEqual(
    handled.map((one) => [one.labels.event, one.kind === 'histogram' ? null : one.value]),
    [['tool.executed', 2]],
    'turn_completed is not among the five',
  );
  const times = snapshot.find(({ name }) => name === 'syrinx.events.duration');
  assert.ok(times?.kind === 'histogram' && Math.abs(times.sum - 0.6) < 1e-9);
  detach('livekitex-agent-monitoring');
});

test('EVT-01, EVT-02, EVT-03, EVT-05, EVT-06: the events of a real turn have the fields of the specification', async () => {
  const { watch } = program();
  const seen = received('turn', [
    ['livekitex_agent', 'session', 'started'],
    ['livekitex_agent', 'session', 'turn_completed'],
    ['livekitex_agent', 'session', 'completed'],
    ['livekitex_agent', 'audio', 'processed'],
    ['livekitex_agent', 'tool', 'executed'],
  ]);
  const { call } = await simulate({
    caller: [{ atMs: 500, ms: 600, text: 'what is the weather' }],
    endMs: 9000,
    llm: (_, n) => (n === 0 ? calls({ id: 'a', name: 'weather', arguments: '{}' }) : writes('It is sunny.')),
    tools: [{ name: 'weather', description: 'weather', run: () => 'sunny' }],
    observe: (id, base) => watch.observe(id, 'virtual', log, base),
    opened: (opened) => watch.opened(opened, 'virtual', log),
  });
  const of = (event: string) => seen.filter((one) => one.event === event).map(({ measurements }) => measurements);
  assert.deepEqual(of('session.started'), [{ session_id: call.id, timestamp: 1_700_000_000_000 }]);
  const [turn] = of('session.turn_completed');
  assert.deepEqual(Object.keys(turn ?? {}), ['session_id', 'duration_ms', 'messages_count']);
  assert.equal(of('session.turn_completed').length, 1);
  const chunks = of('audio.processed');
  assert.ok(chunks.length > 400);
  assert.deepEqual(Object.keys(chunks[0] ?? {}), ['latency_ms', 'chunk_size_bytes']);
  assert.deepEqual(Object.keys(of('session.completed')[0] ?? {}), ['session_id', 'duration_ms', 'turns', 'reason']);
  assert.deepEqual(
    of('tool.executed').map(({ success }) => success),
    [true],
  );
  // Ids are metadata as well, and nowhere a label.
  assert.ok(seen.every(({ metadata }) => metadata.session_id === call.id));
});

test('EVT-04, EVT-07: a line that was measured tells only what was measured', () => {
  const { watch, registry } = program();
  const line = watchRooms({ registry, region: 'eu', log }).observer({ id: 'job' } as AssignedJob);
  const nothing = {
    jitterInMs: null,
    jitterOutMs: null,
    lossOut: null,
    concealed: null,
    jitterBufferMs: null,
    route: null,
  };
  const silent = { lossIn: null, bitrateInBps: null, bitrateOutBps: null, silentMs: 0, callerSilentMs: 0 };
  const seen = received('lines', [
    ['livekitex_agent', 'connection', 'quality'],
    ['livekitex_agent', 'connection', 'established'],
  ]);
  watch.established('s', 'websocket', 42);
  const bits = { bitrateInBps: 30_000, bitrateOutBps: 18_000 };
  line.sample?.({ ...nothing, ...silent, ...bits, atMs: 1000, rttMs: 30, lossIn: 0.005 });
  line.sample?.({ ...nothing, ...silent, atMs: 2000, rttMs: 31 });
  assert.deepEqual(
    seen.map(({ event, measurements }) => [event, measurements]),
    [
      ['connection.established', { setup_time_ms: 42 }],
      ['connection.quality', { latency_ms: 30, packet_loss_percent: 0.5, bandwidth_kbps: 48 }],
      ['connection.quality', { latency_ms: 31 }],
    ],
  );
});

test('COL-01, COL-02: register_collector with a list of pairs, as written', async () => {
  const database = { connectionCount: () => 17 };
  const calculateUserConversionRate = async () => 0.031;

  Metrics.registerCollector('database.connections', () => {
    const connectionCount = database.connectionCount();
    return [['database.connections.active', connectionCount]];
  });
  Metrics.registerCollector('business.conversion_rate', async () => {
    const rate = await calculateUserConversionRate();
    return [['business.conversion_rate', rate]];
  });

  const { registry } = program();
  const time = new VirtualTime();
  const warnings: unknown[] = [];
  const collecting = startCollecting({
    set: processTelemetry.collectors,
    registry,
    clock: time,
    intervalMs: 1000,
    warn: (...all) => void warnings.push(all),
  });
  await time.runTo(1000);
  const text = renderPrometheus(registry);
  assert.match(text, /^database_connections_active 17$/m);
  assert.match(text, /^business_conversion_rate 0\.031$/m);
  assert.deepEqual(warnings, []);
  collecting.stop();
  unregisterCollector('database.connections');
  unregisterCollector('business.conversion_rate');
});
