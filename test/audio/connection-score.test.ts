// The connection score against the table of G.107 values that the design was checked with, its order, and bad figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionScore } from '../../src/audio/index.ts';

test('delay and loss give the scores of the E-model', () => {
  const table: readonly (readonly [number, boolean, readonly number[]])[] = [
    [50, true, [4.38, 4.3, 4.09, 3.87, 3.35]],
    [150, true, [4.33, 4.23, 4.0, 3.77, 3.23]],
    [300, true, [3.71, 3.54, 3.22, 2.93, 2.34]],
    [150, false, [4.33, 3.67, 2.6, 1.99, 1.35]],
  ];
  for (const [delayMs, concealed, scores] of table) {
    [0, 1, 3, 5, 10].forEach((lossPercent, i) => {
      const score = connectionScore({ delayMs, lossPercent, concealed });
      assert.ok(Math.abs(score - scores[i]!) < 0.011, `${delayMs} ms, ${lossPercent} %: ${score}`);
    });
  }
});

test('more delay, more loss and longer bursts are never better, and the scale is 1 to 4.5', () => {
  let last = 5;
  for (let lossPercent = 0; lossPercent <= 120; lossPercent += 3) {
    const score = connectionScore({ delayMs: 100, lossPercent });
    assert.ok(score <= last && score >= 1 && score <= 4.5);
    assert.ok(connectionScore({ delayMs: 100, lossPercent, burstRatio: 3 }) <= score);
    assert.ok(connectionScore({ delayMs: 400, lossPercent }) <= score);
    last = score;
  }
});

test('what is no figure gives none', () => {
  for (const bad of [
    { delayMs: Number.NaN, lossPercent: 0 },
    { delayMs: -1, lossPercent: 0 },
    { delayMs: 1, lossPercent: Number.NaN },
  ])
    assert.ok(Number.isNaN(connectionScore(bad)));
});
