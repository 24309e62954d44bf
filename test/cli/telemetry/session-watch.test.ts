// What a call leaves outside of itself: the specification's events, its record while it runs and after, ratings, the agent's hook.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineAgent } from '../../../src/agent/define-agent.ts';
import { createSessionWatch } from '../../../src/cli/telemetry/session-watch.ts';
import { createRegistry, takeSnapshot } from '../../../src/metrics/index.ts';
import { createLogger } from '../../../src/ops/logs.ts';
import {
  type Measurements,
  ProcessTelemetry,
  TELEMETRY_EVENTS,
  type TelemetryMetadata,
} from '../../../src/ops/telemetry/index.ts';
import type { Call } from '../../../src/runner/call.ts';
import { calls, writes } from '../../simulation/models.ts';
import { type Scenario, simulate } from '../../simulation/simulated-call.ts';

const EPOCH_MS = Date.UTC(2026, 0, 2);

function rig(onSession?: (session: unknown) => unknown) {
  const telemetry = new ProcessTelemetry();
  const registry = createRegistry();
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    format: 'json',
    write: (line) => void lines.push(line),
    now: () => EPOCH_MS,
  });
  let nowMs = EPOCH_MS;
  const agent = defineAgent({ instructions: 'Help.', onSession });
  const watch = createSessionWatch({ telemetry, registry, agent, agentName: 'helper', log, epochNowMs: () => nowMs });
  const told: [string, Measurements, TelemetryMetadata][] = [];
  telemetry.events.attach('all', [...TELEMETRY_EVENTS], (event, measurements, about) => {
    told.push([event, { ...measurements }, about]);
  });
  const scenario: Scenario = {
    caller: [{ atMs: 500, ms: 600, text: 'what is the weather' }],
    endMs: 9000,
    llm: (_, n) => (n === 0 ? calls({ id: 'a', name: 'weather', arguments: '{}' }) : writes('It is sunny.')),
    tools: [{ name: 'weather', description: 'weather', run: () => 'sunny' }],
    observe: (id, base) => watch.observe(id, 'virtual', log, base),
    opened: (call) => watch.opened(call, 'virtual', log),
  };
  const value = (name: string) => {
    const found = takeSnapshot(registry).find((one) => one.name === name);
    return found === undefined || found.kind === 'histogram' ? null : found.value;
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { watch, told, lines, scenario, telemetry, registry, value, pass };
}

test('a turn with a tool tells the events of the specification, ids beside the numbers', async () => {
  const { told, scenario } = rig();
  const { call, ledger } = await simulate(scenario);
  const of = (event: string) => told.filter(([name]) => name === event);
  const about = { session_id: call.id, transport: 'virtual' };
  assert.deepEqual(of('session.started'), [['session.started', { session_id: call.id, timestamp: EPOCH_MS }, about]]);
  const [turn] = of('session.turn_completed');
  assert.equal(turn?.[1].session_id, call.id);
  assert.equal(turn?.[1].messages_count, 2);
  const [entry] = ledger.turns;
  assert.equal(turn?.[1].duration_ms, (entry?.agent.endMs ?? 0) - (entry?.caller?.startMs ?? 0));
  assert.deepEqual(
    of('tool.executed').map(([, measured, { tool_name }]) => [measured, tool_name] as const),
    [[{ duration_ms: 0, success: true }, 'weather']],
  );
  const chunks = of('audio.processed');
  assert.ok(chunks.length > 400);
  for (const [, { latency_ms, chunk_size_bytes, quality_score }] of chunks) {
    assert.equal(typeof latency_ms, 'number');
    assert.equal(chunk_size_bytes, 640);
    // Not measured on this line: left out, not made up.
    assert.equal(quality_score, undefined);
  }
  assert.deepEqual(
    of('session.completed').map(([, { turns, reason }]) => [turns, reason]),
    [[1, 'caller hung up']],
  );
  assert.deepEqual(of('connection.established'), []);
});

test('the score of the newest window rides on the chunks; a window without speech has none', () => {
  const { watch, told, lines } = rig();
  const observer = watch.observe(
    's',
    'websocket',
    createLogger({ level: 'error', format: 'json', write: (line) => void lines.push(line), now: () => 0 }),
    {},
  );
  watch.records.open('s', 'helper', 'websocket', 0);
  const nothing = {
    clarity: null,
    levelDb: null,
    snrDb: null,
    clipFraction: null,
    gapFraction: null,
    bandwidthHz: null,
    dc: null,
  };
  const window = { type: 'quality' as const, atMs: 4000, windowMs: 4000, speechMs: 2000, degraded: false, ...nothing };
  const counts = {
    lostMs: 0,
    concealedMs: 0,
    lateMs: 0,
    holes: 0,
    duplicates: 0,
    reordered: 0,
    underruns: 0,
    overruns: 0,
  };
  const connection = { score: 4, lossPercent: 2.5, jitterMs: 3, depthMs: 40, ...counts };
  observer.telemetry?.({ ...window, score: 4.2, connection }, 0);
  observer.frames?.(1, 0, 1, 0.1, 640);
  observer.telemetry?.({ ...window, score: null, connection: null }, 0);
  observer.frames?.(1, 0, 2, 0.1, 640);
  assert.deepEqual(
    told.map(([event, measured]) => [event, measured]),
    [
      ['connection.quality', { packet_loss_percent: 2.5 }],
      ['audio.processed', { latency_ms: 1, chunk_size_bytes: 640, quality_score: 4.2 }],
      ['audio.processed', { latency_ms: 2, chunk_size_bytes: 640 }],
    ],
  );
});

