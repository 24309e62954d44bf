// What a rule's expression is worth now: one value for each label set, before it is compared with a threshold.
import { across, overTime } from './fold.ts';
import { equalities, type Labels, labelsKey, normalLabels } from './labels.ts';
import type { AlertRule } from './rule.ts';
import type { SampleStore } from './sample-store.ts';

export interface Reading {
  readonly labels: Labels;
  /** `labelsKey(labels)`. */
  readonly key: string;
  readonly value: number;
}

/** `absent` reads 1 where nothing is seen, and nothing otherwise. */
export function readRule(rule: AlertRule, store: SampleStore, nowMs: number): Reading[] {
  const seen = readSeries(rule, store, nowMs);
  if (rule.condition !== 'absent') return seen;
  return seen.length > 0 ? [] : [absence(rule)];
}

export function absence(rule: AlertRule): Reading {
  const labels = equalities(rule.where);
  return { labels, key: labelsKey(labels), value: 1 };
}

function readSeries(rule: AlertRule, store: SampleStore, nowMs: number): Reading[] {
  const readings: Reading[] = [];
  for (const series of store.select(rule.metric, rule.where)) {
    const value =
      rule.windowMs === 0
        ? series.seen(nowMs)
        : overTime(rule.windowFunction, {
            ...series.window(nowMs, rule.windowMs),
            endMs: nowMs,
            widthMs: rule.windowMs,
          });
    if (value !== undefined) readings.push({ labels: series.labels, key: series.key, value });
  }
  return rule.across === null ? readings : folded(rule.across, readings);
}

function folded({ fn, by }: NonNullable<AlertRule['across']>, readings: readonly Reading[]): Reading[] {
  const groups = new Map<string, { labels: Labels; values: number[] }>();
  for (const { labels, value } of readings) {
    const kept = normalLabels(Object.fromEntries(by.map((name) => [name, labels[name] ?? ''])));
    const key = labelsKey(kept);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels: kept, values: [value] });
    else group.values.push(value);
  }
  return [...groups].map(([key, { labels, values }]) => ({ labels, key, value: across(fn, values) }));
}
