// Which series a query means: by name, with `*` for any characters, and by labels that must be equal.
import { prometheusName, type SeriesInfo } from '../../metrics/index.ts';

export function selector(name: string, labels: Readonly<Record<string, string>> = {}): (info: SeriesInfo) => boolean {
  const wanted = Object.entries(labels);
  const isNamed = nameMatcher(name);
  return (info) => wanted.every(([label, value]) => info.labels[label] === value) && isNamed(info);
}

function nameMatcher(name: string): (info: SeriesInfo) => boolean {
  // Names at /metrics have no dots.
  const isOwn = name.includes('.');
  if (!name.includes('*')) return (info) => info.name === name || (!isOwn && exportedName(info) === name);
  const parts = name.split('*');
  return (info) => fits(info.name, parts) || (!isOwn && fits(exportedName(info), parts));
}

const exported = new WeakMap<SeriesInfo, string>();

/** As at `/metrics`. */
export function exportedName(info: SeriesInfo): string {
  let name = exported.get(info);
  if (name === undefined) {
    name = prometheusName(info.name, info.unit, info.kind);
    exported.set(info, name);
  }
  return name;
}

/** Each part behind the one before it: no pattern takes longer than the name is long. */
function fits(name: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** One line about the first name that no series has, with what was probably meant; undefined where all are known. */
export function unknownMetric(
  names: readonly string[],
  known: readonly SeriesInfo[],
  nearest: (name: string, among: Iterable<string>) => string | undefined,
): string | undefined {
  const name = names.find((one) => !known.some(selector(one)));
  if (name === undefined) return undefined;
  const shown = JSON.stringify(name.slice(0, 100));
  if (name.includes('*')) return `no metric with history fits ${shown}`;
  const all = new Set(known.flatMap((info) => (name.includes('.') ? [info.name] : [info.name, exportedName(info)])));
  // What is much longer or shorter is not what was meant, and comparing takes its time.
  const alike = [...all].filter((one) => Math.abs(one.length - name.length) <= Math.max(one.length, name.length) / 3);
  const meant = nearest(name.slice(0, 100), alike);
  return `no history of ${shown}${meant === undefined ? '; GET /api/history and "syrinx history list" name all' : `; did you mean "${meant}"?`}`;
}
