// The alert engine: samples in, states and notifications out. Owns no clock, no timer and no file; whoever runs it calls `evaluate`.
import { type AlertView, alertView, tellableAlert, testNotice } from './alert-view.ts';
import { GRANTED_CHANNELS } from './channel-names.ts';
import { checkExpression } from './expression.ts';
import { type GroupState, Groups, type Tellable } from './groups.ts';
import type { Instance } from './instance.ts';
import { type AlertInstruments, countAlerts } from './instruments.ts';
import { fingerprint, hashText } from './labels.ts';
import { type Catalogue, SPECIFICATION } from './metric-catalogue.ts';
import { DEFAULT_INHIBITIONS, type Inhibition, mutedAlerts, type Silence } from './muting.ts';
import type { Notice, Notification } from './notification.ts';
import { AlertRuleError, type Nearest, type Place, readAlertRule } from './read-rule.ts';
import { Records, readRecords } from './records.ts';
import type { AlertRule } from './rule.ts';
import { type Outcome, type RuleProblem, RuleState, type Transition } from './rule-state.ts';
import type { RuleView } from './rule-view.ts';
import { type Point, SampleStore } from './sample-store.ts';
import { Timeline } from './timeline.ts';

export interface AlertEngineOptions {
  /** Metrics that rules may name. Asked when a rule is set; default: those of the specification. */
  readonly metrics?: (() => Catalogue) | undefined;
  /** Names of the channels that are configured. Asked when a rule is set. */
  readonly channels?: (() => Iterable<string>) | undefined;
  /** Finds what was probably meant by a name that is not known. */
  readonly nearest?: Nearest | undefined;
  readonly inhibitions?: readonly Inhibition[] | undefined;
  /** Where a person sees more about a rule. */
  readonly generatorUrl?: ((rule: string) => string) | undefined;
  /** Lines of the journal of an earlier process. */
  readonly journal?: Iterable<string> | undefined;
  readonly store?: SampleStore | undefined;
  readonly instruments?: AlertInstruments | undefined;
}

export interface Evaluation {
  readonly transitions: readonly Transition[];
  /** To be given to their channels after the journal is safe on disk. */
  readonly notifications: readonly Notification[];
  /** What does not work, said once. */
  readonly problems: readonly RuleProblem[];
}

interface Acknowledgement {
  readonly by: string;
  readonly atMs: number;
}

/** How often the journal notes the time while something is pending, so that a restart knows how long nobody looked. */
const HEARTBEAT_MS = 15_000;
const MAX_SILENCES = 1000;
/** How the names of their records begin. */
const SILENCE = 'silence/';
const NO_SILENCES: readonly Silence[] = [];
/** Deliveries that the journal remembers. */
const MAX_DELIVERIES = 200;

export class AlertEngine {
  readonly #options: AlertEngineOptions;
  readonly #store: SampleStore;
  readonly #timeline: Timeline;
  readonly #records: Records;
  readonly #groups: Groups;
  readonly #rules = new Map<string, RuleState>();
  /** The same, to go through without an iterator. */
  #states: readonly RuleState[] = [];
  /** Instances of an earlier process whose rule has not been set yet. */
  readonly #orphans = new Map<string, Instance[]>();
  /** Rules that were taken away with instances, to be ended at the next evaluation. */
  readonly #leaving: RuleState[] = [];
  readonly #restoredAtMs: number | undefined;
  readonly #hadRestored: boolean;
  /** Lines of the journal that could not be read. */
  readonly unreadableLines: number;
  #restoredMs: number | undefined;
  #heartbeatMs = Number.NEGATIVE_INFINITY;
  #sequence: number;
  #problems: RuleProblem[] = [];
  #muted: ReadonlyMap<string, string> = new Map();
  /** Made anew when a rule comes or goes. */
  #metrics: ReadonlySet<string> = new Set();

