// The schema as one flat list: each setting with its key, its kind of value and what may be written for it.
import * as v from 'valibot';
import { AREAS } from './schema.ts';

export interface Setting {
  /** As in files and messages: `telemetry.metrics_interval_ms`. */
  readonly key: string;
  /** Where it stands in `Config`: `['telemetry', 'metricsIntervalMs']`. */
  readonly path: readonly string[];
  /** `groups`: an object of objects, in a file as it is and elsewhere as JSON. */
  readonly kind: 'number' | 'boolean' | 'string' | 'list' | 'groups';
  readonly secret: boolean;
  readonly about: string;
  /** What may be written, as a noun phrase: `a whole number from 0 to 65535`. */
  readonly wanted: string;
  /** Undefined: absent unless given. */
  readonly initial: unknown;
  /** Environment variable that sets it: `SYRINX_TELEMETRY_METRICS_INTERVAL_MS`. */
  readonly variable: string;
  /** The value as the program uses it, or undefined where it is not what is wanted. */
  check(value: unknown): { readonly value: unknown } | undefined;
}

/** What is read of a valibot schema; its own types would have to be narrowed at every step. */
interface SchemaShape {
  readonly type: string;
  readonly entries?: Readonly<Record<string, SchemaShape>>;
  readonly wrapped?: SchemaShape;
  readonly default?: unknown;
  readonly pipe?: readonly {
    readonly type: string;
    readonly requirement?: unknown;
    readonly metadata?: { readonly secret?: boolean; readonly wanted?: string };
    readonly description?: string;
  }[];
  readonly options?: readonly string[];
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `metrics_interval_ms` and `metricsIntervalMs` are one name. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Keys of groups (`telemetry`, `monitoring.alert_thresholds`, ...), the root being ''. */
export const GROUPS = new Set<string>(['']);
export const SETTINGS: ReadonlyMap<string, Setting> = list();

function list(): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  const walk = (schema: SchemaShape, path: readonly string[]): void => {
    const key = path.map(snakeCase).join('.');
    if (schema.entries === undefined) {
      settings.set(key, setting(schema, key, path));
      return;
    }
    GROUPS.add(key);
    for (const [name, entry] of Object.entries(schema.entries)) walk(entry, [...path, name]);
  };
  for (const [name, area] of Object.entries(AREAS)) walk(area as unknown as SchemaShape, [name]);
  return settings;
}

function setting(schema: SchemaShape, key: string, path: readonly string[]): Setting {
  const inner = schema.wrapped ?? schema;
  const pipe = inner.pipe ?? [];
  const metadata = Object.assign({}, ...pipe.map((item) => item.metadata ?? {})) as {
    secret?: boolean;
    wanted?: string;
  };
  const type = inner.type;
  return {
    key,
    path,
    kind:
      type === 'number' || type === 'boolean'
        ? type
        : type === 'array'
          ? 'list'
          : type === 'record'
            ? 'groups'
            : 'string',
    secret: metadata.secret ?? false,
    about: pipe.find((item) => item.type === 'description')?.description ?? '',
    wanted: metadata.wanted ?? wanted(inner),
    initial: schema.default,
    variable: `SYRINX_${key.replaceAll('.', '_').toUpperCase()}`,
    check: (value) => {
      const result = v.safeParse(inner as unknown as v.GenericSchema, value);
      return result.success ? { value: result.output } : undefined;
    },
  };
}

function wanted(schema: SchemaShape): string {
  const pipe = schema.pipe ?? [];
  const limit = (type: string) => pipe.find((item) => item.type === type)?.requirement as number | undefined;
  // A pipe repeats the first schema's own properties, `options` of a picklist among them.
  if (schema.type === 'picklist') return `one of ${(schema.options ?? []).join(', ')}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'record') return 'groups of settings by name';
  if (schema.type === 'array') return 'a list of non-empty strings';
  if (schema.type === 'number') {
    const noun = pipe.every((item) => item.type !== 'integer') ? 'a number' : 'a whole number';
    return `${noun} from ${limit('min_value') ?? '-infinity'} to ${limit('max_value') ?? 'infinity'}`;
  }
  const most = limit('max_length');
  return most === undefined ? 'a non-empty string' : `a non-empty string of at most ${most} characters`;
}
