// Finding the name that was meant: slips are found, strangers are not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { edits, nearest } from '../../src/config/nearest.ts';

test('edits count as people make them', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['a', '', 1],
    ['prot', 'port', 1],
    ['start', 'strat', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, distance] of cases) assert.equal(edits(a, b), distance, `${a} ${b}`);
});

test('edits are a distance: zero only for equals, the same both ways, no more than the longer word', () => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(edits(a, b), edits(b, a));
      assert.equal(edits(a, b) === 0, a === b);
      assert.ok(edits(a, b) <= Math.max(a.length, b.length));
    }),
  );
});

test('a slip finds its name, a stranger none', () => {
  const names = ['start', 'call', 'replay', 'simulate', 'config', 'healthcheck', 'version'];
  const cases: [string, string | undefined][] = [
    ['strat', 'start'],
    ['conf', 'config'],
    ['health', 'healthcheck'],
    ['simulat', 'simulate'],
    ['Config', 'config'],
    ['dashboard', undefined],
    ['x', undefined],
  ];
  for (const [typed, expected] of cases) assert.equal(nearest(typed, names), expected, typed);
  assert.equal(nearest('anything', []), undefined);
});
