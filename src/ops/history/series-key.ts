// A series as text and as a number of 64 bits: the same name and labels give the same, in every process.
import type { SeriesInfo } from '../../metrics/index.ts';

const KINDS = new Set(['counter', 'gauge', 'histogram']);

export function seriesKey({ name, kind, unit, labels }: SeriesInfo): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([name, kind, unit, sorted]);
}

/** Undefined for what is no key. */
export function seriesOfKey(key: string): SeriesInfo | undefined {
  try {
    const [name, kind, unit, labels] = JSON.parse(key) as [string, string, string, [string, string][]];
    if (typeof name !== 'string' || typeof unit !== 'string' || !KINDS.has(kind)) return undefined;
    return { name, kind: kind as SeriesInfo['kind'], unit, labels: Object.fromEntries(labels) };
  } catch {
    return undefined;
  }
}

/** Two independent FNV-1a sums. */
export function hashOf(key: string): readonly [number, number] {
  let a = 0x811c9dc5;
  let b = 0x050c5d1f;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + 0x9e37), 0x01000197);
    b ^= b >>> 15;
  }
  return [a >>> 0, b >>> 0];
}
