// What is shipped to show metrics: the files are what their lists make, and every metric that they name exists.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ROWS } from '../../scripts/metrics/dashboard-panels.ts';
import { datadogDashboard, filledQueries, grafanaDashboard } from '../../scripts/metrics/dashboards.ts';
import { catalogueTable, everyInstrument, TABLE_BEGIN, TABLE_END } from '../../scripts/metrics/every-instrument.ts';
import { DERIVED_METRICS, RENAMED_METRICS } from '../../src/ops/alerts/registry-feed.ts';
import { sourcesUnder, textOf, withoutComments } from '../rules/source.ts';

const entries = await everyInstrument();
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the dashboards under deploy/ are those of the list (made by scripts/write-dashboards.ts)', () => {
  assert.deepEqual(JSON.parse(read('deploy/grafana-dashboard.json')), grafanaDashboard());
  assert.deepEqual(JSON.parse(read('deploy/datadog-dashboard.json')), datadogDashboard());
});

test('docs/metrics.md holds every metric that is declared (made by scripts/write-metrics-page.ts)', () => {
  const [, table = ''] = read('docs/metrics.md').split(TABLE_BEGIN);
  assert.equal(table.split(TABLE_END)[0]?.trim(), catalogueTable(entries));
});

test('every metric of a panel exists, with the labels by which it is summed', () => {
  for (const { panel, promql } of filledQueries({ job: 'j', instance: 'i', rateInterval: '1m' })) {
    const names = [...promql.matchAll(/\b(\w+)\{/g)].map(([, name = '']) => name);
    assert.ok(names.length > 0, `${panel}: ${promql}`);
    for (const name of names) {
      const entry = entries.find(
        ({ prometheusName: own, kind }) =>
          own === name ||
          (kind === 'histogram' && ['_bucket', '_sum', '_count'].some((end) => `${own}${end}` === name)),
      );
      assert.ok(entry, `${panel}: there is no ${name}`);
      for (const [, list = ''] of promql.matchAll(/\bby \(([^)]*)\)/g)) {
        const wanted = list.split(', ').filter((label) => label !== 'le');
        assert.ok(
          wanted.every((label) => entry.labels.includes(label)),
          `${panel}: ${name} has no ${list}`,
        );
      }
    }
  }
});

test("Datadog's panels name metrics as they go over OTLP, percentiles only of histograms", () => {
  const queries = ROWS.flatMap(({ panels }) => panels.flatMap(({ datadog = [] }) => datadog));
  assert.ok(queries.length > 20);
  for (const query of queries) {
    const [, how = '', name = '', by = ''] =
      /^(\w+):([\w.]+)\{\$service,\$env\}(?: by \{([\w,]+)\})?(?:\.as_\w+\(\))?$/.exec(query) ?? [];
    const entry = entries.find((one) => one.name === name);
    assert.ok(entry, query);
    if (/^p\d\d$/.test(how)) assert.equal(entry.kind, 'histogram', query);
    else assert.match(how, /^(sum|avg|min|max)$/, query);
    for (const label of by.split(',').filter((one) => one !== '' && one !== 'host')) {
      assert.ok(entry.labels.includes(label), `${query}: no label ${label}`);
    }
  }
});

test('panels are complete, lie side by side and have names of their own', () => {
  interface Shown {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
  }
  const { panels } = grafanaDashboard() as { panels: Shown[] };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  const taken = new Set<string>();
  for (const { type, title, description, gridPos, targets } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} lies on another`);
        taken.add(`${x} ${y}`);
      }
    }
    if (type === 'row') continue;
    assert.ok((description ?? '').length > 10, title);
    for (const { expr } of targets ?? []) assert.match(expr, /job=~"\$job", instance=~"\$instance"/, title);
  }
});

test('whoever declares an instrument is in the table', () => {
  /** Made for users' own metrics, whose names are theirs; or of another process. */
  const others = new Set([
    'src/ops/telemetry/collectors.ts',
    'src/ops/telemetry/aliases.ts',
    'src/cli/processes/supervise.ts',
  ]);
  const missing = sourcesUnder('src')
    .filter((path) => !path.startsWith('src/metrics/') && !others.has(path))
    .flatMap((path) => [...withoutComments(textOf(path)).matchAll(/\bname: '((?:syrinx|http|telemetry)\.[a-z.]+)'/g)])
    .map(([, name = '']) => name)
    .filter((name) => !entries.some((one) => one.name === name));
  assert.deepEqual(missing, []);
});

test('every metric that alert rules derive from is declared, with the labels that they look at', () => {
  for (const { name, by, part, all } of DERIVED_METRICS) {
    for (const { metric, where = {} } of [part, all]) {
      const entry = entries.find((one) => one.name === metric);
      assert.ok(entry, `${name}: there is no ${metric}`);
      for (const label of [...by, ...Object.keys(where)])
        assert.ok(entry.labels.includes(label), `${metric}: ${label}`);
    }
  }
  for (const { name, metric } of RENAMED_METRICS) {
    assert.equal(entries.find((one) => one.name === metric)?.kind, 'gauge', `${name}: ${metric}`);
  }
});

test('no label is made for ids or words', () => {
  const labels = new Set(entries.flatMap((one) => one.labels));
  for (const label of labels)
    assert.doesNotMatch(
      label,
      /(^|_|\.)(id|session|call|room|participant|identity|text|transcript|phone|user)($|_|\.)/,
    );
});
