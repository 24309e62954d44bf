// The quick gate: format, lint, types and rules, in parallel. `npm run check`; exit code 1 when anything is wrong.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { indent, line, node, root, run } from './steps.ts';

const tool = (name: string) => join(root, 'node_modules', '.bin', name);
const rules = readdirSync(join(root, 'test', 'rules'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', 'rules', name));

const steps: readonly { name: string; command: readonly string[] }[] = [
  { name: 'format', command: [tool('biome'), 'format', '--colors=off', '--max-diagnostics=50', '.'] },
  { name: 'lint', command: [tool('oxlint'), '--type-aware', '--deny-warnings', '.'] },
  { name: 'types', command: [tool('tsc'), '-p', '.', '--pretty', 'false'] },
  { name: 'core types', command: [tool('tsc'), '-p', 'tsconfig.core.json', '--pretty', 'false'] },
  { name: 'rules', command: [node, '--test', '--test-isolation=none', ...rules] },
];

const started = performance.now();
const failures: string[] = [];
await Promise.all(
  steps.map(async ({ name, command }) => {
    const { code, output, seconds } = await run(command, { limitSeconds: 120 });
    console.log(line(code === 0, name, '', seconds));
    if (code !== 0) failures.push(`\n# ${name}\n${indent(output)}`);
  }),
);
for (const text of failures) console.log(text);
const seconds = (performance.now() - started) / 1000;
console.log(`\n${steps.length - failures.length} of ${steps.length} checks passed in ${seconds.toFixed(1)} s`);
process.exit(failures.length === 0 ? 0 : 1);
