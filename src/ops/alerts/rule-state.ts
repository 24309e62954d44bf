// One rule and its instances through time: what is read, which instance it belongs to, what becomes of it.
import { Identities, type Identity } from './identity.ts';
import { type Instance, step, type Verdict } from './instance.ts';
import { absence, type Reading, readRule } from './reading.ts';
import { type AlertRule, holds } from './rule.ts';
import type { RuleView } from './rule-view.ts';
import type { SampleStore } from './sample-store.ts';

export interface Transition {
  readonly rule: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly from: 'inactive' | 'pending' | 'firing';
  readonly to: 'inactive' | 'pending' | 'firing' | 'resolved';
  readonly value: number;
  /** Wall clock. */
  readonly atMs: number;
}

/** Something of a rule that does not work. */
export interface RuleProblem {
  readonly rule: string;
  readonly kind: 'evaluation' | 'template' | 'instances';
  readonly message: string;
}

/** Called for every failure; `first` is false where the same was said before. */
export type Report = (problem: RuleProblem, first: boolean) => void;

export interface Moment {
  /** The engine's time. */
  readonly nowMs: number;
  readonly wallMs: number;
  /** When this process took over restored alerts, in the engine's time. */
  readonly restoredMs: number | undefined;
}

export interface RuleOutcome {
  readonly transitions: Transition[];
  /** Instances whose record has changed; undefined = over. */
  readonly changes: (readonly [string, Instance | undefined])[];
}

/** After a restart nothing is over merely because nothing was measured yet. */
const RESTORE_GRACE_MS = 300_000;
const MAX_PROBLEMS = 50;

export class RuleState {
  readonly rule: AlertRule;
  readonly instances: Map<string, Instance>;
  readonly #restored: Set<string>;
  readonly #identities: Identities;
  readonly #report: Report;
  readonly #said = new Set<string>();
  /** The alert about a metric without any series, which is over as soon as there is one. */
  #absenceKey: string | undefined;
  refused = 0;
  #readings = 0;

  /** `restored`: the instances are an earlier process's, all (`true`) or those that are named. */
  constructor(rule: AlertRule, instances: Iterable<Instance>, report: Report, restored: Iterable<string> | true = []) {
    this.rule = rule;
    this.instances = new Map([...instances].map((instance) => [instance.key, instance]));
    this.#restored = new Set(restored === true ? this.instances.keys() : restored);
    this.#report = report;
    this.#identities = new Identities(rule, (what, error) =>
      this.#problem('template', `${what}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  /** Instances of an earlier process whose series was not seen yet. */
  get restored(): Iterable<string> {
    return this.#restored;
  }

  evaluate(store: SampleStore, moment: Moment): RuleOutcome {
    const outcome: RuleOutcome = { transitions: [], changes: [] };
    const readings = readRule(this.rule, store, moment.nowMs);
    this.#readings = readings.length;
    const judged = this.#judge(readings);
    // As in Prometheus, such an evaluation did not happen: nothing fires and nothing resolves by it.
    if (judged === undefined) return outcome;
    for (const [key, instance] of this.instances) {
      const holding = judged.holding.get(key);
      const verdict = holding === undefined ? this.#without(key, judged.seen.has(key), moment) : 'true';
      if (judged.seen.has(key) && this.#settled(moment)) this.#restored.delete(key);
      this.#advance(instance, verdict, holding, moment, outcome);
    }
    for (const [key, holding] of judged.holding) {
      if (!this.instances.has(key)) this.#begin(holding, moment, outcome);
    }
    return outcome;
  }

  /** Ends all instances, for a rule that is taken away. */
  end(moment: Moment): RuleOutcome {
    const outcome: RuleOutcome = { transitions: [], changes: [] };
    for (const instance of this.instances.values()) this.#finish(instance, moment, outcome);
    return outcome;
  }

  view(): RuleView {
    const { name, metric, condition, threshold, forMs, labels, channels, annotations, enabled } = this.rule;
    const states = new Set([...this.instances.values()].map(({ state }) => state));
    const active = states.has('firing') ? 'firing' : states.has('pending') ? 'pending' : undefined;
    const idle = this.#readings > 0 || condition === 'absent' ? 'inactive' : 'not measured';
    return {
      name,
      metric,
      condition,
      threshold: condition === 'absent' ? null : threshold,
      forMs,
      severity: labels['severity'] ?? null,
      channels,
      state: enabled ? (active ?? idle) : 'disabled',
      instances: this.instances.size,
      refused: this.refused,
      annotations,
    };
  }

  #judge(readings: readonly Reading[]) {
    const { condition, threshold, clearThreshold, noData } = this.rule;
    const holding = new Map<string, { identity: Identity; reading: Reading }>();
    const seen = new Set<string>();
    const hold = (identity: Identity, reading: Reading): boolean => {
      if (holding.has(identity.key)) return false;
      holding.set(identity.key, { identity, reading });
      return true;
    };
    for (const reading of readings) {
      const identity = this.#identities.of(reading);
      seen.add(identity.key);
      const firing = this.instances.get(identity.key)?.state === 'firing';
      const limit = firing ? (clearThreshold ?? threshold) : threshold;
      if (condition !== 'absent' && !holds(reading.value, condition, limit)) continue;
      if (!hold(identity, reading)) {
        this.#problem('evaluation', `two series give one alert, ${identity.key}: its labels do not tell them apart`);
        return undefined;
      }
    }
    if (noData === 'alert' && condition !== 'absent' && readings.length === 0) {
      const reading = { ...absence(this.rule), value: Number.NaN };
      const identity = this.#identities.of(reading);
      if (this.instances.size === 0 || this.instances.has(identity.key)) hold(identity, reading);
      this.#absenceKey = identity.key;
    }
    return { holding, seen };
  }

  #without(key: string, seen: boolean, moment: Moment): Verdict {
    if (this.#restored.has(key) && (!seen || !this.#settled(moment))) {
      if (moment.nowMs - (moment.restoredMs ?? moment.nowMs) < Math.max(RESTORE_GRACE_MS, this.rule.windowMs)) {
        return 'unknown';
      }
      this.#restored.delete(key);
    }
    if (seen) return 'false';
    if (this.rule.noData === 'keep') return 'unknown';
    return this.rule.noData === 'alert' && key !== this.#absenceKey ? 'true' : 'false';
  }

