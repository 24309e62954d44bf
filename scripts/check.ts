// The quick gate: format, lint, types, rules and docstrings, in parallel. `npm run check`; exit code 1 when anything is wrong.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deno, indent, line, node, root, run } from './steps.ts';

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** What of the output is a complaint. Without it the exit code decides and all of it is shown. */
  readonly complaints?: (output: string, code: number | null) => string;
}

const tool = (name: string) => join(root, 'node_modules', '.bin', name);
const rules = readdirSync(join(root, 'test', 'rules'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/rules/${name}`);
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, string> };
const published = Object.values(exports).filter((path) => existsSync(join(root, path)));

const steps: readonly Step[] = [
  { name: 'format', command: [tool('biome'), 'format', '--colors=off', '--max-diagnostics=50', '.'] },
  { name: 'lint', command: [tool('oxlint'), '--type-aware', '--deny-warnings', '.'] },
  { name: 'types', command: [tool('tsc'), '-p', '.', '--pretty', 'false'] },
  { name: 'core types', command: [tool('tsc'), '-p', 'tsconfig.core.json', '--pretty', 'false'] },
  {
    name: 'rules',
    command: [node, '--test', '--test-isolation=none', ...rules],
    complaints: (output, code) => (code === 0 ? '' : output.slice(Math.max(0, output.indexOf('failing tests:')))),
  },
  { name: 'docstrings', command: [deno, 'doc', '--quiet', '--lint', ...published], complaints: undocumented },
];

const started = performance.now();
const failures: string[] = [];
await Promise.all(
  steps.map(async ({ name, command, complaints }) => {
    const { code, output, seconds } = await run(command, { limitSeconds: 120 });
    const wrong = complaints !== undefined ? complaints(output, code) : code === 0 ? '' : output || `exit code ${code}`;
    console.log(line(wrong === '', name, '', seconds));
    if (wrong !== '') failures.push(`\n# ${name}\n${indent(wrong)}`);
  }),
);
for (const text of failures) console.log(text);
const seconds = (performance.now() - started) / 1000;
console.log(`\n${steps.length - failures.length} of ${steps.length} checks passed in ${seconds.toFixed(1)} s`);
process.exit(failures.length === 0 ? 0 : 1);

/** Deno wants a docstring on every member too; here what is exported by name must have one. */
function undocumented(output: string, code: number | null): string {
  if (code !== 0 && !/documentation lint errors?\./.test(output)) return output || `exit code ${code}`;
  return [...output.matchAll(/error\[missing-jsdoc\][^\n]*\n\s*--> (\S+)[^]*?\n\d+ \| (.*)/g)]
    .filter(([, , text = '']) => text.startsWith('export '))
    .map(([, place = '', text = '']) => `${place.replace(root, '')}: no docstring: ${text}`)
    .join('\n');
}
