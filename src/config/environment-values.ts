// The values that environment variables give, read as what their setting wants.
import { VARIABLES } from './aliases.ts';
import { nearest } from './nearest.ts';
import type { Given } from './origin.ts';
import { SETTINGS, type Setting } from './settings.ts';

const PREFIX = 'SYRINX_';
/** SYRINX_PROCESS: which of several a process is, from its supervisor. */
const NOT_SETTINGS = new Set(['SYRINX_CONFIG', 'SYRINX_PROCESS']);
/** Kubernetes sets such variables for a Service that is named like us: `SYRINX_PORT=tcp://...`, `SYRINX_SERVICE_HOST`. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

const byVariable = new Map([...SETTINGS.values()].map((setting) => [setting.variable, setting]));
const areas = new Set([...SETTINGS.values()].map(({ path }) => areaPrefix(path[0] ?? '')));

export function environmentValues(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
  warnings: string[],
): Given[] {
  const given = new Map<string, Given>();
  const set = (setting: Setting | undefined, name: string): void => {
    // An empty variable is how shells and container files say "not set".
    const text = environment[name]?.trim();
    if (setting === undefined || text === undefined || text === '' || given.has(setting.key)) return;
    if (name.startsWith(PREFIX) && SERVICE_LINK_VALUE.test(text)) return;
    given.set(setting.key, { key: setting.key, value: readText(setting, text), origin: { kind: 'environment', name } });
  };
  for (const [name, setting] of byVariable) set(setting, name);
  for (const [name, key] of VARIABLES) set(SETTINGS.get(key), name);

  for (const name of Object.keys(environment).sort()) {
    if (!name.startsWith(PREFIX) || byVariable.has(name) || NOT_SETTINGS.has(name)) continue;
    if (SERVICE_LINK.test(name) || SERVICE_LINK_VALUE.test(environment[name] ?? '')) continue;
    const meant = nearest(name, byVariable.keys());
    const message = `Unknown variable '${name}'${meant === undefined ? '' : `: did you mean '${meant}'?`} (environment)`;
    // Outside our areas it may belong to somebody else who also likes birds.
    const ours = [...areas].some((prefix) => name.startsWith(prefix)) || meant !== undefined;
    (ours ? problems : warnings).push(message);
  }
  return [...given.values()];
}

function areaPrefix(area: string): string {
  return `${PREFIX}${area.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_`;
}

const YES = new Set(['true', '1', 'yes', 'on']);
const NO = new Set(['false', '0', 'no', 'off']);

/** Reads text as the setting's kind of value; text that is none stays as it is, for the check to refuse. */
export function readText(setting: Setting, text: string): unknown {
  const lower = text.toLowerCase();
  switch (setting.kind) {
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(lower) ? Number(text) : text;
    case 'boolean':
      return YES.has(lower) ? true : NO.has(lower) ? false : text;
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'groups':
      return json(text);
    case 'string':
      // `INFO` for `info`.
      return setting.wanted.startsWith('one of') && setting.check(text) === undefined ? lower : text;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
