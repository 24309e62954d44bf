// The configuration for readers: as JSON Schema, as the page docs/configuration.md, and as a list of what is in force.
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { FILE_VARIABLES } from './aliases.ts';
import { aliasesOf, type LoadedConfig, variablesOf } from './load.ts';
import { AREAS } from './schema.ts';
import { SETTINGS, type Setting, snakeCase } from './settings.ts';

type JsonSchema = { [key: string]: unknown };

/** JSON Schema (draft-07) of a configuration file, for editors. */
export function configJsonSchema(): JsonSchema {
  // Secrets are turned into objects after the check: what a file holds is the input side.
  const schema = toJsonSchema(v.strictObject(AREAS), { typeMode: 'input', errorMode: 'ignore' }) as JsonSchema;
  const root = inFileSpelling(schema);
  const properties = root.properties as JsonSchema;
  root.title = 'Syrinx configuration';
  root.properties = { $schema: { type: 'string' }, ...properties, livekitex_agent: { $ref: '#' } };
  return root;
}

/** Keys as files spell them; nothing is required, since everything has a default or may be absent. */
function inFileSpelling(schema: JsonSchema): JsonSchema {
  const { required: _, properties, ...rest } = schema;
  if (typeof properties !== 'object' || properties === null) return rest;
  const entries = Object.entries(properties).map(([name, value]) => [
    snakeCase(name),
    inFileSpelling(value as JsonSchema),
  ]);
  return { ...rest, properties: Object.fromEntries(entries) };
}

/** One line for each setting that has a value; secrets are masked. */
export function configText({ config, origins }: LoadedConfig): string {
  const rows = shown({ config, origins }).map(({ key, value, from }) => [key, JSON.stringify(value), from] as const);
  const width = (column: 0 | 1) => Math.min(48, Math.max(...rows.map((row) => row[column].length)));
  const [keys, values] = [width(0), width(1)];
  return rows.map(([key, value, from]) => `${key.padEnd(keys)}  ${value.padEnd(values)}  ${from}`).join('\n');
}

/** The same as data: the tree in file spelling, and for each key where it came from. */
export function configData(loaded: Pick<LoadedConfig, 'config' | 'origins'>): JsonSchema {
  const config: JsonSchema = {};
  const origins: JsonSchema = {};
  for (const { key, value, from } of shown(loaded)) {
    origins[key] = from;
    const path = key.split('.');
    let group = config;
    for (const name of path.slice(0, -1)) group = (group[name] ??= {}) as JsonSchema;
    group[path.at(-1) ?? ''] = value;
  }
  return { config, origins };
}

function shown({ config, origins }: Pick<LoadedConfig, 'config' | 'origins'>) {
  return [...SETTINGS.values()].flatMap(({ key, path, secret }) => {
    const origin = origins.get(key);
    if (origin === undefined) return [];
    const value = path.reduce<unknown>((group, name) => (group as JsonSchema)[name], config);
    return [{ key, value: secret ? '***' : value, from: `${origin.kind} ${origin.name}`.trim() }];
  });
}

/** docs/configuration.md; `syrinx config docs` prints it. */
export function configurationPage(): string {
  const areas = Object.keys(AREAS).map((area) => {
    const settings = [...SETTINGS.values()].filter(({ path }) => path[0] === area);
    return [
      `## ${snakeCase(area)}`,
      '',
      '| key | wanted | default | what it is for |',
      '|---|---|---|---|',
      ...settings.map(row),
      '',
    ];
  });
  const variables = [...SETTINGS.keys()].flatMap((key) => {
    const names = variablesOf(key).slice(1);
    return names.length === 0 ? [] : [`| \`${key}\` | ${names.map(code).join(', ')} |`];
  });
  const aliases = [...SETTINGS.keys()].flatMap((key) => {
    const names = aliasesOf(key);
    return names.length === 0 ? [] : [`| \`${key}\` | ${names.map(code).join(', ')} |`];
  });
  return [
    ...INTRODUCTION,
    ...areas.flat(),
    '## Other names in the environment',
    '',
    'Besides `SYRINX_<AREA>_<KEY>`, which wins over them; of several, the first that is set counts.',
    '',
    '| key | variables |',
    '|---|---|',
    ...variables,
    '',
    '## Other names in a file',
    '',
    '| key | also accepted |',
    '|---|---|',
    ...aliases,
    '',
  ].join('\n');
}

function row({ key, wanted, initial, secret, about }: Setting): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const shownDefault = initial === undefined ? '' : code(JSON.stringify(initial));
  return `| \`${key}\` | ${cell(secret ? 'a secret' : wanted)} | ${cell(shownDefault)} | ${cell(about)} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

const INTRODUCTION = [
  '# Configuration',
  '',
  'This page is made by `syrinx config docs` from the schema; a test holds the two together.',
  '',
  'A value is taken from the last of these that gives one: default, file, environment, flag.',
  '',
  `- **File**: \`--config FILE\`, else what ${FILE_VARIABLES.map(code).join(' or ')} names. JSON; comments and trailing commas are`,
  '  fine. Keys in snake_case or camelCase, also inside one `livekitex_agent` object.',
  '- **Environment**: `SYRINX_<AREA>_<KEY>` for each key (`SYRINX_HEALTH_SERVER_PORT`), and the names at the end of this page.',
  '  An empty variable counts as not set. Lists are separated by commas.',
  '- **Flags**: `syrinx COMMAND --help` names them.',
  '',
  'Unknown keys and wrong values are refused, all at once, with exit code 2. A stage (`models.stt`, `models.llm`, `models.tts`)',
  'takes provider, address, key and time limit from `models` where it has none of its own.',
  '',
  '`syrinx config show` prints what is in force and where each value came from (secrets as `***`), `syrinx config validate [FILE]`',
  'checks, `syrinx config schema` prints a JSON Schema for editors (`"$schema": "./syrinx.schema.json"`).',
  '',
];
