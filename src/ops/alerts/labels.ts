// Label sets: their one spelling, Prometheus' fingerprint of them, and what matches them.

export type Labels = Readonly<Record<string, string>>;

/** Sorted by name, without empty values: to Prometheus an empty label is none. */
export function normalLabels(labels: Labels): Labels {
  const entries = Object.entries(labels).filter(([, value]) => value !== '');
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** One text for one label set, whatever is in its values. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(normalLabels(labels)));
}

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const encoder = new TextEncoder();

/** FNV-1a in 64 bits, as hexadecimal. */
export function hash64(bytes: Iterable<number>): string {
  let hash = OFFSET;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, '0');
}

export function hashText(text: string): string {
  return hash64(encoder.encode(text));
}

const prints = new WeakMap<Labels, string>();
/** What Prometheus and Alertmanager call the fingerprint of a label set. */
export function fingerprint(labels: Labels): string {
  let print = prints.get(labels);
  if (print === undefined) {
    print = printOf(labels);
    prints.set(labels, print);
  }
  return print;
}

function printOf(labels: Labels): string {
  const bytes: number[] = [];
  for (const [name, value] of Object.entries(normalLabels(labels))) {
    bytes.push(...encoder.encode(name), 0xff, ...encoder.encode(value), 0xff);
  }
  return hash64(bytes);
}

/** `{a="x", b="y"}` as Alertmanager writes it in its group keys. */
export function labelsText(labels: Labels): string {
  const parts = Object.entries(normalLabels(labels)).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${parts.join(', ')}}`;
}

export interface Matcher {
  readonly name: string;
  /** Regular expressions match the whole value. */
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** A missing label is an empty one. */
export function matches(matcher: Matcher, labels: Labels): boolean {
  const value = labels[matcher.name] ?? '';
  switch (matcher.op) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case '=~':
      return whole(matcher.value).test(value);
    case '!~':
      return !whole(matcher.value).test(value);
  }
}

export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  for (let i = 0; i < matchers.length; i++) if (!matches(matchers[i]!, labels)) return false;
  return true;
}

const expressions = new Map<string, RegExp>();
function whole(source: string): RegExp {
  let found = expressions.get(source);
  if (found === undefined) {
    if (expressions.size > 1000) expressions.clear();
    found = new RegExp(`^(?:${source})$`, 's');
    expressions.set(source, found);
  }
  return found;
}

/** The labels that `absent` carries: those asked for by one equality and nothing else. */
export function equalities(matchers: readonly Matcher[]): Labels {
  const names = new Map<string, number>();
  for (const { name } of matchers) names.set(name, (names.get(name) ?? 0) + 1);
  return normalLabels(
    Object.fromEntries(
      matchers.filter(({ op, name }) => op === '=' && names.get(name) === 1).map(({ name, value }) => [name, value]),
    ),
  );
}
