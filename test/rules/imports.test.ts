// Who may import whom: the table of the design as data. A folder that is not listed may not exist.
import assert from 'node:assert/strict';
import { dirname, posix } from 'node:path';
import { test } from 'node:test';
import { sourcesUnder, textOf, withoutComments } from './source.ts';

/** What a part may import besides itself. `*` = everything; `types` = only by `import type`; `packages` = npm packages, `*` = any. */
interface Row {
  readonly values: readonly string[];
  readonly types?: readonly string[];
  readonly packages: readonly string[];
}
/** The longest matching path decides. A trailing `/*` makes each sub-folder a part of its own: siblings do not see each other. */
export const TABLE: Readonly<Record<string, Row>> = {
  'src/index.ts': { values: ['*'], packages: [] },
  'src/audio': { values: [], packages: [] },
  'src/metrics': { values: [], packages: [] },
  'src/agent': { values: [], types: ['src/session', 'src/models/port.ts', 'src/livekit/job.ts'], packages: [] },
  'src/session': { values: ['src/audio', 'src/agent'], types: ['src/metrics'], packages: [] },
  'src/runner': {
    values: ['src/session', 'src/agent', 'src/audio', 'src/metrics', 'src/models/port.ts', 'src/transports/port.ts'],
    types: ['src/hosts/port.ts'],
    packages: [],
  },
  'src/models/port.ts': { values: [], types: ['src/agent'], packages: [] },
  'src/models/*': { values: ['src/models/port.ts', 'src/audio', 'src/metrics'], packages: ['*'] },
  'src/transports/port.ts': { values: [], packages: [] },
  'src/transports/*': {
    values: ['src/transports/port.ts', 'src/audio', 'src/metrics'],
    types: ['src/hosts/port.ts'],
    packages: ['*'],
  },
  'src/livekit': { values: ['src/transports/port.ts', 'src/audio', 'src/metrics'], packages: ['*'] },
  'src/ops': { values: ['src/metrics'], types: ['src/hosts/port.ts'], packages: ['*'] },
  'src/server': { values: ['src/agent', 'src/ops'], packages: ['*'] },
  'src/config': { values: ['src/session'], types: ['src/agent'], packages: ['*'] },
  'src/cli': { values: ['*'], packages: ['*'] },
  'src/hosts': { values: ['*'], packages: ['*'] },
};

function partOf(path: string): string | undefined {
  return Object.keys(TABLE)
    .filter((part) => {
      const folder = part.replace(/\/\*$/, '');
      return path === part || (path.startsWith(`${folder}/`) && (part === folder || path.split('/').length > 3));
    })
    .sort((a, b) => b.length - a.length)[0];
}

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}
export function importsOf(code: string): Import[] {
  const found: Import[] = [];
  for (const m of code.matchAll(/\b(import|export)\s+(type\s)?[^'"();]*?\bfrom\s*['"]([^'"]+)['"]/g)) {
    found.push({ from: m[3] ?? '', typeOnly: m[2] !== undefined });
  }
  for (const m of code.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g))
    found.push({ from: m[1] ?? '', typeOnly: false });
  return found;
}

/** What is wrong with one import of one file; undefined = allowed. */
export function complaint(path: string, { from, typeOnly }: Import): string | undefined {
  const part = partOf(path);
  const row = part === undefined ? undefined : TABLE[part];
  if (row === undefined) return `${path}: its folder is not in the import table`;
  const within = (allowed: string, target: string) => target === allowed || target.startsWith(`${allowed}/`);
  if (from.startsWith('#wasm')) return within('src/audio', path) ? undefined : `${path} imports ${from}`;
  if (from === '#syrinx') return within('src/hosts', path) ? undefined : `${path} imports ${from}`;
  if (/^(?:node|bun|jsr|npm|https?):/.test(from))
    return within('src/hosts', path) ? undefined : `${path} imports ${from}`;
  if (!from.startsWith('.')) {
    const allowed = row.packages.includes('*') || row.packages.some((name) => within(name, from));
    return allowed ? undefined : `${path} imports the package ${from}`;
  }
  if (!/\.(?:ts|json|wasm)$/.test(from)) return `${path} imports ${from}: write the extension`;
  const target = posix.join(dirname(path), from);
  if (!target.startsWith('src/')) return `${path} imports ${target}, which is not shipped`;
  const own = part?.endsWith('/*') ? path.split('/').slice(0, 3).join('/') : part;
  if (own !== undefined && within(own, target)) return undefined;
  const allowed = [...row.values, ...(typeOnly ? (row.types ?? []) : [])];
  if (allowed.some((other) => other === '*' || within(other, target))) return undefined;
  return `${path} imports ${target}${typeOnly ? ' (types)' : ''}: ${part} may not`;
}

test('every import under src/ is in the table', () => {
  const wrong = sourcesUnder('src').flatMap((path) => {
    if (partOf(path) === undefined) return [`${path}: its folder is not in the import table`];
    return importsOf(withoutComments(textOf(path))).flatMap((one) => complaint(path, one) ?? []);
  });
  assert.deepEqual(wrong, []);
});

/** The table as docs/architecture.md prints it. */
function printed(part: string, { values, types = [], packages }: Row): string {
  const names = (list: readonly string[]) =>
    list.map((one) => (one === '*' ? 'all' : `\`${one.replace('src/', '')}\``));
  const cells = [...names(values), ...names(types).map((name) => `${name} (types)`)].join(', ') || 'nothing';
  return `| \`${part.replace('src/', '')}\` | ${cells} | ${names(packages).join(', ') || 'none'} |`;
}

test('docs/architecture.md prints the same table', () => {
  const text = textOf('docs/architecture.md');
  const missing = Object.entries(TABLE)
    .map(([part, row]) => printed(part, row))
    .filter((line) => !text.includes(line));
  assert.deepEqual(missing, []);
});

test('the rule finds what it is for', () => {
  const of = (path: string, code: string) => importsOf(code).map((one) => complaint(path, one) !== undefined);
  assert.deepEqual(
    of('src/session/turn/a.ts', "import { x } from '../../runner/b.ts';\nimport { y } from '../c.ts';"),
    [true, false],
  );
  assert.deepEqual(
    of('src/models/openai/a.ts', "import x from '../simulated/b.ts'; import type { P } from '../port.ts'"),
    [true, false],
  );
  assert.deepEqual(
    of('src/session/a.ts', "import type {\n  M\n} from '../metrics/b.ts'; import { M } from '../metrics/b.ts'"),
    [false, true],
  );
  assert.deepEqual(of('src/server/a.ts', "await import('node:fs'); import 'hono'; export * from '../runner/x.ts'"), [
    true,
    true,
    false,
  ]);
  assert.deepEqual(of('src/audio/a.ts', "import x from 'openai'; import b from '#wasm'; import c from './d'"), [
    true,
    false,
    true,
  ]);
  assert.deepEqual(of('src/misc/a.ts', "import x from './b.ts'"), [true]);
});
