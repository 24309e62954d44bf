// An alert rule as the engine works with it: everything decided, times in ms.
import type { SeriesFunction, WindowFunction } from './fold.ts';
import type { Labels, Matcher } from './labels.ts';

export const OPERATORS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Operator = (typeof OPERATORS)[number];

export interface AlertRule {
  readonly name: string;
  readonly metric: string;
  readonly where: readonly Matcher[];
  readonly windowFunction: WindowFunction;
  /** 0: the newest sample within the look-back. */
  readonly windowMs: number;
  /** Folds the series into one for each combination of these labels. */
  readonly across: { readonly fn: SeriesFunction; readonly by: readonly string[] } | null;
  readonly condition: Operator | 'absent';
  /** Not used by `absent`. */
  readonly threshold: number;
  /** Compared with instead of `threshold` while an instance is firing. */
  readonly clearThreshold: number | null;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** What becomes of an instance whose series is not seen: `ok` = the condition is false (Prometheus), `keep` = it stays
   *  as it is for at most an hour, `alert` = the condition is true, also when the metric was never seen. */
  readonly noData: 'ok' | 'keep' | 'alert';
  /** Added to the alert's labels, override them. Values are templates over `$labels`. */
  readonly labels: Labels;
  /** Texts for people. Values are templates over `$labels` and `$value`. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly channels: readonly string[];
  /** Alerts that are equal in these share a notification. */
  readonly groupBy: readonly string[];
  readonly groupWaitMs: number;
  /** Least time between two notifications of a group about changes. */
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Instances of this rule at once; further ones are refused and counted. */
  readonly maxInstances: number;
  readonly enabled: boolean;
}

export const RULE_DEFAULTS: Omit<AlertRule, 'name' | 'metric' | 'threshold'> = {
  where: [],
  windowFunction: 'last',
  windowMs: 0,
  across: null,
  condition: '>',
  clearThreshold: null,
  forMs: 0,
  keepFiringForMs: 0,
  noData: 'ok',
  labels: {},
  annotations: {},
  channels: [],
  groupBy: ['alertname'],
  groupWaitMs: 0,
  groupIntervalMs: 30_000,
  repeatIntervalMs: 4 * 3_600_000,
  maxInstances: 500,
  enabled: true,
};

/** NaN compares false, except as `!=`. */
export function holds(value: number, op: Operator, threshold: number): boolean {
  switch (op) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '==':
      return value === threshold;
    case '!=':
      return value !== threshold;
  }
}