test('lines tell that they stand', () => {
  const { watch, told } = rig();
  watch.established('s', 'websocket', 12);
  const about = { session_id: 's', transport: 'websocket' };
  assert.deepEqual(told, [['connection.established', { setup_time_ms: 12 }, about]]);
});

test('handlers that throw at each event change neither the call nor its record', async () => {
  const { telemetry, scenario, watch, lines, value } = rig();
  telemetry.events.attach('hostile', [...TELEMETRY_EVENTS], () => {
    throw new Error('never mind');
  });
  const { call, reason } = await simulate(scenario);
  assert.equal(reason, 'caller hung up');
  assert.equal(watch.records.details(call.id, () => null)?.end_reason, 'caller hung up');
  assert.ok((value('syrinx.events.failures') ?? 0) > 400);
  assert.equal(lines.filter((line) => line.includes('attached handler failed')).length, 1);
});

test('a running session is told with its turns, an ended one without words, and neither for ever', async () => {
  const { watch, scenario } = rig();
  let during: Readonly<Record<string, unknown>> | undefined;
  const look = (call: Call) => {
    during = watch.records.details(call.id, () => ({
      turns: call.ledger().turns,
      framesIn: call.session.framesIn,
      framesLate: 0,
      quality: call.session.quality,
    }));
  };
  const { call } = await simulate({ ...scenario, at: [[8010, look]] });
  assert.equal(during?.status, 'active');
  assert.equal(during?.conversation_turns, 1);
  assert.match(JSON.stringify(during?.turns), /It is sunny/);
  assert.deepEqual(during?.metrics, {
    messages_sent: 1,
    messages_received: 1,
    audio_duration_seconds: 8,
    frames_late: 0,
    tool_calls: 1,
  });
  const after = watch.records.details(call.id, () => null);
  assert.equal(after?.status, 'disconnected');
  assert.equal((after?.turns as unknown[] | undefined)?.length, 1);
  assert.doesNotMatch(JSON.stringify(after), /sunny|weather/);
  assert.deepEqual(watch.records.list(), []);
  for (let i = 0; i < 200; i++) {
    watch.records.open(`s${i}`, 'a', 't', 0);
    watch.records.end(`s${i}`, 'done', 1, [], { framesIn: 0, framesLate: 0, quality: null });
  }
  assert.equal(
    watch.records.details(call.id, () => null),
    undefined,
  );
  assert.equal(watch.records.details('s0', () => null)?.duration_ms, 1);
});

test('QUA-02: ratings come through the session and by its id, also after its end; they are numbers in the registry', async () => {
  const { watch, scenario, registry } = rig();
  const { call } = await simulate({ ...scenario, at: [[8000, ({ handle }) => void handle.rate(5)]] });
  assert.equal(watch.rate(call.id, { rating: 4, kind: 'overall' }), 'taken');
  assert.equal(watch.rate(call.id, { rating: 3, kind: 'naturalness' }), 'taken');
  assert.equal(watch.rate('nobody', { rating: 3, kind: 'overall' }), 'unknown-session');
  assert.equal(watch.ratings.mean('overall'), 4.5);
  assert.equal(watch.ratings.mean('clarity'), null);
  const ratings = watch.records.details(call.id, () => null)?.ratings as { rating: number }[];
  assert.deepEqual(
    ratings.map(({ rating }) => rating),
    [5, 4, 3],
  );
  for (let i = 0; i < 97; i++) watch.rate(call.id, { rating: 1, kind: 'overall' });
  assert.equal(watch.rate(call.id, { rating: 1, kind: 'overall' }), 'full');
  const found = takeSnapshot(registry).filter(({ name }) => name === 'syrinx.session.rating');
  assert.deepEqual(
    found.map((one) => [one.labels.kind, one.kind === 'histogram' ? one.count : 0]),
    [
      ['overall', 99],
      ['naturalness', 1],
      ['clarity', 0],
      ['intelligibility', 0],
    ],
  );
});

test("the agent's hook comes before everything; one that throws or rejects ends nothing", async () => {
  const seen: string[] = [];
  const good = rig((session) => {
    (session as Call['handle']).on('session_started', () => seen.push('started'));
    seen.push('hook');
  });
  await simulate(good.scenario);
  assert.deepEqual(seen, ['hook', 'started']);
  const hooks = [
    () => {
      throw new Error('no');
    },
    () => Promise.reject(new Error('no')),
  ];
  for (const hook of hooks) {
    const bad = rig(hook);
    const { reason } = await simulate(bad.scenario);
    assert.equal(reason, 'caller hung up');
    assert.equal(bad.value('syrinx.handlers.failures'), 1);
    assert.equal(bad.lines.filter((line) => line.includes('onSession failed')).length, 1);
  }
});

test('rooms and participants of a transport are in the record', async () => {
  const { watch, scenario } = rig();
  await simulate({
    ...scenario,
    endMs: 100,
    opened(call) {
      scenario.opened?.(call);
      call.handle.tell('room_id_updated', { room_id: 'lobby' });
      call.handle.tell('participant_updated', { participant_id: 'jo', data: { name: 'Jo', kind: 'sip' } });
      const info = watch.records.details(call.id, () => null);
      assert.equal(info?.room_id, 'lobby');
      assert.equal((info?.participants as { kind: string }[] | undefined)?.[0]?.kind, 'sip');
      call.handle.tell('participant_removed', { participant_id: 'jo' });
      assert.deepEqual(watch.records.details(call.id, () => null)?.participants, []);
    },
  });
});
