// What a rule would do with some values: its states, and who would be told what, on a clock of its own.
import { AlertEngine } from './engine.ts';
import { equalities } from './labels.ts';
import type { Notification } from './notification.ts';
import type { AlertRule } from './rule.ts';

export interface SimulatedRule {
  readonly rule: AlertRule;
  /** One value an evaluation; null: nothing is measured. */
  readonly values: readonly (number | null)[];
  readonly everyMs: number;
  /** Of the one series; default what the rule asks for. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface RuleSimulation {
  /** One letter an evaluation: inactive, pending, firing, kept firing. */
  readonly states: string;
  readonly changes: readonly { readonly atSeconds: number; readonly to: string; readonly value: number | null }[];
  readonly notifications: readonly {
    readonly atSeconds: number;
    readonly channel: string;
    readonly status: Notification['status'];
    readonly reason: string;
    readonly summary: string | null;
  }[];
}

/** Thrown for values that cannot be read. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  readonly problems: readonly string[];
  constructor(problem: string) {
    super(problem);
    this.problems = [problem];
  }
}

const MAX_VALUES = 100_000;
const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|NaN|[+-]Inf|_)(?:x(\d{1,6}))?$/i;

/** `20x10 200x70 _x5`: ten times 20, seventy times 200, five times nothing. */
export function readValues(text: string): (number | null)[] {
  const values: (number | null)[] = [];
  for (const word of text.split(/[\s,]+/).filter((one) => one !== '')) {
    const [, value, times = '1'] = NUMBER.exec(word) ?? [];
    if (value === undefined) {
      throw new SimulationError(
        `values: "${word.slice(0, 40)}" is no value; write 200, 200x70 (seventy times), _ (nothing)`,
      );
    }
    const number = value === '_' ? null : Number(value.replace(/inf$/i, 'Infinity'));
    if (values.length + Number(times) > MAX_VALUES) throw new SimulationError(`values: more than ${MAX_VALUES}`);
    for (let i = 0; i < Number(times); i++) values.push(number);
  }
  if (values.length === 0) throw new SimulationError('values: give some, such as "20x10 200x70 20x10"');
  return values;
}

export function simulateRule(simulated: SimulatedRule): RuleSimulation {
  const steps = simulation(simulated);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, one evaluation at a time, for a process that has other things to do in between. */
export function* simulation(simulated: SimulatedRule): Generator<undefined, RuleSimulation, undefined> {
  const { rule, values, everyMs, labels = equalities(simulated.rule.where) } = simulated;
  const engine = new AlertEngine();
  engine.setRule(rule);
  let states = '';
  const changes: RuleSimulation['changes'][number][] = [];
  const notifications: RuleSimulation['notifications'][number][] = [];
  for (const [i, value] of values.entries()) {
    const nowMs = i * everyMs;
    const atSeconds = nowMs / 1000;
    engine.observe(value === null ? [] : [{ metric: rule.metric, labels, value }], nowMs);
    const { transitions, notifications: told } = engine.evaluate(nowMs);
    engine.takeJournal();
    const [alert] = engine.alerts();
    states += alert === undefined ? 'i' : alert.state === 'pending' ? 'p' : alert.kept ? 'k' : 'f';
    for (const { to, value: seen } of transitions) {
      changes.push({ atSeconds, to, value: Number.isFinite(seen) ? seen : null });
    }
    for (const { id, channel, status, reason, alerts } of told) {
      notifications.push({ atSeconds, channel, status, reason, summary: alerts[0]?.annotations['summary'] ?? null });
      engine.settled(id, nowMs);
    }
    yield;
  }
  return { states, changes, notifications };
}
