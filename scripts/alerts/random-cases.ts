// Random cases for alert engines: series with gaps, ends, stale markers, NaN and infinities, resets, and a rule over them, also as PromQL.
import { labelsKey } from '../../src/ops/alerts/labels.ts';
import type { TruthCase } from '../../test/ops/alert-truth.ts';

export type RandomCase = TruthCase & { readonly id: string; readonly rule: { readonly expr: string } };
type Value = number | string | null;

/** `counters`: rates, increases and quantiles instead of the plain functions. */
export function randomCase(seed: number, counters: boolean): RandomCase {
  const draw = generator(seed);
  const sampleEvery = draw.pick([5, 10, 15, 30, 60]);
  const evalEvery = draw.pick([sampleEvery, sampleEvery, sampleEvery, 5, 10, 15, 30, 60, 7]);
  const steps = draw.whole(20, 120);
  const threshold = draw.chance(0.05)
    ? draw.pick([1e16, -1e16, 0.30000000000000004, 1e308])
    : draw.pick([0, 1, -2, 0.75, 2.5, 3, 100, 0.1]);
  const rule = randomRule(draw, { sampleEvery, evalEvery, threshold, counters });
  const samples = Math.ceil((steps * evalEvery) / sampleEvery) + 2;
  const series = new Map<string, TruthCase['series'][number]>();
  for (let i = draw.whole(1, 6); i > 0; i--) {
    const labels = randomLabels(draw);
    const key = labelsKey(labels);
    if (!series.has(key)) series.set(key, { labels, values: randomValues(draw, samples, threshold, sampleEvery) });
  }
  const skip = draw.chance(0.2) ? skipped(draw, steps) : undefined;
  const made = { id: `s${seed}`, evalEvery, sampleEvery, steps, rule, series: [...series.values()], skip };
  // Without what is undefined, as it is in a file.
  return JSON.parse(JSON.stringify(made)) as RandomCase;
}

interface Draw {
  unit(): number;
  chance(p: number): boolean;
  whole(from: number, to: number): number;
  pick<T>(list: readonly T[]): T;
}

/** Mulberry32. */
function generator(seed: number): Draw {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    unit,
    chance: (p) => unit() < p,
    whole: (from, to) => from + Math.floor(unit() * (to - from + 1)),
    pick: (list) => list[Math.floor(unit() * list.length)] as (typeof list)[number],
  };
}

interface RuleShape {
  readonly sampleEvery: number;
  readonly evalEvery: number;
  readonly threshold: number;
  readonly counters: boolean;
}

function randomRule(draw: Draw, { sampleEvery, evalEvery, threshold, counters }: RuleShape): RandomCase['rule'] {
  const functions = counters
    ? (['rate', 'increase', 'p50', 'p90', 'p95', 'p99', 'last'] as const)
    : (['avg', 'min', 'max', 'sum', 'count'] as const);
  const absent = draw.chance(0.12);
  const op = draw.pick(['>', '>=', '<', '<=', '==', '!='] as const);
  const agg = draw.chance(counters ? 0.95 : 0.45) ? draw.pick(functions) : 'last';
  const isWindow = agg !== 'last' || (counters && draw.chance(0.5));
  const window = draw.chance(0.5) ? draw.pick([1, 2, 3, 4, 6, 10]) * sampleEvery : draw.whole(5, 400);
  const by = draw.pick([['agent'], ['zone'], ['agent', 'zone'], [], ['pod'], ['none']]);
  const across = draw.chance(0.3) ? { fn: draw.pick(['sum', 'max', 'min', 'avg', 'count'] as const), by } : undefined;
  const where = draw.chance(0.3)
    ? draw.pick<Record<string, string>>([
        { agent: 'a' },
        { agent: '!b' },
        { agent: 'a', zone: '!us' },
        { zone: '!eu' },
        { pod: '!5' },
      ])
    : undefined;
  const seconds = (): number => (draw.chance(0.5) ? draw.whole(0, 12) * evalEvery : draw.whole(0, 12 * evalEvery + 1));
  const common = {
    where,
    for: draw.chance(0.3) ? 0 : seconds(),
    keepFiringFor: draw.chance(0.5) ? 0 : seconds(),
    labels: draw.chance(0.4)
      ? draw.pick<Record<string, string>>([
          { severity: 'critical' },
          { agent: 'x' },
          { severity: '' },
          { zone: '' },
          { pod: '1' },
        ])
      : undefined,
  };
  const selector = `m${matchers(where)}`;
  if (absent) return { ...common, absent, expr: `absent(${selector})` };
  const ranged = isWindow ? overTime(agg, selector, window) : selector;
  const folded = across === undefined ? ranged : `${across.fn} by (${across.by.join(', ')}) (${ranged})`;
  return {
    ...common,
    op,
    threshold,
    agg,
    across,
    window: isWindow ? window : undefined,
    expr: `${folded} ${op} ${threshold}`,
  };
}

