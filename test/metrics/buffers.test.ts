// TRK-07: what the jitter buffer of a call met is in the registry: losses, what was made up, what came too late, twice or out of order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAudioCore } from '../../src/audio/index.ts';
import { createRegistry, takeSnapshot } from '../../src/metrics/index.ts';
import { Readings } from '../../src/ops/views/index.ts';
import { createCallInstruments } from '../../src/runner/instruments.ts';
import type { Effects, SessionTelemetry } from '../../src/session/effects.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';
import { createSession } from '../../src/session/session.ts';
import { speechLike } from '../audio/signals.ts';

const SECONDS = 12;

/** A call over a line that loses each tenth packet, doubles some, and delivers some one place late. */
function call(options: { readonly bad: boolean; readonly lossy: boolean }) {
  const registry = createRegistry();
  const recorder = createCallInstruments(registry).started('test');
  const effects = new Proxy({} as Effects, {
    get: (_, name) => (name === 'emit' ? (event: SessionTelemetry) => recorder.telemetry(event, 0) : () => {}),
  });
  const analyzer = createAudioCore({ maxSlots: 1 }).openAnalyzer(16_000);
  const identity = { id: 'x', agent: 'x', transport: 'x', inputRateHz: 16_000, outputRateHz: 16_000 } as const;
  const listening = { ...DEFAULT_SESSION_OPTIONS.listening, vad: 'energy' } as const;
  const session = createSession(
    { ...DEFAULT_SESSION_OPTIONS, ...identity, listening, lossy: options.lossy },
    analyzer,
    effects,
  );
  const pcm = speechLike({ seconds: SECONDS, seed: 5, noiseDb: -50 });
  const packets = pcm.length / 320;
  const order: number[] = [];
  for (let i = 0; i < packets; i++) {
    if (options.bad && i % 10 === 9) continue;
    if (options.bad && i % 25 === 3) order.push(i, i);
    else if (options.bad && i % 25 === 14) order.splice(-1, 0, i);
    else order.push(i);
  }
  let nowMs = 0;
  for (const i of order) {
    nowMs = Math.max(nowMs, (i + 1) * 20);
    session.audio(new Uint8Array(pcm.buffer, i * 640, 640), i * 320, nowMs);
  }
  session.event({ type: 'close', reason: 'over' }, nowMs + 1000);
  analyzer.release();
  return new Readings(takeSnapshot(registry));
}

test('TRK-07: losses, made-up audio, duplicates and packets out of order are counted', () => {
  const read = call({ bad: true, lossy: true });
  const seconds = (what: string) => read.value('syrinx.jitter.audio', { what }) ?? Number.NaN;
  const events = (what: string) => read.value('syrinx.jitter.events', { what }) ?? Number.NaN;
  // Windows end every 4 s and more: what came after the last one is not told, so the truth is within one window.
  const lost = seconds('lost');
  assert.ok(lost > 0.4 && lost <= (SECONDS / 10) * 1.05, `${lost} s lost of ${SECONDS}`);
  assert.ok(seconds('concealed') > 0 && seconds('concealed') <= lost + 1e-9);
  assert.ok(Math.abs(lost / 0.02 - events('holes')) <= 1, `${lost} s in ${events('holes')} holes of one packet each`);
  assert.ok(events('duplicates') >= 8, `${events('duplicates')} duplicates`);
  assert.ok(events('reordered') >= 8, `${events('reordered')} reordered`);
  assert.ok(events('underruns') >= 0 && events('overruns') === 0);
});

test('TRK-07: a good line has no glitches, and an ordered one no buffer to tell of', () => {
  const good = call({ bad: false, lossy: true });
  for (const what of ['lost', 'concealed', 'late']) assert.equal(good.value('syrinx.jitter.audio', { what }), 0, what);
  for (const what of ['holes', 'duplicates', 'reordered', 'underruns', 'overruns']) {
    assert.equal(good.value('syrinx.jitter.events', { what }), 0, what);
  }
  assert.notEqual(good.value('syrinx.connection.score'), null);
  const ordered = call({ bad: false, lossy: false });
  assert.equal(ordered.value('syrinx.connection.score'), null);
});
