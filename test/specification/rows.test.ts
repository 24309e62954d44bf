// The table of the specification: each row has one entry, each named test is there, and docs/specification.md says the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentText, rowText, verdictOf, verdictsIn } from './document.ts';
import { flawsOf, textOf } from './proofs.ts';
import { type Row, ROWS } from './rows.ts';

/** How many rows each area of the requirements has. */
const AREAS = {
  LAT: 28,
  THR: 10,
  RES: 13,
  QUA: 6,
  AVL: 3,
  MON: 13,
  MET: 4,
  EVT: 7,
  TRK: 12,
  TEL: 2,
  COL: 2,
  HLT: 8,
  DSH: 11,
  VIS: 7,
  ALR: 13,
  CHN: 4,
  OPT: 3,
  CFG: 12,
  DEP: 4,
  BEN: 6,
  REG: 2,
} as const;

test('each row of the requirements has one entry', () => {
  const wanted = Object.entries(AREAS).flatMap(([area, count]) =>
    Array.from({ length: count }, (_, i) => `${area}-${String(i + 1).padStart(2, '0')}`),
  );
  assert.equal(wanted.length, 170);
  assert.deepEqual(
    ROWS.map(({ id }) => id),
    wanted,
  );
});

test('each entry names a test that is there, or says why there is none', () => {
  assert.deepEqual(flawsOf(ROWS), []);
});

test('docs/specification.md shows these rows, and no failure', () => {
  const document = textOf('docs/specification.md');
  const verdicts = verdictsIn(document);
  const verdictIn = ({ id }: Row) => verdicts.get(id) ?? 'failed';
  const missing = ROWS.map((row) => rowText(row, verdictIn(row))).filter((line) => !document.includes(line));
  assert.deepEqual(missing, [], 'run `npm run specification`');
  assert.deepEqual(
    ROWS.filter((row) => verdictIn(row) === 'failed').map(({ id }) => id),
    [],
  );
  assert.equal(document, documentText(ROWS, verdictIn), 'run `npm run specification`');
  for (const row of ROWS)
    if (row.reason !== null)
      assert.equal(
        verdictIn(row),
        verdictOf(row, () => []),
        row.id,
      );
});

test('a verdict needs a test that ran and passed', () => {
  const row = ROWS.find(({ proofs }) => proofs.length === 2) as Row;
  const of = (...statuses: readonly string[][]) => verdictOf(row, () => statuses);
  assert.equal(of(['passed'], ['passed', 'passed']), 'passed');
  assert.equal(of(['passed'], []), 'failed');
  assert.equal(of(['passed'], ['passed', 'failed']), 'failed');
  assert.equal(of(['passed'], ['skipped']), 'not measured here');
});
