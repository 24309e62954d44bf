// Has every host judged from outside on recorded calls. `npm run -s judge [-- --judge DIR] [--dialogue NAME] [--hosts bun,deno,node,binary]`.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bun, indent, node, root, run } from './steps.ts';

const { values } = parseArgs({
  options: {
    judge: { type: 'string', default: process.env.SYRINX_JUDGE ?? join(root, '..', 'shared', 'judge') },
    dialogue: { type: 'string', multiple: true, default: [] },
    hosts: { type: 'string', default: 'bun,deno,node,binary' },
    'own-max': { type: 'string' },
    keep: { type: 'string' },
  },
});
const judge = resolve(values.judge);
const program = join(judge, 'judge.mjs');
if (!existsSync(program)) fail(`There is no judge at ${judge}: give its folder with --judge or SYRINX_JUDGE`);

/** The binary alone: nobody, a read-only root with nothing but the C library, an empty working directory, an empty environment. */
function alone(args: string, reads: readonly string[], writes: string): string {
  const binary = `'${join(root, 'dist', 'syrinx').replaceAll("'", `'\\''`)}'`;
  const folder = `"$(dirname ${writes})"`;
  return [
    'bwrap --unshare-all --share-net --die-with-parent --uid 65534 --gid 65534',
    '--ro-bind /usr /usr --ro-bind-try /lib /lib --ro-bind-try /lib64 /lib64 --proc /proc --dev /dev',
    `--ro-bind ${binary} /app/syrinx`,
    `--bind ${folder} ${folder}`,
    ...reads.map((path) => `--ro-bind ${path} ${path}`),
    '--dir /empty --chdir /empty --clearenv',
    '--setenv OPENAI_BASE_URL "$OPENAI_BASE_URL" --setenv OPENAI_API_KEY "$OPENAI_API_KEY"',
    `--remount-ro / /app/syrinx ${args}`,
  ].join(' ');
}

/** The judge bounds each call (its length + 30 s) and each replay (120 s); this bounds the judge. */
const HOST_SECONDS = 240;
const CALL = 'call {in} --out {out} --ledger {json} --record {rec}';
const REPLAY = 'replay {rec} --effects {effects}';
const hosts: Readonly<Record<string, { readonly call: string; readonly replay: string }>> = {
  ...Object.fromEntries(
    ['bun', 'deno', 'node'].map((host) => [
      host,
      { call: `npm run -s on:${host} -- ${CALL}`, replay: `npm run -s on:${host} -- ${REPLAY}` },
    ]),
  ),
  binary: { call: alone(CALL, ['{in}'], '{out}'), replay: alone(REPLAY, ['{rec}'], '{effects}') },
};

const chosen = values.hosts.split(',').map((name) => {
  const host = hosts[name];
  return host ?? fail(`Unknown host "${name}": use ${Object.keys(hosts).join(', ')}`);
});
if (values.hosts.includes('binary')) {
  if (!isInstalled('bwrap')) fail('The binary runs in bubblewrap, which is not installed: apt-get install bubblewrap');
  const built = await run([bun, 'scripts/build-binary.ts'], { limitSeconds: 120 });
  if (built.code !== 0) fail(`The binary cannot be built\n${indent(built.output)}`);
  process.stdout.write(built.output);
}

const dialogues = join(judge, 'dialogues');
const names = values.dialogue.length > 0 ? values.dialogue : readdirSync(dialogues).sort();
let passed = 0;
let failed = 0;
const summary: string[] = [];
for (const name of names) {
  const folder = join(dialogues, name);
  const args = ['--dialogue', folder];
  for (const { call, replay } of chosen) args.push('--run', call, '--replay', replay);
  if (values['own-max'] !== undefined) args.push('--own-max', values['own-max']);
  if (values.keep !== undefined) args.push('--keep', join(resolve(values.keep), name));
  const { code, output, seconds } = await run([node, program, ...args], {
    limitSeconds: chosen.length * HOST_SECONDS,
    onOutput: (text) => process.stdout.write(text),
  });
  const [, good = '0', bad = '1'] = /^(\d+) passed, (\d+) failed\s*$/m.exec(output) ?? [];
  passed += Number(good);
  failed += Number(bad);
  // A judge that ends badly without counting a failure has judged nothing.
  if (code !== 0 && bad === '0') failed++;
  summary.push(`${name.padEnd(12)} ${good} passed, ${bad} failed, ${seconds.toFixed(0)} s`);
}
console.log(`\n# all dialogues on ${values.hosts}\n${summary.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function isInstalled(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function fail(why: string): never {
  console.error(`${why}\n\n0 passed, 1 failed`);
  process.exit(1);
}
