// Cases with the states that Prometheus 3.16's rules engine gives (made by scripts/compare-alert-states.ts): rates, quantiles, odd labels, infinities.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { labelsKey } from '../../../src/ops/alerts/labels.ts';
import { evaluate, type TruthCase } from '../alert-truth.ts';

interface Case extends TruthCase {
  readonly id: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly states: string }[];
}

const cases = readFileSync(new URL('prometheus-states.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);
const expanded = (coded: string): string =>
  coded.replace(/(\d+)(.)/g, (_, times: string, letter: string) => letter.repeat(Number(times)));
const sorted = (alerts: Case['alerts'], states: (coded: string) => string): string[] =>
  alerts.map((one) => JSON.stringify([labelsKey(one.labels), states(one.states)])).sort();

test('states at every evaluation are those of Prometheus', () => {
  assert.ok(cases.length >= 30);
  for (const { alerts, ...one } of cases) {
    assert.deepEqual(
      sorted(evaluate(one), (states) => states),
      sorted(alerts, expanded),
      one.id,
    );
  }
});
