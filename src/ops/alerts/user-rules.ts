// Alert rules that user code sets, before or while the program runs: one set for the process, since `agent.ts` is loaded before there is an engine.
import { AlertRuleError } from './read-rule.ts';
import type { RULE_CONDITIONS } from './rule-keys.ts';

/** An alert rule in the specification's words; every key may be written in camelCase too. docs/operations.md has the whole list. */
export interface AlertRuleDefinition {
  /** Dotted name of the specification (`audio.processing.latency_ms`) or of an instrument (`syrinx.failures`). */
  readonly metric: string;
  /** `greater_than`, `less_than`, ..., the sign, or `absent`. */
  readonly condition: (typeof RULE_CONDITIONS)[number];
  /** In the metric's own unit; fractions are 0 to 1. Not with `absent`. */
  readonly threshold?: number | undefined;
  /** How long the condition must hold, in seconds. Default 0. */
  readonly duration_seconds?: number | undefined;
  readonly severity?: 'info' | 'warning' | 'error' | 'critical' | undefined;
  /** Who is told: `email`, `webhook`, `slack`, `pagerduty`, `alertmanager`. */
  readonly notification_channels?: readonly string[] | undefined;
  readonly [key: string]: unknown;
}

/** Takes one rule; throws an `AlertRuleError`. */
export type TakeRule = (name: string, rule: unknown) => void;

const given = new Map<string, unknown>();
const takers = new Set<TakeRule>();
const MAX_GIVEN = 1000;

/** Sets an alert rule, or replaces the one of this name. A running program takes it at once and refuses what is wrong with an
 *  `AlertRuleError` that says where and what was probably meant; before that it is kept, and refused when the program starts. */
export function setAlertRule(name: string, rule: AlertRuleDefinition): void {
  if (given.size >= MAX_GIVEN && !given.has(name)) {
    throw new AlertRuleError([`alerts.${name}: there are ${MAX_GIVEN} rules already`]);
  }
  for (const take of takers) take(name, rule);
  given.set(name, rule);
}

/** All rules given so far and from now on; returns how to leave. Throws what the first refused rule throws. */
export function takeUserRules(take: TakeRule): () => void {
  for (const [name, rule] of given) take(name, rule);
  takers.add(take);
  return () => takers.delete(take);
}