function overTime(agg: string, selector: string, window: number): string {
  const range = `${selector}[${window}s]`;
  if (agg === 'rate' || agg === 'increase') return `${agg}(${range})`;
  return agg.startsWith('p') ? `quantile_over_time(0.${agg.slice(1)}, ${range})` : `${agg}_over_time(${range})`;
}

function matchers(where: Readonly<Record<string, string>> | undefined): string {
  const parts = Object.entries(where ?? {}).map(([name, value]) =>
    value.startsWith('!') ? `${name}!="${value.slice(1)}"` : `${name}="${value}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function randomLabels(draw: Draw): Record<string, string> {
  return {
    ...(draw.chance(0.9) ? { agent: draw.pick(['a', 'b', 'c', 'd']) } : {}),
    ...(draw.chance(0.5) ? { zone: draw.pick(['eu', 'us']) } : {}),
    ...(draw.chance(0.2) ? { pod: draw.pick(['5', '6']) } : {}),
    ...(draw.chance(0.05) ? { odd: draw.pick(['ü "q"', 'a\nb', '\\', '__proto__', 'x,y=z']) } : {}),
  };
}

const KINDS = ['walk', 'constant', 'step', 'special', 'counter', 'tiny', 'huge', 'alternate'] as const;

function randomValues(draw: Draw, samples: number, threshold: number, sampleEvery: number): Value[] {
  const kind = draw.pick(KINDS);
  const begin = draw.chance(0.2) ? draw.whole(0, samples) : 0;
  const end = draw.chance(0.2) ? draw.whole(0, samples) : samples;
  const gaps = draw.pick([0, 0, 0.02, 0.1]);
  const stales = draw.pick([0, 0, 0.02, 0.08]);
  const specials = kind === 'special' ? 0.25 : draw.pick([0, 0, 0.02]);
  const values: Value[] = [];
  let value = threshold + draw.whole(-3, 3);
  let gap = 0;
  for (let i = 0; i < samples; i++) {
    if (i < begin || i >= end) values.push(i === end && end > begin && draw.chance(0.5) ? 'stale' : null);
    else if (gap > 0) {
      gap--;
      values.push(null);
    } else if (draw.chance(gaps)) {
      gap = draw.whole(0, draw.chance(0.3) ? Math.ceil(320 / sampleEvery) : 4);
      values.push(null);
    } else if (draw.chance(stales)) {
      gap = draw.chance(0.5) ? draw.whole(0, 6) : 0;
      values.push('stale');
    } else if (draw.chance(specials)) values.push(draw.pick(['NaN', '+Inf', '-Inf']));
    else {
      value = next(draw, kind, value, threshold, i);
      values.push(value);
    }
  }
  return values;
}

function next(draw: Draw, kind: (typeof KINDS)[number], value: number, threshold: number, i: number): number {
  switch (kind) {
    case 'walk':
      return value + draw.whole(-12, 12) / 4;
    case 'step':
      return draw.chance(0.1) ? threshold + draw.pick([-1, 0, 1, 2]) : value;
    case 'counter':
      return draw.chance(0.05) ? draw.whole(0, 3) : value + draw.whole(0, 5);
    case 'tiny':
      return draw.pick([0.1, 0.2, 0.3, 0.7, threshold, threshold + 0.1, 1e-9]);
    case 'huge':
      return draw.pick([1e308, -1e308, 1e16, 1, -1e16, threshold, Number.MAX_VALUE]);
    case 'alternate':
      return threshold + (i % 2 === 1 ? 1 : -1);
    default:
      return value;
  }
}

function skipped(draw: Draw, steps: number): number[] {
  const all = new Set<number>();
  for (let run = draw.whole(1, 3); run > 0; run--) {
    const from = draw.whole(0, steps - 1);
    const until = Math.min(steps, from + draw.whole(1, 12));
    for (let i = from; i < until; i++) all.add(i);
  }
  return [...all].sort((a, b) => a - b);
}
