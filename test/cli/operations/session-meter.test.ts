// Meters of calls: what each event of a call adds to its row, what is counted from 0 on and what is unknown until it is measured.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionMeters } from '../../../src/cli/operations/session-meters.ts';
import type { ConnectionSample } from '../../../src/livekit/room/connection-quality.ts';
import { type Component, COLUMNS, columnOf, type FIGURES, WIDTH } from '../../../src/ops/monitor/figures.ts';
import type { SessionTelemetry } from '../../../src/session/effects.ts';
import type { LedgerTurn } from '../../../src/session/ledger.ts';

function metered() {
  const meters = new SessionMeters();
  const told: string[] = [];
  meters.follow({ opened: (id) => told.push(`opened ${id}`), closed: (id) => told.push(`closed ${id}`) });
  const base: string[] = [];
  const { observer, opened } = meters.observe('a', {
    telemetry: ({ type }) => base.push(type),
    ended: (reason) => base.push(reason),
  });
  const session = { framesIn: 10, framesLate: 1, queuedMs: 300 };
  const calls = new Map([['a', { call: { session }, startedAtMs: 1000 }]]);
  opened();
  const row = () => meters.rows(calls, 3500).values.slice(0, WIDTH);
  const figure = <C extends Component>(component: C, name: (typeof FIGURES)[C][number]) =>
    row()[columnOf(component, name)];
  const tell = (...events: readonly SessionTelemetry[]) => {
    for (const event of events) observer.telemetry?.(event, 0);
  };
  return { meters, calls, observer, told, base, row, figure, tell };
}

test('a call that has only begun has counts of 0, and everything else is unknown', () => {
  const { row } = metered();
  const known = COLUMNS.flatMap(({ component, figure }, i) =>
    Number.isNaN(row()[i]) ? [] : [[`${component}.${figure}`, row()[i]] as const],
  );
  assert.deepEqual(Object.fromEntries(known.filter(([, value]) => value !== 0)), {
    'audio_processor.frames': 10,
    'audio_processor.frames_late': 1,
    'stream_manager.queued_ms': 300,
    'session.age_s': 2.5,
  });
  assert.deepEqual(
    known.flatMap(([name, value]) => (value === 0 ? [name] : [])),
    [
      'llm_client.requests',
      'llm_client.failures',
      'llm_client.tool_calls',
      'llm_client.tool_failures',
      'stt_client.requests',
      'stt_client.failures',
      'tts_client.requests',
      'tts_client.failures',
      'stream_manager.dropped',
      'speech_handle.speaking',
      'speech_handle.replies',
      'speech_handle.interruptions',
      'speech_handle.false_interruptions',
      'vad_client.speaking',
      'vad_client.activations',
      'session.turns',
      'session.failures',
      'session.requests',
      'session.errors',
    ],
  );
});

test('frames of a quarter of a second: worst and mean; then it begins anew', () => {
  const { observer, row } = metered();
  const at = (name: (typeof FIGURES)['audio_processor'][number], values: Float64Array) =>
    values[columnOf('audio_processor', name)];
  observer.frames?.(1, 0, 10, 0.2, 640);
  observer.frames?.(0, 0, 999, 0.4, 100);
  observer.frames?.(3, 1, 50, 0.6, 1920);
  const first = row();
  assert.deepEqual([at('latency_ms', first), at('latency_mean_ms', first)], [50, 40]);
  assert.ok(Math.abs((at('packet_us', first) ?? 0) - 400) < 1e-9);
  const second = row();
  assert.ok(Number.isNaN(at('latency_ms', second)) && Number.isNaN(at('packet_us', second)));
});

test('models: time to the first sign of life, requests and failures of each stage, errors of all together', () => {
  const { observer, figure, tell } = metered();
  observer.attemptAnswered?.('stt', 'm', 120);
  observer.attemptFailed?.('llm', 'm', 'timeout', '');
  observer.attemptAnswered?.('llm', 'm', 300);
  observer.attemptAnswered?.('tts', 'm', 80);
  const tool = { type: 'tool', turn: 1, callId: 'c', name: 't' } as const;
  tell({ ...tool, phase: 'started' }, { ...tool, phase: 'finished' }, { ...tool, phase: 'failed' });
  tell({ type: 'usage', turn: 1, inputTokens: 40, outputTokens: 7 });
  tell({ type: 'usage', turn: 2, inputTokens: 2, outputTokens: 1 });
  assert.equal(figure('stt_client', 'answer_ms'), 120);
  assert.equal(figure('tts_client', 'first_audio_ms'), 80);
  assert.deepEqual(
    (
      [
        'first_token_ms',
        'requests',
        'failures',
        'tool_calls',
        'tool_failures',
        'input_tokens',
        'output_tokens',
      ] as const
    ).map((name) => figure('llm_client', name)),
    [300, 2, 1, 2, 1, 42, 8],
  );
  assert.deepEqual([figure('session', 'requests'), figure('session', 'errors')], [6, 2]);
});

