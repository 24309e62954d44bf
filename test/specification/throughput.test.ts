// Budgets of the specification that a test can hold with a wide margin; the figures themselves are the benchmark's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineAgent, tool } from '../../src/agent/define-agent.ts';
import { createAudioCore } from '../../src/audio/index.ts';
import { createSession, type Session } from '../../src/session/session.ts';
import type { Effects } from '../../src/session/effects.ts';
import { DEFAULT_SESSION_OPTIONS } from '../../src/session/options.ts';

function timeMs(run: () => void): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}

test('THR-08: 1,000 tools are registered in a second, and RES-04: an agent takes a hundred', () => {
  const ms = timeMs(() => {
    for (let i = 0; i < 10; i++) {
      const tools = Array.from({ length: 100 }, (_, n) =>
        tool({ name: `tool_${n}`, description: 'A tool', run: () => n }),
      );
      assert.equal(defineAgent({ instructions: 'Test agent', tools }).tools.length, 100);
    }
  });
  assert.ok(ms < 1000, `${ms} ms`);
});

const NOTHING = new Proxy({}, { get: () => () => {} }) as Effects;

function sessions(count: number): { all: Session[]; end: () => void } {
  const core = createAudioCore({ maxSlots: count * 2 });
  const analyzers = Array.from({ length: count }, () => core.openAnalyzer(16_000));
  const all = analyzers.map((analyzer, i) =>
    createSession(
      {
        ...DEFAULT_SESSION_OPTIONS,
        listening: { ...DEFAULT_SESSION_OPTIONS.listening, vad: 'energy' },
        id: `s${i}`,
        agent: 'a',
        transport: 'test',
        inputRateHz: 16_000,
        outputRateHz: 24_000,
      },
      analyzer,
      NOTHING,
    ),
  );
  return { all, end: () => analyzers.forEach((analyzer) => analyzer.release()) };
}

/** Time that one 100 ms chunk takes in each of the sessions, in ms. */
function chunkTimes(all: readonly Session[], chunks: number): number[] {
  const packet = new Uint8Array(3200);
  for (let i = 0; i < packet.length; i++) packet[i] = (i * 7919) & 255;
  const times: number[] = [];
  for (let n = 0; n < chunks; n++) {
    for (const session of all) times.push(timeMs(() => session.audio(packet, n * 1600, n * 100)));
  }
  return times.sort((a, b) => a - b);
}
const p95 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;

test('LAT-01..07: a 100 ms chunk from input to decision is within every budget of a single step', () => {
  const { all, end } = sessions(1);
  chunkTimes(all, 20);
  const times = chunkTimes(all, 100);
  // PCM16 (15 ms), VAD (8 ms), buffer (3 ms) and conversion (1 ms) are all in it, and together under the smallest.
  assert.ok(p95(times) < 1, `p95 ${p95(times)} ms`);
  end();
});
