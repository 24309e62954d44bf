// Expressions in silences: the usual ones are taken, those that could hold the loop are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkExpression } from '../../../src/ops/alerts/expression.ts';

test('what people write is taken', () => {
  for (const source of [
    '.*',
    'open.*|azure',
    '(high|low)_.*',
    '[a-z+*]+',
    'a\\+\\+',
    'v\\d{1,3}',
    '(?:eu|us)-\\d',
    'x?',
    '',
  ]) {
    checkExpression(source);
  }
});

test('what is tried in exponentially many ways is refused, however it is wrapped', () => {
  for (const source of [
    '(a+)+',
    '(a|a)*',
    '(?:a|aa)+b',
    '((a)+)+',
    '(([a-z])+.)+',
    '(a?){30}',
    '(a*){2,}',
    '(?<n>a+)*',
  ]) {
    assert.throws(() => checkExpression(source), RangeError, source);
  }
  assert.throws(() => checkExpression('.*'.repeat(10)), /at most 3 times/);
  assert.throws(() => checkExpression('a'.repeat(501)), /500 characters/);
  assert.throws(() => checkExpression('('), SyntaxError);
});
