// The simulated network: what may be written, the same packets for the same seed, the shares that were asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNetwork, QUIET_NETWORK, SimulatedNetwork } from '../../../src/transports/file/network.ts';

test('options are read, and anything else is refused with a line that helps', () => {
  assert.deepEqual(parseNetwork('loss=5, jitter=40'), { ...QUIET_NETWORK, lossPercent: 5, jitterMs: 40 });
  assert.deepEqual(parseNetwork('burst=3,reorder=1.5,duplicate=2,drift=-200,seed=7'), {
    ...QUIET_NETWORK,
    burst: 3,
    reorderPercent: 1.5,
    duplicatePercent: 2,
    driftPpm: -200,
    seed: 7,
  });
  assert.throws(
    () => parseNetwork('los=5'),
    /^RangeError: "los" is none of loss, burst, jitter, reorder, duplicate, drift, seed$/,
  );
  assert.throws(() => parseNetwork('loss=500'), /^RangeError: loss must be 0 to 90: it is "500"$/);
  for (const text of ['', 'loss', 'loss=', 'loss=x', 'jitter=-1', 'burst=0', 'constructor=1', 'loss=NaN'])
    assert.throws(() => parseNetwork(text), RangeError, text);
});

function run(text: string, packets = 20_000) {
  const network = new SimulatedNetwork(parseNetwork(text));
  return Array.from({ length: packets }, () => network.next(20));
}

test('the same seed loses the same packets, another one others', () => {
  assert.deepEqual(run('loss=10,jitter=30,seed=3', 500), run('loss=10,jitter=30,seed=3', 500));
  assert.notDeepEqual(run('loss=10,jitter=30,seed=4', 500), run('loss=10,jitter=30,seed=3', 500));
});

test('shares come out, and bursts have their length', () => {
  for (const burst of [1, 2, 5]) {
    const lost = run(`loss=8,burst=${burst}`).map((delays) => delays.length === 0);
    const share = lost.filter(Boolean).length / lost.length;
    const bursts = lost.filter((is, i) => is && lost[i - 1] !== true).length;
    assert.ok(Math.abs(share - 0.08) < 0.015, `burst ${burst}: ${share}`);
    const expected = burst === 1 ? 1 / (1 - 0.087) : burst;
    assert.ok(Math.abs((share * lost.length) / bursts / expected - 1) < 0.15, `burst ${burst}`);
  }
  const all = run('jitter=40,reorder=5,duplicate=3');
  assert.ok(Math.abs(all.filter((delays) => delays.length === 2).length / all.length - 0.03) < 0.005);
  assert.ok(all.flat().every((ms) => ms >= 0 && ms <= 40 + 44 + 40));
  assert.deepEqual(run('drift=200', 3), [[0], [0], [0]]);
  assert.equal(new SimulatedNetwork(parseNetwork('drift=200')).hostMs(1e6), 1e6 + 200);
});
