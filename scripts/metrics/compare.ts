// The registry's truth against what a receiver has stored: every series, both ways, without a tolerance.

/** A series as the measured process holds it. */
export interface TrueSeries {
  readonly name: string;
  readonly prometheusName: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: Readonly<Record<string, string>>;
  /** Null: a gauge whose value is not known any more. */
  readonly value?: number | null;
  readonly count?: number;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  /** How many were at most each bound. */
  readonly below?: readonly number[];
  readonly quantiles?: readonly (number | null)[];
  /** All values that it had when somebody looked: it is another one each time. */
  readonly readings?: readonly number[];
  /** Has fixed buckets wherever it goes. */
  readonly form?: 'explicit';
}

/** A sample as a receiver answers a query. */
export interface Stored {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, { readonly count: string; readonly sum: string }];
}

/** Counts itself, or the time: these are compared by name and labels, and must be near. */
const MOVING = /^(uptime_seconds|http_requests_total|syrinx_otlp_.*)$/;
/** What receivers add of their own. */
const FOREIGN = /^(up|scrape_.*|target_info|otel_scope_info|ALERTS|ALERTS_FOR_STATE)$/;

const labelName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_');

/** One text for a series, whatever the order of its labels; `le` is compared as a number. */
function keyOf(name: string, labels: Readonly<Record<string, string>>, ignored: ReadonlySet<string>): string {
  const parts = Object.entries(labels)
    .filter(([label, value]) => label !== '__name__' && value !== '' && !ignored.has(label))
    .map(
      ([label, value]) => `${labelName(label)}=${label === 'le' ? Number(value.replace('+Inf', 'Infinity')) : value}`,
    );
  return `${name}{${parts.sort().join(',')}}`;
}

export interface Receiver {
  /** It does not hear that a gauge has no value any more (OTLP through the SDK's exporter), and shows the last for a while. */
  readonly keepsLastGauge?: boolean;
  /** It stores sums as decimal numbers of so many digits, and cuts off what comes after. */
  readonly digits?: number;
}

export interface Comparison {
  readonly series: number;
  readonly samples: number;
  readonly differences: readonly string[];
}

export function compare(
  truth: readonly TrueSeries[],
  stored: readonly Stored[],
  histograms: 'explicit' | 'exponential',
  ignoredLabels: readonly string[],
  receiver: Receiver = {},
): Comparison {
  const ignored = new Set(ignoredLabels);
  const found = new Map<string, Stored>();
  const differences: string[] = [];
  for (const one of stored) {
    const name = one.metric.__name__ ?? '';
    if (FOREIGN.test(name)) continue;
    const key = keyOf(name, one.metric, ignored);
    if (found.has(key)) differences.push(`${key}: stored twice`);
    found.set(key, one);
  }
  let samples = 0;
  const expect = (
    name: string,
    labels: Readonly<Record<string, string>>,
    wanted: number,
    moving: boolean,
    readings?: readonly number[],
  ): void => {
    samples++;
    const key = keyOf(name, labels, ignored);
    const one = found.get(key);
    found.delete(key);
    const value = one?.value === undefined ? undefined : Number(one.value[1]);
    if (value === undefined) differences.push(`${key}: not stored, is ${wanted}`);
    else if (readings !== undefined) {
      if (!readings.includes(value)) differences.push(`${key}: ${value}, and it never was`);
    } else if (!(moving ? isNear(value, wanted) : isSame(value, wanted, receiver.digits)))
      differences.push(`${key}: ${value}, is ${wanted}`);
  };
  for (const one of truth) {
    const { prometheusName: name, labels, bounds = [], below = [], count = 0, sum = 0 } = one;
    const moving = MOVING.test(name);
    if (one.value === null) {
      if (receiver.keepsLastGauge) found.delete(keyOf(name, labels, ignored));
    } else if (one.kind !== 'histogram') {
      expect(name, labels, one.value ?? Number.NaN, moving, one.readings);
    } else if (histograms === 'explicit' || one.form === 'explicit') {
      expect(`${name}_count`, labels, count, moving);
      expect(`${name}_sum`, labels, sum, moving);
      bounds.forEach((bound, i) => expect(`${name}_bucket`, { ...labels, le: String(bound) }, below[i] ?? 0, moving));
      expect(`${name}_bucket`, { ...labels, le: '+Inf' }, count, moving);
    } else {
      samples += 2;
      const key = keyOf(name, labels, ignored);
      const stands = found.get(key)?.histogram?.[1];
      found.delete(key);
      if (stands === undefined) differences.push(`${key}: no native histogram is stored`);
      else if (!moving && (Number(stands.count) !== count || Number(stands.sum) !== sum)) {
        differences.push(`${key}: count ${stands.count}, sum ${stands.sum}; is ${count}, ${sum}`);
      }
    }
  }
  for (const key of found.keys()) differences.push(`${key}: stored, and not in the process`);
  return { series: truth.length, samples, differences };
}

function isSame(value: number, wanted: number, digits: number | undefined): boolean {
  if (digits === undefined || wanted === 0) return value === wanted;
  const lastDigit = 10 ** (Math.floor(Math.log10(Math.abs(wanted))) + 1 - digits);
  return Math.abs(value - wanted) <= lastDigit;
}

/** Between two looks these move a little. */
function isNear(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= Math.max(40, 0.5 * Math.abs(wanted));
}

/** A page in the text format as samples. */
export function parsePage(text: string): Stored[] {
  const out: Stored[] = [];
  for (const line of text.split('\n')) {
    const [, name, braces = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const metric: Record<string, string> = { __name__: name };
    for (const [, label = '', escaped = ''] of braces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      metric[label] = escaped.replace(/\\(["\\n])/g, (_, sign) => (sign === 'n' ? '\n' : sign));
    }
    out.push({ metric, value: [0, value] });
  }
  return out;
}

/** How far `estimate` is from the value at rank `q`, relatively; both neighbours of a rank between two values are right. */
export function quantileError(values: readonly number[], q: number, estimate: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const ranks = [
    Math.floor(q * (sorted.length - 1)),
    Math.ceil(q * (sorted.length - 1)),
    Math.ceil(q * sorted.length) - 1,
  ];
  let error = Number.POSITIVE_INFINITY;
  for (const rank of ranks) {
    const exact = sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
    // Below a nanosecond there is nothing to measure.
    error = Math.min(error, Math.max(exact, estimate) < 1e-9 ? 0 : Math.abs(estimate - exact) / exact);
  }
  return error;
}
