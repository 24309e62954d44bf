// Runs one case of the alert truth set (random series, a rule, the states that Prometheus computes) through the engine on a fake clock.
import { AlertEngine } from '../../src/ops/alerts/engine.ts';
import type { SeriesFunction, WindowFunction } from '../../src/ops/alerts/fold.ts';
import type { Matcher } from '../../src/ops/alerts/labels.ts';
import { type AlertRule, type Operator, RULE_DEFAULTS } from '../../src/ops/alerts/rule.ts';
import { SampleStore } from '../../src/ops/alerts/sample-store.ts';

export interface TruthCase {
  readonly evalEvery: number;
  readonly sampleEvery: number;
  readonly steps: number;
  readonly skip?: readonly number[];
  readonly rule: {
    readonly op?: Operator;
    readonly threshold?: number;
    readonly agg?: WindowFunction;
    readonly window?: number;
    readonly across?: { readonly fn: SeriesFunction; readonly by: readonly string[] };
    readonly absent?: boolean;
    readonly where?: Readonly<Record<string, string>>;
    readonly for?: number;
    readonly keepFiringFor?: number;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly values: readonly (number | string | null)[];
  }[];
}

const METRIC = 'm';

/** Every instance that was ever pending or firing, with one letter for each evaluation. */
export function evaluate(testCase: TruthCase) {
  const store = new SampleStore();
  const engine = new AlertEngine({ store });
  engine.setRule(ruleOf(testCase.rule));
  const found = new Map<string, { labels: Record<string, string>; states: string[] }>();
  const idle = () => Array.from({ length: testCase.steps }, (_, k) => (testCase.skip?.includes(k) ? '-' : 'i'));
  let fed = 0;
  for (let k = 0; k < testCase.steps; k++) {
    if (testCase.skip?.includes(k)) continue;
    const seconds = k * testCase.evalEvery;
    for (; fed * testCase.sampleEvery <= seconds; fed++) feed(store, testCase, fed);
    engine.evaluate(seconds * 1000);
    for (const { labels, state, kept } of engine.alerts()) {
      const { alertname: _, ...own } = labels;
      const key = JSON.stringify(own);
      const known = found.get(key) ?? { labels: own, states: idle() };
      known.states[k] = state === 'pending' ? 'p' : kept ? 'k' : 'f';
      found.set(key, known);
    }
  }
  return [...found.values()].map(({ labels, states }) => ({ labels, states: states.join('') }));
}

function feed(store: SampleStore, { series, sampleEvery }: TruthCase, index: number): void {
  for (const { labels, values } of series) {
    const value = values[index];
    if (value === undefined || value === null) continue;
    store.append(METRIC, labels, index * sampleEvery * 1000, value === 'stale' ? 'stale' : numberOf(value));
  }
}

function numberOf(value: number | string): number {
  if (typeof value === 'number') return value;
  return value === '+Inf' ? Number.POSITIVE_INFINITY : value === '-Inf' ? Number.NEGATIVE_INFINITY : Number(value);
}

function ruleOf(rule: TruthCase['rule']): AlertRule {
  const where = Object.entries(rule.where ?? {}).map(
    ([name, value]): Matcher =>
      value.startsWith('!') ? { name, op: '!=', value: value.slice(1) } : { name, op: '=', value },
  );
  return {
    ...RULE_DEFAULTS,
    name: 'truth',
    metric: METRIC,
    where,
    windowFunction: rule.agg ?? 'last',
    windowMs: (rule.window ?? 0) * 1000,
    across: rule.across ?? null,
    condition: rule.absent ? 'absent' : (rule.op ?? '>'),
    threshold: rule.threshold ?? 0,
    forMs: (rule.for ?? 0) * 1000,
    keepFiringForMs: (rule.keepFiringFor ?? 0) * 1000,
    labels: rule.labels ?? {},
  };
}
