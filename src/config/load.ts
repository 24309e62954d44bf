// Puts the configuration together: defaults, then the file, the environment, the flags; every value checked, every problem listed.
import { KEYS, VARIABLES } from './aliases.ts';
import { ConfigError } from './errors.ts';
import { type FileSource, fileValues } from './file-values.ts';
import type { Given, Origin } from './origin.ts';
import type { Config } from './schema.ts';
import { SETTINGS, type Setting } from './settings.ts';
import { environmentValues } from './environment-values.ts';

export interface Sources {
  readonly file?: FileSource | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Flags that stand for a setting. */
  readonly flags?: readonly { readonly name: string; readonly key: string; readonly value: unknown }[] | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** For each setting that has a value, and for what is inside of groups. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Things that are probably not meant, but harmless. */
  readonly warnings: readonly string[];
}

/** Throws `ConfigError` with all problems at once. */
export function loadConfig(sources: Sources): LoadedConfig {
  const problems: string[] = [];
  const warnings: string[] = [];
  const given: Given[] = [
    ...(sources.file === undefined ? [] : fileValues(sources.file, problems)),
    ...environmentValues(sources.environment ?? {}, problems, warnings),
    ...(sources.flags ?? []).map(({ name, key, value }) => ({ key, value, origin: { kind: 'flag', name } as const })),
  ];

  const values = new Map<string, unknown>();
  const origins = new Map<string, Origin>();
  for (const { key, initial } of SETTINGS.values()) {
    if (initial === undefined) continue;
    values.set(key, initial);
    origins.set(key, { kind: 'default', name: '' });
  }
  for (const { key, value, origin, inside = [] } of given) {
    const setting = SETTINGS.get(key);
    if (setting === undefined) throw new RangeError(`Flag ${origin.name} stands for an unknown setting '${key}'`);
    const checked = setting.check(value);
    if (checked === undefined) {
      problems.push(`${key}: wanted ${setting.wanted}${got(setting, value)} (${origin.kind} ${origin.name})`);
      continue;
    }
    values.set(key, checked.value);
    origins.set(key, origin);
    for (const [path, at] of inside) origins.set(`${key}.${path}`, at);
  }
  problems.push(...contradictions(values));
  if (problems.length > 0) throw new ConfigError(problems);
  inherit(values, origins);
  return { config: assemble(values), origins, warnings };
}

/** Shows a wrong value where it can not be a secret: short scalars, never what belongs to a key or an address. */
function got(setting: Setting, value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `, got ${value}`;
  if (typeof value !== 'string')
    return `, got ${value === null ? 'null' : Array.isArray(value) ? 'a list' : 'a group'}`;
  if (value === '') return ', got an empty string';
  const harmless = !setting.secret && setting.kind !== 'list' && !setting.wanted.includes('URL') && value.length <= 40;
  return harmless ? `, got ${JSON.stringify(value)}` : '';
}

/** Pairs of which the first may not be above the second. */
const ORDERED: readonly (readonly [low: string, high: string])[] = [
  ['listening.end_threshold', 'listening.start_threshold'],
  ['reply.first_piece_chars', 'reply.max_piece_chars'],
];

function contradictions(values: ReadonlyMap<string, unknown>): string[] {
  return ORDERED.filter(([low, high]) => Number(values.get(low)) > Number(values.get(high))).map(
    ([low, high]) =>
      `${low}: must not be above ${high} (${Number(values.get(low))} against ${Number(values.get(high))})`,
  );
}

/** A stage takes from `models` what it does not say itself. */
function inherit(values: Map<string, unknown>, origins: Map<string, Origin>): void {
  for (const stage of ['stt', 'llm', 'tts']) {
    for (const name of ['provider', 'base_url', 'api_key', 'timeout_ms']) {
      const own = `models.${stage}.${name}`;
      const origin = origins.get(`models.${name}`);
      if (values.has(own) || origin === undefined) continue;
      values.set(own, values.get(`models.${name}`));
      origins.set(own, origin);
    }
  }
}

type Tree = { [name: string]: unknown };

function assemble(values: ReadonlyMap<string, unknown>): Config {
  const root: Tree = {};
  for (const { key, path } of SETTINGS.values()) {
    let group = root;
    for (const name of path.slice(0, -1)) {
      group[name] ??= {};
      group = group[name] as Tree;
    }
    if (values.has(key)) group[path.at(-1) ?? ''] = ownCopy(values.get(key));
  }
  return freeze(root) as unknown as Config;
}

/** Defaults are shared by all configurations, lists among them. */
function ownCopy(value: unknown): unknown {
  return Array.isArray(value) ? [...value] : value;
}

function freeze(value: Tree): Tree {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) freeze(item as Tree);
  return Object.freeze(value);
}

/** Names under which a setting can be given in the environment, the winner first. */
export function variablesOf(key: string): string[] {
  const own = SETTINGS.get(key)?.variable;
  return [...(own === undefined ? [] : [own]), ...VARIABLES.filter(([, k]) => k === key).map(([name]) => name)];
}

/** Other keys that mean this setting in a file. */
export function aliasesOf(key: string): string[] {
  return [...KEYS].filter(([, target]) => target === key).map(([alias]) => alias);
}
