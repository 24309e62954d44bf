// Puts the table of all metrics into docs/metrics.md: `bun scripts/write-metrics-page.ts`. A test holds the page to what this makes.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { catalogueTable, everyInstrument, TABLE_BEGIN, TABLE_END } from './metrics/every-instrument.ts';
import { root } from './steps.ts';

const path = join(root, 'docs', 'metrics.md');
const page = readFileSync(path, 'utf8');
const [before] = page.split(TABLE_BEGIN);
const [, after] = page.split(TABLE_END);
if (before === undefined || after === undefined) throw new Error(`${path} has no place for the table`);
const table = catalogueTable(await everyInstrument());
writeFileSync(path, `${before}${TABLE_BEGIN}\n\n${table}\n\n${TABLE_END}${after}`);
process.exit(0);
