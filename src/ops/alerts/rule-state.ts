// One rule and its instances through time: what is read, which instance it belongs to, what becomes of it.
import { Identities, type Identity } from './identity.ts';
import { type Instance, step, type Verdict } from './instance.ts';
import { absence, type Reading, RuleReader } from './reading.ts';
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

/** What an evaluation adds to. */
export interface Outcome {
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
  readonly #reader: RuleReader;
  #readings = 0;
  /** Number of the evaluation. */
  #turn = 0;
  /** What is beyond the limit in it: the first so many. */
  readonly #held: Identity[] = [];
  #holding = 0;
  #absence: Reading | undefined;

  /** `restored`: the instances are an earlier process's, all (`true`) or those that are named. */
  constructor(rule: AlertRule, instances: Iterable<Instance>, report: Report, restored: Iterable<string> | true = []) {
    this.rule = rule;
    this.#reader = new RuleReader(rule);
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

  evaluate(store: SampleStore, moment: Moment, outcome: Outcome): void {
    this.#turn++;
    this.#identities.prune();
    const readings = this.#reader.read(store, moment.nowMs);
    this.#readings = readings.length;
    // As in Prometheus, such an evaluation did not happen: nothing fires and nothing resolves by it.
    if (!this.#judge(readings)) return;
    // Of an empty map no iterator is made either: most rules have no instance most of the time.
    if (this.instances.size > 0) this.#advanceAll(moment, outcome);
    for (let i = 0; i < this.#holding; i++) {
      const identity = this.#held[i]!;
      if (!this.instances.has(identity.key)) this.#begin(identity, moment, outcome);
    }
    if (this.#held.length > this.#holding) this.#held.length = this.#holding;
  }

  #advanceAll(moment: Moment, outcome: Outcome): void {
    const turn = this.#turn;
    for (const instance of this.instances.values()) {
      const { key } = instance;
      const identity = this.#identities.withKey(key);
      const isSeen = identity?.seenIn === turn;
      const reading = identity?.heldIn === turn ? identity.reading : undefined;
      const verdict = reading === undefined ? this.#without(key, isSeen, moment) : 'true';
      if (isSeen && this.#restored.size > 0 && this.#settled(moment)) this.#restored.delete(key);
      this.#advance(instance, verdict, reading, moment, outcome);
    }
  }

  /** Ends all instances, for a rule that is taken away. */
  end(moment: Moment, outcome: Outcome): void {
    for (const instance of this.instances.values()) this.#finish(instance, moment, outcome);
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

  /** Marks what is seen and what is held; false where two series give one alert. */
  #judge(readings: readonly Reading[]): boolean {
    const { condition, threshold, clearThreshold, noData } = this.rule;
    this.#holding = 0;
    // Of most rules nothing holds, and an identity for each of their series would only be kept.
    const needsAll = this.instances.size > 0 || this.#identities.canFail;
    for (let i = 0; i < readings.length; i++) {
      const reading = readings[i]!;
      if (!needsAll && condition !== 'absent' && !holds(reading.value, condition, threshold)) continue;
      const identity = this.#identities.of(reading);
      identity.seenIn = this.#turn;
      if (condition !== 'absent') {
        const isFiring = clearThreshold !== null && this.instances.get(identity.key)?.state === 'firing';
        if (!holds(reading.value, condition, isFiring ? clearThreshold : threshold)) continue;
      }
      if (!this.#hold(identity, reading)) {
        this.#problem('evaluation', `two series give one alert, ${identity.key}: its labels do not tell them apart`);
        return false;
      }
    }
    if (noData === 'alert' && condition !== 'absent' && readings.length === 0) {
      this.#absence ??= { ...absence(this.rule), value: Number.NaN };
      const identity = this.#identities.of(this.#absence);
      if (this.instances.size === 0 || this.instances.has(identity.key)) this.#hold(identity, this.#absence);
      this.#absenceKey = identity.key;
    }
    return true;
  }

  #hold(identity: Identity, reading: Reading): boolean {
    if (identity.heldIn === this.#turn) return false;
    identity.heldIn = this.#turn;
    identity.reading = reading;
    this.#held[this.#holding++] = identity;
    return true;
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

  #begin({ labels, key, reading }: Identity, moment: Moment, outcome: Outcome): void {
    if (reading === undefined) return;
    if (this.instances.size >= this.rule.maxInstances) {
      this.refused++;
      this.#problem('instances', `more than ${this.rule.maxInstances} instances; further ones are not watched`);
      return;
    }
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

  #advance(instance: Instance, verdict: Verdict, reading: Reading | undefined, moment: Moment, outcome: Outcome): void {
    const next = step(instance, verdict, moment.nowMs, this.rule);
    if (next === undefined) return this.#finish(instance, moment, outcome);
    const same =
      next.state === instance.state &&
      next.keepSinceMs === instance.keepSinceMs &&
      next.unseenSinceMs === instance.unseenSinceMs;
    const told = reading === undefined ? next : { ...next, ...this.#told(reading) };
    if (same) this.instances.set(instance.key, told);
    else this.#keep(told, instance.state, moment, outcome);
  }

  #told(reading: Reading) {
    return { value: reading.value, annotations: this.#identities.annotations(reading) };
  }

  #keep(instance: Instance, from: Transition['from'], { wallMs: atMs }: Moment, outcome: Outcome): void {
    const { rule, key, labels, state: to, value } = instance;
    this.instances.set(key, instance);
    outcome.changes.push([key, instance]);
    if (from !== to) outcome.transitions.push({ rule, key, labels, from, to, value, atMs });
  }

  #finish({ rule, key, labels, state, value }: Instance, { wallMs: atMs }: Moment, outcome: Outcome): void {
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
