// Scores, grades, trends and efficiency, by the numbers of requirements 11.2.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { efficiencyOf, gradeOf, healthOf, trendOf } from '../../../src/ops/monitor/score.ts';

test('parts are clamped to 0..100, and what is not measured is left out', () => {
  assert.deepEqual(healthOf({ latencyMs: 10 }), { score: 100, grade: 'excellent', parts: { latency: 100 } });
  assert.deepEqual(healthOf({ latencyMs: 60, quality: 3, cpuPercent: 80, memoryMb: 750 }).parts, {
    latency: 80,
    quality: 75,
    cpu: 90,
    memory: 50,
  });
  assert.deepEqual(healthOf({ latencyMs: 500, quality: 5, cpuPercent: 10, memoryMb: 5000 }).parts, {
    latency: 0,
    quality: 100,
    cpu: 100,
    memory: 0,
  });
  assert.equal(healthOf({ latencyMs: 60, quality: Number.NaN }).score, 80);
  assert.deepEqual(healthOf({}), { score: null, grade: null, parts: {} });
});

test('grades begin at 90, 80, 70 and 60', () => {
  assert.deepEqual([100, 90, 89.9, 80, 79.9, 70, 69.9, 60, 59.9, 0].map(gradeOf), [
    'excellent',
    'excellent',
    'good',
    'good',
    'fair',
    'fair',
    'poor',
    'poor',
    'critical',
    'critical',
  ]);
});

test('a trend needs two halves and more than 5 %', () => {
  assert.deepEqual(
    [[1, 1, 2, 2], [2, 2, 1, 1], [100, 105], [100, 106], [100, 94], [0, 0], [0, 1], [-10, -12], [1], []].map(trendOf),
    [
      'increasing',
      'decreasing',
      'stable',
      'increasing',
      'decreasing',
      'stable',
      'increasing',
      'decreasing',
      null,
      null,
    ],
  );
});

test('efficiency: steps for CPU and memory, a mean of two shares for the network, null for the unknown', () => {
  const unknown = { lossPercent: null, jitterMs: null, cpuPercent: null, memoryPercent: null };
  assert.deepEqual(efficiencyOf(unknown), { network: null, cpu: null, memory: null });
  assert.deepEqual(
    [29, 30, 69, 70, 89, 90].map((cpuPercent) => efficiencyOf({ ...unknown, cpuPercent }).cpu),
    [0.7, 1, 1, 0.8, 0.8, 0.5],
  );
  assert.equal(efficiencyOf({ ...unknown, lossPercent: 2.5, jitterMs: 100 }).network, 0.25);
});
