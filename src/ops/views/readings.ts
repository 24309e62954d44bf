// Looks values up in a snapshot of the registry. What is not there is null, never 0.
import type { MetricSnapshot } from '../../metrics/index.ts';

type Where = Readonly<Record<string, string>>;

export class Readings {
  readonly #byName = new Map<string, MetricSnapshot[]>();

  constructor(snapshot: readonly MetricSnapshot[]) {
    for (const one of snapshot) {
      const known = this.#byName.get(one.name);
      if (known === undefined) this.#byName.set(one.name, [one]);
      else known.push(one);
    }
  }

  all(name: string): readonly MetricSnapshot[] {
    return this.#byName.get(name) ?? [];
  }

  /** A gauge, or the sum of a counter's series that match; null where there is none. */
  value(name: string, where: Where = {}): number | null {
    let sum: number | null = null;
    for (const one of this.all(name)) {
      if (one.kind !== 'histogram' && matches(one, where)) sum = (sum ?? 0) + one.value;
    }
    return sum;
  }

  /** Like `value`, of a counter whose instrument is there: what has not happened yet is 0, and known. */
  count(name: string, where: Where = {}): number | null {
    const value = this.value(name, where);
    return value ?? (this.all(name).length > 0 ? 0 : null);
  }

  /** Count and sum of a histogram's series that match; null where there is none. */
  total(name: string, where: Where = {}): { readonly count: number; readonly sum: number } | null {
    let total: { count: number; sum: number } | null = null;
    for (const one of this.all(name)) {
      if (one.kind !== 'histogram' || !matches(one, where)) continue;
      total ??= { count: 0, sum: 0 };
      total.count += one.count;
      total.sum += one.sum;
    }
    return total;
  }

  /** Mean of a histogram; null before the first value. */
  mean(name: string, where: Where = {}): number | null {
    const total = this.total(name, where);
    return total === null || total.count === 0 ? null : total.sum / total.count;
  }
}

function matches(one: MetricSnapshot, where: Where): boolean {
  for (const name in where) if (one.labels[name] !== where[name]) return false;
  return true;
}

/** Null stays null; else rounded to so many digits after the point. */
export function rounded(value: number | null, digits = 3): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