  constructor(options: AlertEngineOptions = {}) {
    this.#options = options;
    this.#store = options.store ?? new SampleStore();
    const { values, atMs, unreadable } = readRecords(options.journal ?? []);
    this.unreadableLines = unreadable;
    this.#restoredAtMs = atMs;
    this.#timeline = new Timeline(atMs);
    this.#records = new Records(values, atMs);
    this.#sequence = Number((this.#records.get('sequence') as number | undefined) ?? 0);
    this.#groups = new Groups(
      this.#records.under<GroupState>('group/').filter(([, group]) => isRecord(group?.told)),
      () => ++this.#sequence,
    );
    for (const [, instance] of this.#records.under<Instance>('instance/')) {
      if (!isRecord(instance?.labels) || typeof instance.activeAtMs !== 'number') continue;
      // JSON knows neither NaN nor infinity.
      const whole = { ...instance, value: instance.value ?? Number.NaN };
      const known = this.#orphans.get(instance.rule);
      if (known === undefined) this.#orphans.set(instance.rule, [whole]);
      else known.push(whole);
    }
    this.#hadRestored = this.#orphans.size > 0;
  }

  /** Sets or replaces a rule. Takes the specification's keys (`duration_seconds`, `notification_channels`) and camelCase.
   *  Returns what is odd but not wrong; throws `AlertRuleError` with every problem, its place and the nearest name. */
  setAlertRule(name: string, given: unknown, place?: Place): readonly string[] {
    const { rule, problems, warnings } = readAlertRule(name, given, {
      metrics: this.#options.metrics?.() ?? SPECIFICATION,
      channels: this.#options.channels === undefined ? GRANTED_CHANNELS : [...this.#options.channels()],
      place,
      nearest: this.#options.nearest,
    });
    if (rule === undefined) throw new AlertRuleError(problems);
    this.setRule(rule);
    return warnings;
  }

  /** Sets a rule that is already read. */
  setRule(rule: AlertRule): void {
    const before = this.#rules.get(rule.name);
    const orphans = this.#orphans.get(rule.name);
    this.#orphans.delete(rule.name);
    const instances = before?.instances.values() ?? orphans ?? [];
    this.#rules.set(rule.name, new RuleState(rule, instances, this.#report, before?.restored ?? true));
    this.#keepSamples();
  }

  /** Its alerts are over with the next evaluation. */
  removeAlertRule(name: string): boolean {
    const state = this.#rules.get(name);
    if (state === undefined) return false;
    this.#rules.delete(name);
    this.#leaving.push(state);
    this.#keepSamples();
    return true;
  }

  rules(): AlertRule[] {
    return [...this.#rules.values()].map(({ rule }) => rule);
  }

  /** Each rule with the gravest state of its instances. */
  ruleViews(): RuleView[] {
    return [...this.#rules.values()].map((state) => state.view());
  }

  /** Metrics that some rule looks at. */
  metrics(): ReadonlySet<string> {
    return this.#metrics;
  }

  /** Everything that is measured now, as one snapshot: a series that is missing in it has ended. */
  observe(points: Iterable<Point>, hostMs: number): void {
    for (const _ of this.observing([...points], hostMs));
  }

  /** The same in slices. */
  observing(points: readonly Point[], hostMs: number): Generator<undefined, void, undefined> {
    return this.#store.appendAll(points, this.#timeline.at(hostMs));
  }

  /** Call it after `observe`, as often as alerts shall be judged. `hostMs`: ms since 1970 by which durations are counted,
   *  best of a clock that nobody sets; `wallMs`: what people's clocks show, for silences and what is told. */
  evaluate(hostMs: number, wallMs: number = hostMs): Evaluation {
    const slices = this.evaluation(hostMs, wallMs);
    for (;;) {
      const { done, value } = slices.next();
      if (done === true) return value;
    }
  }

  /** The same in slices, one for each rule, each alert and each group, so that whoever has other things to do may do them in between. */
  *evaluation(hostMs: number, wallMs: number = hostMs): Generator<undefined, Evaluation, undefined> {
    const nowMs = this.#timeline.at(hostMs);
    this.#takeOver(nowMs);
    const moment = { nowMs, wallMs, restoredMs: this.#restoredMs };
    const outcome: Outcome = { transitions: [], changes: [] };
    const { transitions, changes } = outcome;
    if (this.#leaving.length > 0) for (const state of this.#leaving.splice(0)) state.end(moment, outcome);
    let [noted, counted] = [0, 0];
    const note = (): void => {
      for (; noted < changes.length; noted++) this.#remember(nowMs, ...changes[noted]!);
      for (; counted < transitions.length; counted++) this.#options.instruments?.changed(transitions[counted]!);
    };
    const states = this.#states;
    for (let i = 0; i < states.length; i++) {
      const state = states[i]!;
      if (state.rule.enabled) state.evaluate(this.#store, moment, outcome);
      else state.end(moment, outcome);
      note();
      yield;
    }
    note();
    const notifications = yield* this.#tell(nowMs, wallMs);
    yield;
    const counts = countAlerts(this.#states, this.#muted);
    if (counts.pending > 0 && nowMs - this.#heartbeatMs >= HEARTBEAT_MS) {
      this.#heartbeatMs = nowMs;
      this.#records.set(nowMs, 'sequence', this.#sequence);
    }
    const problems = this.#problems;
    this.#problems = [];
    this.#options.instruments?.evaluated(counts, notifications, this.#store);
    return { transitions, notifications, problems };
  }

  alerts(): AlertView[] {
    return this.#firing(true).map(({ instance, rule }) => {
      const { key } = instance;
      return alertView(instance, rule, this.#muted.get(key) ?? null, this.#acknowledgement(key)?.by ?? null);
    });
  }

  /** Returns the id. Times are wall clock; a silence that is over is forgotten. */
  silence(silence: Omit<Silence, 'id'>, hostMs: number): string {
    if (!(silence.endsAtMs > silence.startsAtMs)) throw new RangeError('A silence must end after it starts');
    // An expression that cannot be read must fail here, not at every evaluation.
    for (const { op, value } of silence.matchers) if (op === '=~' || op === '!~') checkExpression(value);
    if (silence.matchers.length === 0) throw new RangeError('A silence needs a matcher; alertname=~".*" matches all');
    if (this.silences().length >= MAX_SILENCES) throw new RangeError(`There are ${MAX_SILENCES} silences already`);
    const nowMs = this.#timeline.at(hostMs);
    const id = hashText(`${++this.#sequence} ${JSON.stringify(silence)}`);
    this.#records.set(nowMs, 'sequence', this.#sequence);
    this.#records.set(nowMs, `${SILENCE}${id}`, { id, ...silence });
    return id;
  }

  silences(): Silence[] {
    return this.#records.under<Silence>(SILENCE).map(([, silence]) => silence);
  }

  endSilence(id: string, hostMs: number): boolean {
    const known = this.#records.get(`${SILENCE}${id}`) !== undefined;
    this.#records.remove(this.#timeline.at(hostMs), `${SILENCE}${id}`);
    return known;
  }

  /** No more reminders of this alert until it is over. False when no such alert fires. */
  acknowledge(print: string, by: string, hostMs: number, wallMs: number = hostMs): boolean {
    const found = this.#firing(false).find(({ instance }) => fingerprint(instance.labels) === print);
    if (found === undefined) return false;
    this.#records.set(this.#timeline.at(hostMs), `ack/${found.instance.key}`, { by, atMs: wallMs });
    return true;
  }

  /** A notification that says it is a test, for each channel of the rule. It changes no state. */
  test(name: string, hostMs: number, wallMs: number = hostMs): Notification[] {
    const rule = this.#rules.get(name)?.rule;
    if (rule === undefined) return [];
    const notice = testNotice(rule, this.#linkTo(name), wallMs);
    const groupLabels = { alertname: notice.labels['alertname'] ?? name };
    const notifications = rule.channels.map((channel) =>
      this.#groups.create({ channel, groupKey: `{}:test ${name}`, groupLabels }, 'test', [notice], wallMs),
    );
    this.#enqueue(this.#timeline.at(hostMs), notifications);
    return notifications;
  }

  /** What a channel believes to be firing, for channels that must be told again and again. */
  standing(channel: string): Notice[] {
    return this.#groups.told(channel).filter(({ status }) => status === 'firing');
  }

  /** The channel is done with it, one way or the other. */
  settled(id: string, hostMs: number): void {
    this.#records.remove(this.#timeline.at(hostMs), `outbox/${id}`);
  }

  /** Notes an attempt to deliver, so that a restart still knows whom it told. */
  delivered(record: object, hostMs: number): void {
    const nowMs = this.#timeline.at(hostMs);
    const number = Number(this.#records.get('deliveries') ?? 0);
    this.#records.set(nowMs, `delivery/${number % MAX_DELIVERIES}`, { number, ...record });
    this.#records.set(nowMs, 'deliveries', number + 1);
  }

  /** The last 200 attempts, oldest first, with those of earlier processes. */
  deliveries<Delivery>(): Delivery[] {
    return this.#records
      .under<Delivery & { number: number }>('delivery/')
      .map(([, record]) => record)
      .sort((a, b) => a.number - b.number);
  }

  /** What an earlier process decided and no channel has settled. To be sent again, under the same ids. */
  unsettled(): Notification[] {
    return this.#records.under<Notification>('outbox/').map(([, notification]) => notification);
  }

  /** Lines since the last call: append and sync them before anything is sent. */
  takeJournal(): string[] {
    return this.#records.take();
  }

  /** The whole memory, for a new journal in place of a long one. */
  wholeJournal(): string[] {
    return this.#records.all();
  }

  #takeOver(nowMs: number): void {
    if (!this.#hadRestored || this.#restoredMs !== undefined) return;
    this.#restoredMs = nowMs;
    const awayMs = nowMs - (this.#restoredAtMs ?? nowMs);
    for (const { instances } of this.#rules.values()) {
      // What is pending must be seen true for all of `for`; while nobody looked it was not.
      for (const [key, one] of instances) {
        if (one.state !== 'pending') continue;
        const later = { ...one, activeAtMs: one.activeAtMs + awayMs };
        instances.set(key, later);
        this.#remember(nowMs, key, later);
      }
    }
    // Rules that are gone: what they told is taken back by the groups.
    for (const instances of this.#orphans.values()) {
      for (const { key } of instances) this.#remember(nowMs, key, undefined);
    }
    this.#orphans.clear();
  }

  #remember(nowMs: number, key: string, instance: Instance | undefined): void {
    if (instance !== undefined) return this.#records.set(nowMs, `instance/${key}`, instance);
    this.#records.remove(nowMs, `instance/${key}`);
    this.#records.remove(nowMs, `ack/${key}`);
  }

  *#tell(nowMs: number, wallMs: number): Generator<undefined, readonly Notification[], undefined> {
    const firing = this.#firing(false);
    const silences = this.#records.has(SILENCE) ? this.silences() : NO_SILENCES;
    for (const { id, endsAtMs } of silences) {
      if (endsAtMs <= wallMs) this.#records.remove(nowMs, `${SILENCE}${id}`);
    }
    this.#muted = mutedAlerts(
      firing.map(({ instance }) => instance),
      silences.filter(({ endsAtMs }) => endsAtMs > wallMs),
      this.#options.inhibitions ?? DEFAULT_INHIBITIONS,
      wallMs,
    );
    const tellable: Tellable[] = [];
    for (const { instance, rule } of firing) {
      yield;
      const { key } = instance;
      const isAcknowledged = this.#acknowledgement(key) !== undefined;
      tellable.push(tellableAlert(instance, rule, this.#linkTo(rule.name), this.#muted.has(key), isAcknowledged));
    }
    const { notifications, changes } = yield* this.#groups.step(nowMs, wallMs, tellable);
    for (const { id, state } of changes) {
      if (state === undefined) this.#records.remove(nowMs, `group/${id}`);
      else this.#records.set(nowMs, `group/${id}`, structuredClone(state));
    }
    this.#enqueue(nowMs, notifications);
    return notifications;
  }

  #enqueue(nowMs: number, notifications: readonly Notification[]): void {
    if (notifications.length > 0) this.#records.set(nowMs, 'sequence', this.#sequence);
    for (const notification of notifications) this.#records.set(nowMs, `outbox/${notification.id}`, notification);
  }

  #linkTo(rule: string): string {
    return this.#options.generatorUrl?.(rule) ?? '';
  }

  #firing(pendingToo: boolean): { instance: Instance; rule: AlertRule }[] {
    const found: { instance: Instance; rule: AlertRule }[] = [];
    for (let i = 0; i < this.#states.length; i++) {
      const { rule, instances } = this.#states[i]!;
      if (instances.size === 0) continue;
      for (const instance of instances.values()) {
        if (pendingToo || instance.state === 'firing') found.push({ instance, rule });
      }
    }
    return found;
  }

  #acknowledgement(key: string): Acknowledgement | undefined {
    if (!this.#records.has('ack/')) return undefined;
    return this.#records.get(`ack/${key}`) as Acknowledgement | undefined;
  }

  #keepSamples(): void {
    this.#states = [...this.#rules.values()];
    const widths = new Map<string, number>();
    for (const { rule } of this.#rules.values()) {
      widths.set(rule.metric, Math.max(widths.get(rule.metric) ?? 0, rule.windowMs));
    }
    this.#metrics = new Set(widths.keys());
    this.#store.keep(widths);
  }

  readonly #report = (problem: RuleProblem, first: boolean): void => {
    this.#options.instruments?.failed(problem);
    if (first) this.#problems.push(problem);
  };
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null;
