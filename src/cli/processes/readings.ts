// What several processes measure, as one: counts are added up and never fall, whatever becomes of a process; what a gauge says stays its process's own.
import type { MetricFact, SeriesReading } from '../../ops/alerts/index.ts';
import { isOfMachine, type ProcessReadings } from '../alerts/process-report.ts';

/** What a process said is no news after that. */
const FRESH_MS = 5000;
/** Series that are added up; those that find no room are counted. */
const MAX_SERIES = 20_000;

/** What one process has counted: before it was started again, and since. */
interface Part {
  count: number;
  sum: number;
  earlierCount: number;
  earlierSum: number;
}
interface Sum {
  readonly name: string;
  readonly labels: SeriesReading['labels'];
  readonly kind: 'counter' | 'histogram';
  readonly parts: Map<number, Part>;
}

export class MergedReadings {
  readonly #sums = new Map<string, Sum>();
  readonly #gauges = new Map<number, { atMs: number; readings: readonly SeriesReading[] }>();
  readonly #facts = new Map<string, MetricFact>();
  dropped = 0;

  /** What one process said. */
  take(process: number, { facts, readings }: Pick<ProcessReadings, 'facts' | 'readings'>, nowMs: number): void {
    for (const fact of facts) this.#facts.set(fact.name, fact);
    const gauges: SeriesReading[] = [];
    for (const one of readings) {
      if (one.kind === 'gauge') gauges.push(gaugeOf(one, process));
      else this.#add(process, one);
    }
    this.#gauges.set(process, { atMs: nowMs, readings: gauges });
  }

  /** Metrics that any of them has. */
  facts(): MetricFact[] {
    return [...this.#facts.values()];
  }

  readings(nowMs: number): SeriesReading[] {
    const merged: SeriesReading[] = [];
    for (const { name, labels, kind, parts } of this.#sums.values()) {
      let [count, sum] = [0, 0];
      for (const part of parts.values()) {
        count += part.earlierCount + part.count;
        sum += part.earlierSum + part.sum;
      }
      merged.push(kind === 'counter' ? { name, labels, kind, value: count } : { name, labels, kind, count, sum });
    }
    const seen = new Set<string>();
    for (const { atMs, readings } of this.#gauges.values()) {
      if (nowMs - atMs > FRESH_MS) continue;
      for (const one of readings) {
        const key = keyOf(one);
        if (!seen.has(key)) merged.push(one);
        seen.add(key);
      }
    }
    return merged;
  }

  #add(process: number, one: SeriesReading): void {
    const key = keyOf(one);
    const { name, labels } = one;
    const isHistogram = one.kind === 'histogram';
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      if (this.#sums.size >= MAX_SERIES) {
        this.dropped++;
        return;
      }
      sum = { name, labels, kind: isHistogram ? 'histogram' : 'counter', parts: new Map() };
      this.#sums.set(key, sum);
    }
    const now = isHistogram ? { count: one.count, sum: one.sum } : { count: one.value, sum: 0 };
    const part = sum.parts.get(process);
    if (part === undefined) {
      sum.parts.set(process, { ...now, earlierCount: 0, earlierSum: 0 });
      return;
    }
    // It began anew: another process has its place.
    if (now.count < part.count) {
      part.earlierCount += part.count;
      part.earlierSum += part.sum;
    }
    Object.assign(part, now);
  }
}

function gaugeOf(one: Extract<SeriesReading, { value: number }>, process: number): SeriesReading {
  // JSON knows neither NaN nor infinity.
  const value = (one.value as number | null) ?? Number.NaN;
  if (isOfMachine(one.name)) return { ...one, value };
  return { ...one, value, labels: { ...one.labels, process: String(process) } };
}

function keyOf({ name, labels }: SeriesReading): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
