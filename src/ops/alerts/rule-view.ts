// A rule as people see it: what it watches, how it stands, and whether there is anything to watch.
import type { Operator } from './rule.ts';

export interface RuleView {
  readonly name: string;
  readonly metric: string;
  readonly condition: Operator | 'absent';
  readonly threshold: number | null;
  readonly forMs: number;
  readonly severity: string | null;
  readonly channels: readonly string[];
  /** `not measured`: no series of its metric is seen, so that it can not fire; that is not "all is well". */
  readonly state: 'firing' | 'pending' | 'inactive' | 'not measured' | 'disabled';
  /** Alerts of this rule. */
  readonly instances: number;
  /** Alerts that it had no room for, since the start. */
  readonly refused: number;
  readonly annotations: Readonly<Record<string, string>>;
}