  /** A window that began before the restart says little until it is full again. */
  #settled({ nowMs, restoredMs }: Moment): boolean {
    return restoredMs === undefined || nowMs - restoredMs >= this.rule.windowMs;
  }

  #begin({ identity, reading }: { identity: Identity; reading: Reading }, moment: Moment, outcome: RuleOutcome): void {
    if (this.instances.size >= this.rule.maxInstances) {
      this.refused++;
      this.#problem('instances', `more than ${this.rule.maxInstances} instances; further ones are not watched`);
      return;
    }
    const { labels, key } = identity;
    const begun: Instance = {
      rule: this.rule.name,
      key,
      labels,
      annotations: {},
      state: 'pending',
      activeAtMs: moment.nowMs,
      startsAtWallMs: moment.wallMs,
      keepSinceMs: null,
      unseenSinceMs: null,
      value: reading.value,
    };
    const next = step(begun, 'true', moment.nowMs, this.rule);
    if (next !== undefined) this.#keep({ ...next, ...this.#told(reading) }, 'inactive', moment, outcome);
  }

  #advance(
    instance: Instance,
    verdict: Verdict,
    holding: { reading: Reading } | undefined,
    moment: Moment,
    outcome: RuleOutcome,
  ): void {
    const next = step(instance, verdict, moment.nowMs, this.rule);
    if (next === undefined) return this.#finish(instance, moment, outcome);
    const same =
      next.state === instance.state &&
      next.keepSinceMs === instance.keepSinceMs &&
      next.unseenSinceMs === instance.unseenSinceMs;
    const told = holding === undefined ? next : { ...next, ...this.#told(holding.reading) };
    if (same) this.instances.set(instance.key, told);
    else this.#keep(told, instance.state, moment, outcome);
  }

  #told(reading: Reading) {
    return { value: reading.value, annotations: this.#identities.annotations(reading) };
  }

  #keep(instance: Instance, from: Transition['from'], { wallMs: atMs }: Moment, outcome: RuleOutcome): void {
    const { rule, key, labels, state: to, value } = instance;
    this.instances.set(key, instance);
    outcome.changes.push([key, instance]);
    if (from !== to) outcome.transitions.push({ rule, key, labels, from, to, value, atMs });
  }

  #finish({ rule, key, labels, state, value }: Instance, { wallMs: atMs }: Moment, outcome: RuleOutcome): void {
    this.instances.delete(key);
    this.#restored.delete(key);
    outcome.changes.push([key, undefined]);
    const to = state === 'firing' ? 'resolved' : 'inactive';
    outcome.transitions.push({ rule, key, labels, from: state, to, value, atMs });
  }

  #problem(kind: RuleProblem['kind'], message: string): void {
    const said = `${kind} ${message}`;
    const first = !this.#said.has(said) && this.#said.size < MAX_PROBLEMS;
    if (first) this.#said.add(said);
    this.#report({ rule: this.rule.name, kind, message }, first);
  }
}
