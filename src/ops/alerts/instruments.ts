// What the alert engine says about itself. Rule names are the only labels that a user chooses.
import type { Registry } from '../../metrics/index.ts';
import type { Notification } from './notification.ts';
import type { RuleProblem, RuleState, Transition } from './rule-state.ts';
import type { SampleStore } from './sample-store.ts';

/** Alerts by state; a muted one fires too. */
export interface AlertCounts {
  readonly pending: number;
  readonly firing: number;
  readonly muted: number;
}

/** `muted`: by the alert's key. */
export function countAlerts(
  rules: readonly Pick<RuleState, 'instances'>[],
  muted: ReadonlyMap<string, unknown>,
): AlertCounts {
  const counts = { pending: 0, firing: 0, muted: 0 };
  for (let i = 0; i < rules.length; i++) {
    const { instances } = rules[i]!;
    if (instances.size === 0) continue;
    for (const { key, state } of instances.values()) counts[state === 'firing' && muted.has(key) ? 'muted' : state]++;
  }
  return counts;
}

export interface AlertInstruments {
  changed(transition: Transition): void;
  evaluated(counts: AlertCounts, notifications: readonly Notification[], store: SampleStore): void;
  failed(problem: RuleProblem): void;
}

export function createAlertInstruments(registry: Registry): AlertInstruments {
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    registry.counter({ name: `syrinx.alerts.${name}`, help, labels });
  const gauge = (name: string, help: string, labels: readonly string[] = []) =>
    registry.gauge({ name: `syrinx.alerts.${name}`, help, labels });
  const evaluations = counter('evaluations', 'Evaluations of all alert rules.').labels();
  const active = gauge('active', 'Alerts by state; muted ones fire without anybody being told.', ['state']);
  const [pending, firing, muted] = [
    active.labels({ state: 'pending' }),
    active.labels({ state: 'firing' }),
    active.labels({ state: 'muted' }),
  ];
  const changed = counter('transitions', 'Changes of state of alerts, by rule.', ['rule', 'to']);
  const notified = counter('notifications', 'Notifications that were decided, by channel.', ['channel', 'status']);
  const failures = counter('failures', 'Evaluations, templates and instances that failed, by rule.', ['rule', 'kind']);
  const series = gauge('series', 'Series that alert rules look at.').labels();
  const dropped = counter('samples.dropped', 'Samples that the alert engine had no room for.').labels();
  let droppedBefore = 0;
  return {
    changed: ({ rule, to }) => changed.labels({ rule, to }).add(1),
    evaluated(counts, notifications, store) {
      evaluations.add(1);
      pending.set(counts.pending);
      firing.set(counts.firing);
      muted.set(counts.muted);
      for (const { channel, status } of notifications) notified.labels({ channel, status }).add(1);
      series.set(store.seriesCount);
      dropped.add(store.dropped - droppedBefore);
      droppedBefore = store.dropped;
    },
    failed: ({ rule, kind }) => failures.labels({ rule, kind }).add(1),
  };
}
