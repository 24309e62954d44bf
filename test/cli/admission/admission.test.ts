// The gate of a process as calls of all kinds meet it: one count, one door, and what operators are told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdmission } from '../../../src/cli/admission/admission.ts';
import type { RunningCall } from '../../../src/cli/compose.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { createRegistry, renderPrometheus } from '../../../src/metrics/index.ts';
import { heldAudioBytes, SampleTape } from '../../../src/session/sample-tape.ts';
import { createVirtualClock } from '../../livekit/worker/virtual-clock.ts';

function rig(capacity: Record<string, unknown>, bufferBytes?: () => number, lagMs = 0) {
  const { config } = loadConfig({ file: { path: 'test.json', text: JSON.stringify({ capacity }) } });
  const clock = createVirtualClock();
  // Late frames count where the loop is late too.
  const lateClock = { now: clock.now, setTimer: (go: () => void, ms: number) => clock.setTimer(go, ms + lagMs) };
  const registry = createRegistry();
  const calls = new Map<string, RunningCall>();
  const admission = createAdmission({ config, runtime: { calls, registry }, clock: lateClock, bufferBytes });
  const sessions = new Map<string, { framesIn: number; framesLate: number }>();
  const begin = (id: string, transport: string) => {
    const session = { framesIn: 0, framesLate: 0 };
    sessions.set(id, session);
    calls.set(id, { call: { session }, transport } as unknown as RunningCall);
  };
  const run = async (ms: number, late: (frames: number) => number = () => 0) => {
    for (let i = 0; i < ms / 100; i++) {
      for (const session of sessions.values()) {
        session.framesIn += 5;
        session.framesLate += late(5);
      }
      await clock.advance(100);
    }
  };
  return { admission, begin, run, registry, calls };
}

test('calls over WebSocket and jobs of the worker share the places; a call of a job is not counted twice', () => {
  const { admission, begin } = rig({ max_sessions: 3 });
  const worker = { sessions: 1, pending: 1 };
  const leave = admission.gate.join(() => worker);
  begin('a', 'livekit');
  assert.equal(admission.refusal('websocket'), null);
  begin('b', 'websocket');
  assert.equal(admission.refusal('websocket'), 'All sessions are in use');
  assert.equal(admission.held, 1);
  assert.deepEqual(admission.gate.occupancy(), { sessions: 2, pending: 1 });
  worker.pending = 0;
  assert.equal(admission.refusal('websocket'), null);
  leave();
  assert.deepEqual(admission.gate.occupancy(), { sessions: 1, pending: 0 });
  admission.stop();
});

test('late frames close the door for every kind of call, nobody asking meanwhile; it opens when they have been few for a while', async () => {
  const { admission, begin, run, registry } = rig({ max_sessions: 10 }, undefined, 12);
  begin('a', 'websocket');
  await run(6000);
  assert.equal(admission.refusal('websocket'), null);
  await run(2000, () => 1);
  assert.equal(admission.refusal('websocket'), 'The audio of the present calls is late');
  const verdict = admission.gate.judge();
  assert.deepEqual(
    [verdict.open, verdict.reason, verdict.load >= 0.7, verdict.scaleUp],
    [false, 'late-frames', true, true],
  );
  assert.equal(admission.report().reason, 'late-frames');
  const text = renderPrometheus(registry);
  assert.match(text, /^syrinx_admission_open 0$/m);
  assert.match(text, /^syrinx_admission_scale_up 1$/m);
  assert.match(text, /^syrinx_admission_refused_total\{.*reason="late-frames".*\} 1$/m);
  await run(6000);
  assert.equal(admission.refusal('websocket'), 'The audio of the present calls is late', 'calm, but not for long');
  await run(5000);
  assert.equal(admission.refusal('websocket'), null);
  admission.stop();
});

test('buffers over their budget close it; what is not measured is told as such', async () => {
  let bytes = 0;
  const { admission, run } = rig({ max_sessions: 10, buffer_mb: 1 }, () => bytes);
  assert.deepEqual(
    [admission.report().late_frame_share, admission.report().loop_lag_ms, admission.report().buffer_bytes],
    [null, null, 0],
  );
  bytes = 2 << 20;
  await run(600);
  assert.equal(admission.refusal('websocket'), 'The server has no room for more audio');
  admission.stop();
  const off = rig({ max_sessions: 10, buffer_mb: 0 }, () => 1e12);
  await off.run(2000);
  assert.equal(off.admission.refusal('websocket'), null, '0 does not look');
  off.admission.stop();
});

test('another process is wanted from three quarters on', () => {
  const { admission, begin } = rig({ max_sessions: 4 });
  begin('a', 'websocket');
  begin('b', 'websocket');
  assert.equal(admission.report().scale_up, false);
  begin('c', 'websocket');
  assert.deepEqual(
    [admission.report().scale_up, admission.report().open, admission.report().load],
    [true, true, 0.525],
  );
  admission.stop();
});

test('audio on tapes is counted while it is held', () => {
  const before = heldAudioBytes();
  const tape = new SampleTape();
  tape.append(new Int16Array(5000), 5000);
  assert.equal(heldAudioBytes() - before, 3 * 4096);
  tape.forget(4096);
  assert.equal(heldAudioBytes() - before, 4096);
  tape.clear();
  assert.equal(heldAudioBytes(), before);
});

test('the limits that count are the configured ones, 0 among them', () => {
  const { admission, begin } = rig({
    max_sessions: 2,
    late_frame_share: 0,
    loop_lag_ms: 0,
    buffer_mb: 0,
    scale_up_at: 0,
  });
  const { maxSessions, lateFrameShare, loopLagMs, bufferBytes, scaleUpAt } = admission.gate.limits;
  assert.deepEqual([maxSessions, lateFrameShare, loopLagMs, bufferBytes, scaleUpAt], [2, 0, 0, 0, 0]);
  begin('a', 'websocket');
  assert.equal(admission.refusal('websocket'), null);
  begin('b', 'websocket');
  assert.equal(admission.refusal('websocket'), 'All sessions are in use');
  assert.equal(rig({}).admission.gate.limits.maxSessions, 100);
});
