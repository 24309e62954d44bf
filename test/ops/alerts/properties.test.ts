// The state machine against a second, naive account of it, on random series; and what must hold whatever comes in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluate, type TruthCase } from '../alert-truth.ts';
import { across, overTime } from '../../../src/ops/alerts/fold.ts';
import { AlertEngine, type Point } from '../../../src/ops/alerts/index.ts';

/** From README of the truth set, written down once more: times compared, nothing shared with the engine. */
function naive({ evalEvery, steps, skip, rule, series }: TruthCase): string {
  let active: number | undefined;
  let firing = false;
  let keep: number | undefined;
  let out = '';
  for (let k = 0; k < steps; k++) {
    if (skip?.includes(k)) {
      out += '-';
      continue;
    }
    const t = k * evalEvery;
    const value = series[0]?.values[k];
    const holds = typeof value === 'number' && value > (rule.threshold ?? 0);
    if (holds) {
      active ??= t;
      keep = undefined;
      firing ||= t - active >= (rule.for ?? 0);
    } else if (firing && (rule.keepFiringFor ?? 0) > 0) {
      keep ??= t;
      if (t - keep >= (rule.keepFiringFor ?? 0)) [firing, active, keep] = [false, undefined, undefined];
    } else [firing, active] = [false, undefined];
    out += active === undefined ? 'i' : firing ? (keep === undefined ? 'f' : 'k') : 'p';
  }
  return out;
}

test('states are those of a naive account, on random series with evaluations left out', () => {
  const cases = fc.record({
    values: fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 60 }),
    skip: fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 15 }),
    for: fc.integer({ min: 0, max: 70 }),
    keepFiringFor: fc.integer({ min: 0, max: 70 }),
  });
  fc.assert(
    fc.property(cases, ({ values, skip, for: forSeconds, keepFiringFor }) => {
      const testCase: TruthCase = {
        evalEvery: 10,
        sampleEvery: 10,
        steps: values.length,
        skip,
        rule: { op: '>', threshold: 0, agg: 'last', for: forSeconds, keepFiringFor },
        series: [{ labels: { agent: 'a' }, values }],
      };
      const expected = naive(testCase);
      const [found] = evaluate(testCase);
      assert.equal(found?.states ?? expected.replace(/[^-]/g, 'i'), expected);
    }),
    { numRuns: 500, seed: 5 },
  );
});

test('one firing is paged once, whatever the clock and the series do', () => {
  const step = fc.record({
    afterMs: fc.oneof(fc.nat(120_000), fc.integer({ min: -86_400_000, max: 86_400_000 })),
    values: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(0, 1, Number.NaN, Number.POSITIVE_INFINITY)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.nat(90), fc.nat(90), (steps, duration_seconds, keep) => {
      const engine = new AlertEngine({ channels: () => ['webhook'] });
      engine.setAlertRule('r', {
        metric: 'api.error_rate',
        condition: 'greater_than',
        threshold: 0.1,
        duration_seconds,
        keep_firing_for_seconds: keep,
        repeat_interval_seconds: 31 * 86_400,
        group_by: ['alertname', 'provider'],
        notification_channels: ['webhook'],
      });
      const fired = new Map<string, number>();
      const paged = new Map<string, number>();
      const open = new Set<string>();
      const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
      let nowMs = 0;
      for (const { afterMs, values } of steps) {
        nowMs += afterMs;
        const points = Object.entries(values).map(
          ([provider, value]): Point => ({ metric: 'api.error_rate', labels: { provider }, value }),
        );
        engine.observe(points, nowMs);
        const { transitions, notifications } = engine.evaluate(nowMs);
        for (const { to, labels } of transitions) if (to === 'firing') count(fired, labels['provider'] ?? '');
        for (const { reason, groupLabels, status } of notifications) {
          const provider = groupLabels['provider'] ?? '';
          if (reason === 'repeat interval elapsed') continue;
          if (status === 'firing') {
            assert.equal(open.has(provider), false, 'a page for what is paged already');
            open.add(provider);
            count(paged, provider);
          } else assert.equal(open.delete(provider), true, 'an end of what nobody was told');
        }
      }
      for (const [provider, pages] of paged) assert.ok(pages <= (fired.get(provider) ?? 0));
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('sums and means keep what a plain sum loses, as in Prometheus', () => {
  assert.equal(across('sum', [1e100, 1, -1e100]), 1);
  assert.equal(across('avg', [1e308, 1e308, 1e308]), 1e308);
  assert.equal(across('sum', [Number.POSITIVE_INFINITY, 1]), Number.POSITIVE_INFINITY);
  assert.ok(Number.isNaN(across('sum', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])));
  assert.equal(across('max', [Number.NaN, 2, 1]), 2);
  assert.equal(across('min', [Number.NaN, 2, 1]), 1);
  assert.ok(Number.isNaN(across('max', [Number.NaN])));
});

test('rates extrapolate and survive resets of the counter', () => {
  const window = (values: number[], timesMs = values.map((_, i) => (i + 1) * 15_000)) => ({
    values,
    timesMs,
    endMs: 60_000,
    widthMs: 60_000,
  });
  // 15 more in 45 s, to both ends of the window: 20 in 60 s.
  assert.equal(overTime('increase', window([100, 105, 110, 115])), 20);
  assert.equal(overTime('rate', window([100, 105, 110, 115])), 20 / 60);
  assert.equal(overTime('increase', window([100, 105, 5, 10])), 20);
  // A counter that was 0 at 15 s did not count before.
  assert.equal(overTime('increase', window([0, 5, 10, 15])), 15);
  assert.equal(overTime('rate', window([7])), undefined);
  assert.equal(overTime('p50', window([4, 1, 3, 2])), 2.5);
  assert.equal(overTime('p95', window([1])), 1);
});
