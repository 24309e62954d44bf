// the breaker opens after five failures in a row, lets one through after 30 s, and closes after one success.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaker } from '../../src/runner/breaker.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';

test('R-19: opens after 5 consecutive failures, half-opens after 30 s, closes after one success', async () => {
  const time = new VirtualTime(-5000);
  const breaker = new Breaker(time);
  for (let i = 0; i < 4; i++) breaker.failed();
  breaker.succeeded();
  for (let i = 0; i < 4; i++) breaker.failed();
  assert.equal(breaker.state, 'closed');
  assert.ok(breaker.allows());
  breaker.failed();
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.allows(), false);
  await time.runTo(time.now() + 29_999);
  assert.equal(breaker.allows(), false);
  await time.runTo(time.now() + 1);
  assert.equal(breaker.state, 'half-open');
  assert.ok(breaker.allows());
  assert.equal(breaker.allows(), false, 'only one goes through');
  breaker.succeeded();
  assert.equal(breaker.state, 'closed');
  assert.ok(breaker.allows());
  breaker.failed();
  assert.equal(breaker.state, 'closed');
});

test('a failure while half-open opens it for another 30 s; a request that tells nothing lets the next one try', async () => {
  const time = new VirtualTime();
  const breaker = new Breaker(time);
  for (let i = 0; i < 5; i++) breaker.failed();
  await time.runTo(30_000);
  assert.ok(breaker.allows());
  breaker.failed();
  assert.equal(breaker.state, 'open');
  await time.runTo(59_999);
  assert.equal(breaker.allows(), false);
  await time.runTo(60_000);
  assert.ok(breaker.allows());
  breaker.undecided();
  assert.equal(breaker.state, 'half-open');
  assert.ok(breaker.allows());
});
