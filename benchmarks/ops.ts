// What the operations cost. Beside calls: monitor, history and alerts over 100 calls, 500 series and 50 rules, and the same load without them at the same time, each
// leg a process of its own that ends a full hour and a day of history, and purges. By itself: a day of the history's store on disk, and queries over a month.
// `sampled`: slices that are too long by their thread's clock are looked at by their core's timer (`perf`), which stands still where the machine's host stops the core.
// `noise`: both legs without, which tells what two legs of the same program differ by, and judges nothing.
// `bun benchmarks/ops.ts [--pairs N --warm S --steady S --hour S] [--sampled] [--only calls --only disk --only queries --only noise]`, on Node with `--expose-gc` or without, on
// Deno with `-A`; ends with `N passed, N failed`.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { measureBesideCalls, SEALED_SECONDS, tellNoise } from './ops/calls.ts';
import { runChild } from './ops/child.ts';
import { canSample } from './ops/core-samples.ts';
import type { DayFigures, QueryFigure } from './ops/history.ts';
import { Verdicts } from './ops/verdicts.ts';
import { round } from './statistics.ts';

const DISK_LIMIT_MB = 100;
const QUERY_LIMIT_MS = 50;
const HISTORY = new URL('ops/history.ts', import.meta.url);
const USUAL = ['calls', 'disk', 'queries'];
const PARTS = [...USUAL, 'noise'];

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '3' },
    warm: { type: 'string', default: '32' },
    steady: { type: 'string', default: '90' },
    hour: { type: 'string', default: '120' },
    only: { type: 'string', multiple: true, default: USUAL },
    sampled: { type: 'boolean', default: false },
  },
});
const wrong = values.only.find((part) => !PARTS.includes(part));
if (wrong !== undefined) {
  console.error(`--only takes ${PARTS.join(', ')}, not ${wrong}`);
  process.exit(2);
}
if (!(Number(values.hour) > SEALED_SECONDS + 1)) {
  console.error(
    `--hour takes more than ${SEALED_SECONDS + 1} seconds: memory is judged behind the first ${SEALED_SECONDS}`,
  );
  process.exit(2);
}
if (values.sampled && !canSample()) {
  console.error('--sampled needs the program perf of Linux, and the right to use it');
  process.exit(2);
}
const verdicts = new Verdicts();
const figures: Record<string, unknown> = { benchmark: 'ops' };
console.log(JSON.stringify(describeMachine()));

const beside = {
  pairs: Number(values.pairs),
  warmSeconds: Number(values.warm),
  steadySeconds: Number(values.steady),
  hourSeconds: Number(values.hour),
  sampled: values.sampled,
};
if (values.only.includes('calls')) {
  const legs = await measureBesideCalls(beside, verdicts);
  figures['legs'] = legs.map(({ blocks: _, ...leg }) => leg);
}
if (values.only.includes('noise')) await tellNoise(beside, verdicts);
if (values.only.includes('disk')) {
  const day = await runChild<DayFigures>(HISTORY, ['day']);
  figures['day'] = day;
  verdicts.limit(
    day.megabytes <= DISK_LIMIT_MB,
    `${day.hours} h of ${day.series} series on disk: ${round(day.megabytes, 1)} MB, ${round(day.bytesPerSample)} bytes a sample, limit ${DISK_LIMIT_MB}`,
  );
}
if (values.only.includes('queries')) {
  const queries = await runChild<readonly QueryFigure[]>(HISTORY, ['month']);
  figures['queries'] = queries;
  for (const { what, points, medianMs, longestMs, limited } of queries) {
    const text = `${what}: ${round(medianMs, 1)} ms, the longest of some ${round(longestMs, 1)} ms, ${points} points`;
    if (limited) verdicts.limit(longestMs <= QUERY_LIMIT_MS, `${text}, limit ${QUERY_LIMIT_MS}`);
    else verdicts.tell(text);
  }
}
console.log(`\n${JSON.stringify(figures)}`);
console.log(`${verdicts.passed} passed, ${verdicts.failed} failed`);
process.exit(verdicts.failed === 0 ? 0 : 1);
