// What keeps a firing alert from being notified: silences by people, and graver alerts about the same thing.
import { type Labels, labelsKey, type Matcher, matchesAll } from './labels.ts';

/** Times are wall clock. Both ends count as people set them, whatever the clock did meanwhile. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** While an alert that matches `source` fires, those that match `target` and are equal in the `equal` labels are muted.
 *  As in Alertmanager, two missing labels are equal, and what matches both sides mutes nothing that does so too. */
export interface Inhibition {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
}

/** A critical alert mutes the warnings that share its `topic` label. */
export const DEFAULT_INHIBITIONS: readonly Inhibition[] = [
  {
    source: [{ name: 'severity', op: '=', value: 'critical' }],
    target: [
      { name: 'severity', op: '=', value: 'warning' },
      { name: 'topic', op: '!=', value: '' },
    ],
    equal: ['topic'],
  },
];

export interface Mutable {
  readonly key: string;
  readonly labels: Labels;
}

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Why each of them is muted; who is not named is not muted. */
export function mutedAlerts(
  firing: readonly Mutable[],
  silences: Iterable<Silence>,
  inhibitions: readonly Inhibition[],
  wallMs: number,
): ReadonlyMap<string, string> {
  if (firing.length === 0) return NOTHING;
  const reasons = new Map<string, string>();
  const active = [...silences].filter(({ startsAtMs, endsAtMs }) => startsAtMs <= wallMs && wallMs < endsAtMs);
  for (const { key, labels } of firing) {
    const silence = active.find(({ matchers }) => matchesAll(matchers, labels));
    if (silence !== undefined) reasons.set(key, `silence ${silence.id}`);
  }
  for (const inhibition of inhibitions) inhibit(firing, inhibition, reasons);
  return reasons;
}

function inhibit(firing: readonly Mutable[], { source, target, equal }: Inhibition, reasons: Map<string, string>) {
  const place = (labels: Labels) => labelsKey(Object.fromEntries(equal.map((name) => [name, labels[name] ?? ''])));
  /** For each place a source, and one that is not a target itself. */
  const sources = new Map<string, { any: Mutable; pure?: Mutable }>();
  for (const alert of firing) {
    if (!matchesAll(source, alert.labels)) continue;
    const at = place(alert.labels);
    const known = sources.get(at) ?? { any: alert };
    if (!matchesAll(target, alert.labels)) known.pure ??= alert;
    sources.set(at, known);
  }
  if (sources.size === 0) return;
  for (const alert of firing) {
    if (reasons.has(alert.key) || !matchesAll(target, alert.labels)) continue;
    const found = sources.get(place(alert.labels));
    const by = matchesAll(source, alert.labels) ? found?.pure : found?.any;
    if (by !== undefined && by.key !== alert.key) reasons.set(alert.key, `alert ${by.labels['alertname'] ?? by.key}`);
  }
}
