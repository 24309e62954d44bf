// Thresholds that can never be met, always are, or were written in another unit.
import type { MetricFact } from './metric-catalogue.ts';
import { type AlertRule, holds, type Operator } from './rule.ts';

export interface ThresholdProblem {
  readonly key: 'threshold' | 'clear_threshold';
  readonly message: string;
}

export function checkThresholds(rule: AlertRule, fact: MetricFact | undefined): ThresholdProblem | undefined {
  const { condition, threshold, clearThreshold } = rule;
  if (condition === 'absent') return undefined;
  // What a window or a fold makes of a metric has another range, except where it stays among its values.
  const keeps = rule.windowFunction !== 'sum' && rule.windowFunction !== 'count' && rule.windowFunction !== 'increase';
  const same = keeps && rule.windowFunction !== 'rate' && rule.across?.fn !== 'sum' && rule.across?.fn !== 'count';
  if (same && fact !== undefined) {
    const message = impossible(condition, threshold, fact);
    if (message !== undefined) return { key: 'threshold', message };
  }
  if (clearThreshold === null) return undefined;
  const upward = condition === '>' || condition === '>=';
  if (!upward && condition !== '<' && condition !== '<=') {
    return { key: 'clear_threshold', message: `has no meaning with "${condition}"` };
  }
  if (upward ? clearThreshold > threshold : clearThreshold < threshold) {
    const side = upward ? 'above' : 'below';
    return {
      key: 'clear_threshold',
      message: `${clearThreshold} is ${side} the threshold ${threshold}: it would fire and clear at once`,
    };
  }
  return undefined;
}

function impossible(op: Operator, threshold: number, { name, unit, low, high }: MetricFact): string | undefined {
  const range = `${name} is ${low === undefined ? '' : `at least ${low}`}${low !== undefined && high !== undefined ? ' and ' : ''}${high === undefined ? '' : `at most ${high}`}`;
  if (low === undefined && high === undefined) return undefined;
  const hint =
    unit === '1' && high === 1 && threshold > 1 && threshold <= 100
      ? ` It is a fraction: ${threshold} % is ${threshold / 100}.`
      : '';
  if (never(op, threshold, low, high)) return `${threshold} can never be met: ${range}.${hint}`;
  if (always(op, threshold, low, high)) return `${threshold} is always met: ${range}.${hint}`;
  return undefined;
}

function never(op: Operator, threshold: number, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY) {
  if (op === '==') return threshold < low || threshold > high;
  if (op === '!=') return false;
  return !holds(op === '>' || op === '>=' ? high : low, op, threshold);
}

function always(op: Operator, threshold: number, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY) {
  if (op === '!=') return threshold < low || threshold > high;
  if (op === '==') return false;
  return holds(op === '>' || op === '>=' ? low : high, op, threshold);
}
