// The log of ticks against whole rows: whatever changes, and however often the rings go round.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TickLog } from '../../../src/ops/monitor/tick-log.ts';
import { seeded } from '../../audio/signals.ts';

const WIDTH = 9;

/** Rows in which each figure changes with this chance, sometimes to "not measured". */
function rowsOf(ticks: number, chance: number, random: () => number): Float64Array[] {
  const row = new Float64Array(WIDTH).fill(Number.NaN);
  return Array.from({ length: ticks }, () => {
    for (let i = 0; i < WIDTH; i++) {
      if (random() < chance) row[i] = random() < 0.1 ? Number.NaN : 1000 * random();
    }
    return row.slice();
  });
}

test('each tick comes back as it was, in 32 bits, and no more of them than are kept', () => {
  for (const [seed, chance] of [0, 0.05, 0.3, 1].entries()) {
    const log = new TickLog(WIDTH, 0.25);
    const rows = rowsOf(400, chance, seeded(seed + 1));
    for (const [tick, row] of rows.entries()) {
      log.add(row, 250 * tick);
      if (tick % 37 !== 0 && tick !== rows.length - 1) continue;
      const found: [number, number[]][] = [];
      log.each(0, (nowMs, kept) => found.push([nowMs, [...kept]]));
      const first = Math.max(0, tick - 60);
      const wanted = rows
        .slice(first, tick + 1)
        .map((one, i): [number, number[]] => [250 * (first + i), [...one].map(Math.fround)]);
      assert.deepEqual(found, wanted, `chance ${chance}, tick ${tick}`);
    }
  }
});

test('what is older than was asked for is left out, and what it changed is not', () => {
  const log = new TickLog(2, 1);
  log.add(Float64Array.of(1, 10), 0);
  log.add(Float64Array.of(2, 10), 250);
  log.add(Float64Array.of(2, 10), 500);
  const found: (readonly [number, number[]])[] = [];
  log.each(250, (nowMs, row) => found.push([nowMs, [...row]]));
  assert.deepEqual(found, [
    [250, [2, 10]],
    [500, [2, 10]],
  ]);
});
