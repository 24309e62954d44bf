// The report: one page that needs nothing from outside, says where nothing was recorded, and draws nothing there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeMarks, valueMarks } from '../../../src/ops/history/report/axis.ts';
import { historyReport } from '../../../src/ops/history/report/report.ts';
import { scaleOf, shown } from '../../../src/ops/history/report/units.ts';
import { sourceOf } from '../../../src/ops/history/source.ts';
import { createRig } from './history-rig.ts';

const TEN = Date.UTC(2026, 10, 28, 10, 0, 0);

/** Ten minutes, of which the process slept from the fourth to the sixth. */
async function pageOf(names: readonly string[], more: object = {}) {
  const rig = createRig(undefined, { startMs: TEN });
  const time = rig.registry.histogram({ name: 'turn.time', help: 'h', unit: 's', labels: ['stage'] });
  const calls = rig.registry.counter({ name: 'calls', help: 'h', labels: ['who'] });
  await rig.history.start();
  const each = () => {
    for (let i = 0; i < 10; i++) time.labels({ stage: 'stt' }).record(i < 9 ? 0.2 : 1.5);
    calls.labels({ who: '<script>alert(1)</script>' }).add(2);
  };
  await rig.seconds(240, each);
  rig.sleep(120_000);
  await rig.seconds(240, each);
  const source = sourceOf(rig.history, { now: () => 0, pause: async () => {} });
  const request = { names, fromMs: TEN, toMs: TEN + 600_000, madeAtMs: rig.epochMs, origin: 'http://here', ...more };
  return await historyReport(source, request);
}
const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

test('nothing is fetched, nothing runs, and what labels say is text', async () => {
  const page = await pageOf(['*']);
  assert.equal(
    /<script|<link|<img|<iframe|@import|url\(|\son\w+=|javascript:/i.test(page.replaceAll('&lt;script', '')),
    false,
  );
  assert.equal(/(?:src|href)="(?!#)/.test(page), false);
  assert.ok(page.includes('&lt;script&gt;alert(1)'));
  assert.ok(page.startsWith('<!doctype html>') && page.trimEnd().endsWith('</html>'));
  assert.equal(count(page, /<svg/g), count(page, /<\/svg>/g));
});

test('time in which nobody looked is said, and lines break there', async () => {
  const page = await pageOf(['calls', 'turn.time'], { stepMs: 60_000 });
  assert.match(page, /Nothing was recorded for 2 min/);
  // Two plots, each with one gap; the lines of the histogram are made of two runs.
  assert.equal(count(page, /class="gap"/g), 2);
  const line = /<path class="line c0" d="([^"]+)"/.exec(page)?.[1] ?? '';
  assert.equal(count(line, /M/g), 2, line);
  assert.equal(count(line, /L/g), 6, line);
});

test('percentiles of steps and of the range, with units, in the words of a reader', async () => {
  const page = await pageOf(['turn.time'], { stepMs: 60_000 });
  for (const name of ['p50', 'p95', 'p99']) assert.ok(page.includes(`>${name}</th>`), name);
  const table = /<tbody>(.*?)<\/tbody>/s.exec(page)?.[1] ?? '';
  assert.match(table, /stage stt<\/th><td>4800<\/td><td>0\.33 s<\/td>/);
  assert.match(table, /<td>0\.2 s<\/td><td>1\.5 s<\/td><td>1\.5 s<\/td>/);
  assert.match(page, /2026-11-28 10:03:00 UTC\np50 0\.2 s\np95 1\.5 s/);
  const own = await pageOf(['turn.time'], { quantiles: [0.9], stepMs: 60_000 });
  assert.ok(own.includes('>p90</th>') && !own.includes('>p95</th>'));
});

test('without names it shows what there is of the important metrics; a pattern takes more; too much is refused', async () => {
  const page = await pageOf([]);
  assert.match(page, /There is no history in this range/);
  assert.ok((await pageOf(['syrinx.history.*'])).includes('id="syrinx-history-on-disk"'));
  await assert.rejects(pageOf(['calls'], { stepMs: 1500 }), RangeError);
  await assert.rejects(pageOf(['calls'], { fromMs: TEN + 600_000 }), /before/);
});

test('marks of axes are round numbers that cover the range', () => {
  for (const [least, most] of [
    [0, 1],
    [0, 0.037],
    [-3, 900],
    [5, 5],
    [0, 0],
    [1e9, 1.2e9],
  ] as const) {
    const marks = valueMarks(least, most);
    assert.ok(marks.length >= 2 && marks.length <= 8, `${least}..${most}: ${marks.join(' ')}`);
    assert.ok((marks[0] ?? 1) <= least && (marks.at(-1) ?? 0) >= most, `${least}..${most}: ${marks.join(' ')}`);
  }
  assert.deepEqual(
    timeMarks(TEN, TEN + 3_600_000, 6).map(({ text }) => text),
    ['10:00', '10:10', '10:20', '10:30', '10:40', '10:50', '11:00'],
  );
  const days = timeMarks(TEN, TEN + 3 * 86_400_000, 4);
  assert.deepEqual(
    days.map(({ text, strong }) => [text, strong]),
    [
      ['Nov 29', true],
      ['Nov 30', true],
      ['Dec 1', true],
    ],
  );
});

test('values have the unit that fits them', () => {
  const gauge = (unit: string) => ({ name: 'x', kind: 'gauge', unit, labels: {} }) as const;
  assert.equal(shown(0.25, scaleOf(gauge('s'), 0.3)), '250 ms');
  assert.equal(shown(90, scaleOf(gauge('s'), 100)), '90 s');
  assert.equal(shown(3 * 2 ** 20, scaleOf(gauge('By'), 4 * 2 ** 20)), '3 MiB');
  assert.equal(shown(0.5, scaleOf(gauge('1'), 0.9)), '50 %');
  const counter = { ...gauge(''), kind: 'counter' } as const;
  assert.equal(shown(0.05, scaleOf(counter, 0.1, true)), '3 /min');
  assert.equal(shown(40, scaleOf(counter, 100, true)), '40 /s');
  assert.equal(shown(null, scaleOf(counter, 1)), '–');
});
