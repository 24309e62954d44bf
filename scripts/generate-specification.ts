// Runs the tests that rows name and writes docs/specification.md from what they said: `npm run specification`. With `-- livekit` the
// same for the worker's checklist, docs/livekit-checklist.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKLIST, CHECKLIST_PAGE } from '../test/livekit/checklist.ts';
import { documentText, SPECIFICATION, type Verdict, verdictOf } from '../test/specification/document.ts';
import { type Row, ROWS } from '../test/specification/rows.ts';
import type { Leaf } from './node-reporter.ts';
import { root } from './steps.ts';
import { runOnNode } from './test-hosts.ts';

const LIMIT_SECONDS = 600;

const [rows, page] = process.argv[2] === 'livekit' ? [CHECKLIST, CHECKLIST_PAGE] : [ROWS, SPECIFICATION];
const files = [...new Set(rows.flatMap(({ proofs }) => proofs.map(({ file }) => file)))].sort();
const isApart = (file: string) => file.startsWith('test/e2e/');
const together = await runOnNode(
  files.filter((file) => !isApart(file)),
  LIMIT_SECONDS,
);
// Tests of the whole program want the machine for themselves.
const apart = await runOnNode(files.filter(isApart), LIMIT_SECONDS, { concurrency: 1 });
const leaves: readonly Leaf[] = [...together.leaves, ...apart.leaves];

const verdicts = new Map<Row, Verdict>(
  rows.map((row) => [
    row,
    verdictOf(row, ({ proofs }) =>
      proofs.map(({ file, title }) =>
        leaves
          .filter((leaf) => leaf.file === file && leaf.path.join(' > ').includes(title))
          .map(({ status }) => status),
      ),
    ),
  ]),
);
const verdict = (row: Row): Verdict => verdicts.get(row) ?? 'failed';
writeFileSync(join(root, page.file), documentText(rows, verdict, page));

const counts = new Map<Verdict, number>();
for (const row of rows) counts.set(verdict(row), (counts.get(verdict(row)) ?? 0) + 1);
console.log(`${rows.length} rows: ${[...counts].map(([what, count]) => `${count} ${what}`).join(', ')}`);
const failed = rows.filter((row) => verdict(row) === 'failed');
for (const { id, proofs } of failed)
  console.log(`${id}: ${proofs.map(({ file, title }) => `${file}: ${title}`).join('; ')}`);
if (failed.length > 0) {
  for (const { troubles, output } of [together, apart]) console.log([...troubles, output].join('\n').slice(-8000));
}
process.exit(failed.length === 0 ? 0 : 1);
