// The worker's checklist: all 27 rows are there, each names tests that exist, and docs/livekit-checklist.md says the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentText, verdictsIn } from '../specification/document.ts';
import { flawsOf, textOf } from '../specification/proofs.ts';
import { CHECKLIST, CHECKLIST_PAGE } from './checklist.ts';

test('each of the 27 rows has an entry, and each names tests that are there', () => {
  assert.deepEqual(
    CHECKLIST.map(({ id }) => id),
    Array.from({ length: 27 }, (_, i) => `W-${String(i + 1).padStart(2, '0')}`),
  );
  assert.deepEqual(flawsOf(CHECKLIST), []);
  assert.deepEqual(
    CHECKLIST.filter(({ reason }) => reason !== null),
    [],
    'a row without a test is no row that is held',
  );
  const [first] = CHECKLIST;
  assert.ok(first);
  const missing = {
    ...first,
    proofs: [{ file: 'test/livekit/checklist.test.ts', title: ['no', 'such test'].join(' ') }],
  };
  assert.equal(flawsOf([missing]).length, 1);
});

test('docs/livekit-checklist.md shows these rows, all of them passed', () => {
  const document = textOf(CHECKLIST_PAGE.file);
  const verdicts = verdictsIn(document);
  const text = documentText(CHECKLIST, ({ id }) => verdicts.get(id) ?? 'failed', CHECKLIST_PAGE);
  assert.equal(document, text, 'run `npm run specification -- livekit`');
  assert.deepEqual(
    CHECKLIST.map(({ id }) => verdicts.get(id)).filter((verdict) => verdict !== 'passed'),
    [],
  );
});
