// Label sets: their one spelling, Prometheus' fingerprint of them, and what matches them.

export type Labels = Readonly<Record<string, string>>;

/** Sorted by name, without empty values: to Prometheus an empty label is none. */
export function normalLabels(labels: Labels): Labels {
  if (isNormal(labels)) return labels;
  const names = Object.keys(labels).filter((name) => labels[name] !== '');
  return Object.fromEntries(names.sort().map((name) => [name, labels[name]!]));
}

function isNormal(labels: Labels): boolean {
  const names = Object.keys(labels);
  for (let i = 0; i < names.length; i++) {
    if (labels[names[i]!] === '' || (i > 0 && names[i - 1]! > names[i]!)) return false;
  }
  return true;
}

/** One text for one label set, whatever is in its values. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(normalLabels(labels)));
}

const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;
/** The prime is 2^40 and this. */
const PRIME_LOW = 0x1b3;
const encoder = new TextEncoder();

/** FNV-1a in 64 bits, as hexadecimal; by halves, since big integers would be garbage with every byte. */
export function hash64(bytes: ArrayLike<number>): string {
  let high = OFFSET_HIGH;
  let low = OFFSET_LOW;
  for (let i = 0; i < bytes.length; i++) {
    const mixed = (low ^ bytes[i]!) >>> 0;
    // Less than 2^41: exact.
    const product = mixed * PRIME_LOW;
    low = product >>> 0;
    high = (high * PRIME_LOW + Math.floor(product / 2 ** 32) + ((mixed << 8) >>> 0)) % 2 ** 32;
  }
  return hex(high) + hex(low);
}

const hex = (half: number): string => half.toString(16).padStart(8, '0');

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
