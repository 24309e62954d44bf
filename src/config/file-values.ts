// The values that a configuration file gives, under whichever of its names each key is written.
import { KEYS } from './aliases.ts';
import { type JsonEntry, JsonError, type JsonNode, parseJsonc } from './jsonc.ts';
import { nearest } from './nearest.ts';
import type { Given, Origin } from './origin.ts';
import { GROUPS, SETTINGS, snakeCase } from './settings.ts';

export interface FileSource {
  /** As the user named it; shown in messages. */
  readonly path: string;
  readonly text: string;
}

/** The specification's application name: a file may hold its settings under it, as `config :livekitex_agent` does. */
const ENVELOPE = 'livekitex_agent';

const groups = new Set([
  ...GROUPS,
  ...[...KEYS.keys()].flatMap((key) => (key.includes('.') ? [key.slice(0, key.lastIndexOf('.'))] : [])),
]);
const names = [...SETTINGS.keys(), ...KEYS.keys(), ...groups].filter((name) => name !== '');

/** Adds to `problems` instead of throwing, so that one run shows everything. */
export function fileValues(file: FileSource, problems: string[]): Given[] {
  let root: JsonNode;
  try {
    root = parseJsonc(file.text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    problems.push(`${file.path}:${error.line}:${error.column}: ${error.message}`);
    return [];
  }
  const given = new Map<string, Given>();
  const place = (line: number): string => `${file.path}:${line}`;

  const walk = (node: JsonNode, group: string): void => {
    if (node.kind !== 'object') {
      problems.push(
        `${group === '' ? 'configuration' : group}: wanted a group of settings ({ ... }) (file ${place(node.line)})`,
      );
      return;
    }
    for (const entry of node.value as readonly JsonEntry[]) {
      const name = snakeCase(entry.key);
      const key = group === '' ? name : `${group}.${name}`;
      const target = KEYS.get(key) ?? key;
      if (group === '' && name === '$schema') continue;
      if (group === '' && name === ENVELOPE) walk(entry.node, '');
      else if (SETTINGS.has(target)) set(target, entry);
      else if (groups.has(key)) walk(entry.node, key);
      else problems.push(unknown(group, entry, place(entry.line)));
    }
  };
  const set = (key: string, entry: JsonEntry): void => {
    const origin = { kind: 'file', name: place(entry.line) } as const;
    const earlier = given.get(key);
    if (earlier !== undefined) problems.push(`${key}: given twice (file ${earlier.origin.name} and ${origin.name})`);
    const deep = SETTINGS.get(key)?.kind === 'groups';
    const inside = deep ? new Map(placesIn(entry.node, '', place)) : undefined;
    given.set(key, { key, value: plainValue(entry.node, deep), origin, inside });
  };
  walk(root, '');
  return [...given.values()];
}

function unknown(group: string, entry: JsonEntry, place: string): string {
  const key = group === '' ? entry.key : `${group}.${entry.key}`;
  const inside = names.filter((name) => group === '' || name.startsWith(`${group}.`));
  const meant = nearest(snakeCase(key), inside) ?? nearest(snakeCase(key), names) ?? byLastName(entry.key);
  return `Unknown key '${key}'${meant === undefined ? '' : `: did you mean '${meant}'?`} (file ${place})`;
}

/** A setting that was written in the wrong group. */
function byLastName(name: string): string | undefined {
  const ending = `.${snakeCase(name)}`;
  return [...SETTINGS.keys()].find((key) => key.endsWith(ending));
}

/** Groups are shown and refused as groups, unless they are what is wanted. */
function plainValue(node: JsonNode, deep: boolean): unknown {
  if (node.kind === 'array') return (node.value as readonly JsonNode[]).map((item) => plainValue(item, deep));
  if (node.kind !== 'object') return node.value;
  const entries = deep ? (node.value as readonly JsonEntry[]) : [];
  return Object.fromEntries(entries.map((entry) => [entry.key, plainValue(entry.node, deep)]));
}

function* placesIn(node: JsonNode, prefix: string, place: (line: number) => string): Generator<[string, Origin]> {
  if (node.kind !== 'object') return;
  for (const entry of node.value as readonly JsonEntry[]) {
    const path = `${prefix}${entry.key}`;
    yield [path, { kind: 'file', name: place(entry.line) }];
    yield* placesIn(entry.node, `${path}.`, place);
  }
}