test('speech of both sides, turns, interruptions', () => {
  const { figure, tell } = metered();
  tell({ type: 'speech-start', atMs: 0 }, { type: 'state', state: 'agent-speaking' });
  assert.deepEqual([figure('vad_client', 'speaking'), figure('speech_handle', 'speaking')], [1, 1]);
  tell({ type: 'speech-stop', atMs: 0 }, { type: 'state', state: 'listening' });
  assert.deepEqual([figure('vad_client', 'speaking'), figure('speech_handle', 'speaking')], [0, 0]);
  const ledger: LedgerTurn = {
    turn: 1,
    caller: { startMs: 0, endMs: 900, text: 'x', speech: { frames: 40, mean: 0.9, least: 0.4 } },
    agent: { text: 'y', heard: 'y', startMs: 1500, endMs: 2500, interruptedAtMs: null },
    stages: [],
    responseMs: 600,
    overheadMs: 30,
    unexplainedMs: 0,
  };
  tell({ type: 'turn', ledger }, { type: 'turn', ledger: { ...ledger, responseMs: null, overheadMs: null } });
  tell({ type: 'interrupted', turn: 1, atMs: 0, heard: '' }, { type: 'resumed', turn: 1 });
  tell({ type: 'failure', stage: 'llm', turn: 1, kind: 'timeout' }, { type: 'dropped', what: 'w', count: 4 });
  assert.deepEqual([figure('session', 'turns'), figure('session', 'failures')], [2, 1]);
  assert.deepEqual([figure('session', 'response_ms'), figure('session', 'overhead_ms')], [600, 30]);
  assert.deepEqual([figure('speech_handle', 'replies'), figure('speech_handle', 'heard_ms')], [2, 1000]);
  assert.deepEqual([figure('speech_handle', 'interruptions'), figure('speech_handle', 'false_interruptions')], [1, 1]);
  assert.deepEqual([figure('vad_client', 'activations'), figure('vad_client', 'speech_score')], [1, 0.9]);
  assert.equal(figure('stream_manager', 'dropped'), 4);
});

test('windows of quality: the newest holds, one without speech has no score', () => {
  const { figure, tell } = metered();
  const connection = { score: 4, lossPercent: 2, jitterMs: 12, depthMs: 60, lostMs: 40, concealedMs: 30, lateMs: 5 };
  const counts = { holes: 0, duplicates: 0, reordered: 0, underruns: 0, overruns: 0 };
  const window = {
    type: 'quality',
    atMs: 5000,
    windowMs: 5000,
    speechMs: 2000,
    score: 4.2,
    clarity: 4.4,
    levelDb: -20,
    snrDb: 25,
    clipFraction: 0.01,
    gapFraction: 0,
    bandwidthHz: 7000,
    dc: 0,
    degraded: false,
    connection: { ...connection, ...counts },
  } as const;
  tell(window, window);
  assert.deepEqual([figure('audio_processor', 'quality_score'), figure('audio_processor', 'clarity')], [4.2, 4.4]);
  assert.deepEqual([figure('audio_processor', 'clipped_percent'), figure('audio_processor', 'snr_db')], [1, 25]);
  assert.equal(figure('vad_client', 'speech_percent'), 40);
  assert.deepEqual([figure('webrtc_handler', 'loss_percent'), figure('webrtc_handler', 'connection_score')], [2, 4]);
  assert.deepEqual([figure('stream_manager', 'lost_ms'), figure('stream_manager', 'jitter_buffer_ms')], [80, 60]);
  tell({ ...window, speechMs: 0, score: null, clarity: null, snrDb: null, connection: null });
  assert.ok(Number.isNaN(figure('audio_processor', 'quality_score')));
  assert.equal(figure('vad_client', 'speech_percent'), 0);
});

test('seconds of a line to a room: shares as percents, and a score where delay and loss are known', () => {
  const { meters, figure } = metered();
  const sample: ConnectionSample = {
    atMs: 0,
    rttMs: 40,
    jitterInMs: 3,
    lossIn: 0.02,
    jitterOutMs: null,
    lossOut: 0.01,
    concealed: 0.005,
    jitterBufferMs: 30,
    bitrateInBps: 32_000,
    bitrateOutBps: 48_000,
    route: 'direct',
    silentMs: 0,
    callerSilentMs: 0,
  };
  meters.line('a', sample);
  meters.line('gone', sample);
  meters.line(undefined, sample);
  assert.deepEqual(
    (['rtt_ms', 'jitter_ms', 'loss_percent', 'loss_out_percent', 'concealed_percent', 'bitrate_in_kbps'] as const).map(
      (name) => figure('webrtc_handler', name),
    ),
    [40, 3, 2, 1, 0.5, 32],
  );
  assert.ok(Number.isNaN(figure('webrtc_handler', 'jitter_out_ms')));
  const score = figure('webrtc_handler', 'connection_score') ?? 0;
  assert.ok(score > 3.5 && score < 4.4, `${score}`);
  meters.line('a', { ...sample, lossIn: 0.2 });
  assert.ok((figure('webrtc_handler', 'connection_score') ?? 5) < score - 0.5);
  meters.line('a', { ...sample, rttMs: null });
  assert.ok(Number.isNaN(figure('webrtc_handler', 'connection_score')));
});

test('beginnings and ends are told once, in their order, and nothing stays', () => {
  const { meters, observer, told, base, tell, calls } = metered();
  tell({ type: 'resumed', turn: 1 });
  assert.equal(meters.size, 1);
  observer.ended?.('over');
  observer.ended?.('over');
  assert.deepEqual(told, ['opened a', 'closed a']);
  assert.deepEqual(base, ['resumed', 'over', 'over']);
  assert.equal(meters.size, 0);
  assert.deepEqual(meters.rows(calls, 0).ids, []);
  // A call that is refused has been observed, and never began.
  meters.observe('refused', {});
  assert.equal(meters.size, 0);
});
