// The last writes of a program that ends: waited for, and not for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWrites } from '../../src/cli/ending.ts';
import { createLogger } from '../../src/ops/logs.ts';
import { VirtualClock } from '../ops/notify/virtual-clock.ts';

function setUp() {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line), now: () => 0 });
  let ended = false;
  const end = (parts: (Promise<void> | undefined)[]) =>
    void lastWrites(parts, { clock, log }).then(() => {
      ended = true;
    });
  return { clock, lines, end, ended: () => ended };
}

test('it ends when all is written, and leaves no timer', async () => {
  const { clock, lines, end, ended } = setUp();
  let written = (): void => {};
  const slow = new Promise<void>((done) => {
    written = done;
  });
  end([slow, undefined, Promise.resolve()]);
  await clock.advance(9000);
  assert.equal(ended(), false);
  written();
  await clock.advance(1);
  assert.deepEqual([ended(), clock.pending, lines], [true, 0, []]);
});

test('a disk that does not answer is waited for ten seconds, and that is said', async () => {
  const { clock, lines, end, ended } = setUp();
  end([new Promise<void>(() => {}), Promise.resolve()]);
  await clock.advance(9999);
  assert.equal(ended(), false);
  await clock.advance(1);
  assert.equal(ended(), true);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /disk does not answer/);
});
