// The specification's own regression tests, with bounds that a busy machine keeps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAgent, measureMessages, measureSessionStart, rate } from '../../benchmarks/performance/rates.ts';
import { measureStages } from '../../benchmarks/performance/stages.ts';
import { SessionRig } from '../../benchmarks/session-rig.ts';
import { percentile } from '../../benchmarks/statistics.ts';

test('REG-01: benchmark_agent_creation', () => {
  const perSecond = rate((i) => void createAgent(i), 500);
  assert.ok(perSecond >= 100, `${perSecond} agents a second`);
});

test('REG-02: benchmark_session_capacity: the frames of 100 sessions fare hardly worse than those of one', () => {
  const p95 = (sessions: number): number => {
    const rigs = Array.from({ length: sessions }, () => new SessionRig());
    const took: number[] = [];
    for (let frame = 0; frame < 6000 / sessions + 20; frame++) {
      for (const rig of rigs) {
        const fromMs = performance.now();
        rig.speak();
        if (frame >= 10) took.push(performance.now() - fromMs);
      }
    }
    for (const { session } of rigs) assert.ok(session.framesIn > 20 && !session.ended);
    return percentile(took, 0.95);
  };
  p95(10);
  const one = p95(1);
  const hundred = p95(100);
  assert.ok(hundred <= 5, `p95 of a frame at 100 sessions: ${hundred} ms`);
  const degradation = hundred / Math.max(one, 0.01);
  assert.ok(degradation <= 25, `p95 ${one} ms at 1 session, ${hundred} ms at 100`);
});

test('THR-09: sessions start, THR-10: messages are answered, faster than wanted', async () => {
  const start = await measureSessionStart(30);
  assert.ok(start.value >= 50, `${start.value} sessions a second`);
  const messages = await measureMessages(30);
  assert.ok(messages.value >= 10, `${messages.value} messages a second`);
});

test('LAT-04 to LAT-07, LAT-11: the stages of a chunk keep their bounds', () => {
  const bounds: Record<string, number> = { 'LAT-04': 15, 'LAT-05': 8, 'LAT-06': 3, 'LAT-07': 1, 'LAT-11': 5 };
  const found = measureStages(200);
  assert.deepEqual(found.map(({ id }) => id).sort(), Object.keys(bounds).sort());
  for (const { id, value } of found) {
    assert.ok(value > 0, `${id} took no time`);
    assert.ok(value <= (bounds[id] ?? 0), `${id}: ${value} ms`);
  }
});
