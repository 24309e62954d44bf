// Word accuracy: substitutions, deletions, insertions; what does not count; nothing to measure against.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordAccuracy } from '../../src/audio/index.ts';

test('errors are counted against the reference', () => {
  const reference = 'Please enter the number you wish to call.';
  assert.equal(wordAccuracy(reference, reference), 1);
  assert.equal(wordAccuracy(reference, 'please ENTER the number, you wish to call'), 1);
  assert.equal(wordAccuracy(reference, 'please enter a number you wish to call'), 1 - 1 / 8);
  assert.equal(wordAccuracy(reference, 'enter the number you wish to call'), 1 - 1 / 8);
  assert.equal(wordAccuracy(reference, 'please do enter the number you all wish to call'), 1 - 2 / 8);
  assert.equal(wordAccuracy(reference, ''), 0);
  assert.equal(wordAccuracy('yes', 'no no no no'), 0);
});

test('letters of any language, and apostrophes', () => {
  assert.equal(wordAccuracy("I'm sorry", 'I’m sorry'.replace('’', "'")), 1);
  assert.equal(wordAccuracy('¿Dónde está?', 'dónde está'), 1);
});

test('without words in the reference there is nothing to measure', () => {
  assert.equal(wordAccuracy('', 'yes'), null);
  assert.equal(wordAccuracy(' ... ', 'yes'), null);
});
