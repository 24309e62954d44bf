// Bun's host collects garbage by a timer of its own: here Bun's is off, as it is when the heap has had one size for half a minute.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { missing, start } from './program.ts';

test('bun collects garbage where its own timer sleeps', { skip: missing('bun') }, async () => {
  process.env['BUN_GC_TIMER_DISABLE'] = '1';
  const { code, output } = await start('bun', 'collect').exit();
  assert.equal(code, 0, output);
});
