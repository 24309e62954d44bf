// What a rule's expression is worth now: one value for each label set, before it is compared with a threshold.
import { across, overTime, type Window } from './fold.ts';
import { equalities, type Labels, labelsKey, normalLabels } from './labels.ts';
import type { AlertRule } from './rule.ts';
import type { SampleStore, StoredSeries } from './sample-store.ts';

export interface Reading {
  readonly labels: Labels;
  /** `labelsKey(labels)`. */
  readonly key: string;
  readonly value: number;
}

type Kept<T> = { -readonly [key in keyof T]: T[key] };
/** One reading of several series. */
interface Group extends Kept<Reading> {
  readonly values: number[];
  count: number;
  /** The turn in which it was last met. */
  turn: number;
}

/** Label sets of groups that one rule remembers. */
const MAX_GROUPS = 5000;
const NOTHING: readonly Reading[] = [];

/** Of whichever series is read. */
const samples: Kept<Window> = { timesMs: [], values: [], first: 0, endMs: 0, widthMs: 0 };

/** Reads one rule again and again, without garbage. */
export class RuleReader {
  readonly #rule: AlertRule;
  #absence: readonly [Reading] | undefined;
  readonly #ofSeries: Kept<Reading>[] = [];
  readonly #groups = new Map<string, Group>();
  /** By the labels of a series; made with the first group, since most rules look at each series by itself. */
  #groupOf: WeakMap<Labels, Group> | undefined;
  readonly #met: Group[] = [];
  #turn = 0;

  constructor(rule: AlertRule) {
    this.#rule = rule;
  }

  /** `absent` reads 1 where nothing is seen, and nothing otherwise. Good until the next reading. */
  read(store: SampleStore, nowMs: number): readonly Reading[] {
    const seen = this.#seen(store, nowMs);
    if (this.#rule.condition !== 'absent') return seen;
    return seen.length > 0 ? NOTHING : (this.#absence ??= [absence(this.#rule)]);
  }

  #seen(store: SampleStore, nowMs: number): readonly Reading[] {
    const { metric, where, across: folding } = this.#rule;
    const series = store.select(metric, where);
    const readings = this.#ofSeries;
    let count = 0;
    for (let i = 0; i < series.length; i++) {
      const one = series[i]!;
      const value = this.#valueOf(one, nowMs);
      if (value === undefined) continue;
      const reading = (readings[count++] ??= { labels: one.labels, key: one.key, value });
      reading.labels = one.labels;
      reading.key = one.key;
      reading.value = value;
    }
    if (readings.length > count) readings.length = count;
    return folding === null ? readings : this.#folded(folding, readings);
  }

  #valueOf(series: StoredSeries, nowMs: number): number | undefined {
    const { windowMs, windowFunction } = this.#rule;
    if (windowMs === 0) return series.seen(nowMs);
    samples.timesMs = series.timesMs;
    samples.values = series.values;
    samples.first = series.first(nowMs, windowMs);
    samples.endMs = nowMs;
    samples.widthMs = windowMs;
    return overTime(windowFunction, samples);
  }

  /** In the order in which the groups were met. */
  #folded({ fn, by }: NonNullable<AlertRule['across']>, readings: readonly Reading[]): readonly Reading[] {
    const turn = ++this.#turn;
    if (this.#groups.size > MAX_GROUPS) {
      this.#groups.clear();
      this.#groupOf = undefined;
    }
    let met = 0;
    for (let i = 0; i < readings.length; i++) {
      const { labels, value } = readings[i]!;
      const group = this.#groupOf?.get(labels) ?? this.#groupFor(labels, by);
      if (group.turn !== turn) {
        group.turn = turn;
        group.count = 0;
        this.#met[met++] = group;
      }
      group.values[group.count++] = value;
    }
    if (this.#met.length > met) this.#met.length = met;
    for (let i = 0; i < met; i++) {
      const group = this.#met[i]!;
      group.value = across(fn, group.values, 0, group.count);
    }
    return this.#met;
  }

  #groupFor(labels: Labels, by: readonly string[]): Group {
    const kept = normalLabels(Object.fromEntries(by.map((name) => [name, labels[name] ?? ''])));
    const key = labelsKey(kept);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { labels: kept, key, value: Number.NaN, values: [], count: 0, turn: 0 };
      this.#groups.set(key, group);
    }
    this.#groupOf ??= new WeakMap();
    this.#groupOf.set(labels, group);
    return group;
  }
}

export function absence(rule: AlertRule): Reading {
  const labels = equalities(rule.where);
  return { labels, key: labelsKey(labels), value: 1 };
}
