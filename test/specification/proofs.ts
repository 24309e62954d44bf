// Whether the tests that rows name are there.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Row } from './rows.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export function textOf(path: string): string {
  return readFileSync(`${root}/${path}`, 'utf8');
}

/** What is wrong with each row: it names a test that is not there, or gives no reason why there is none. */
export function flawsOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ id, says, proofs, reason, why }) => {
    if (says === '') return [`${id}: says nothing`];
    if (reason !== null) return why.length < 10 ? [`${id}: no reason is given`] : [];
    if (proofs.length === 0) return [`${id}: no proof`];
    return proofs.flatMap(({ file, title }) => {
      if (!existsSync(`${root}/${file}`)) return [`${id}: there is no ${file}`];
      // A title that spells quotes of its own is written with an escape.
      return textOf(file).includes(title) ? [] : [`${id}: ${file} has no test named "${title}"`];
    });
  });
}
