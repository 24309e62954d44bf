// Has every host judged from outside on recorded calls. `npm run -s judge [-- --judge DIR] [--dialogue NAME] [--hosts bun,deno,node,binary]
// [--vad energy] [--network loss=5,jitter=40,burst=2,reorder=5] [--config FILE]`. What a network takes for 80 ms and more of a word nobody
// can bring back, and the referee then hears another word: a judged network's bursts must be shorter.
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
    /** What hears the caller, instead of the default. */
    vad: { type: 'string' },
    /** Of `syrinx call`: a bad network, a configuration file. */
    network: { type: 'string' },
    config: { type: 'string' },
  },
});
const judge = resolve(values.judge);
const program = join(judge, 'judge.mjs');
if (!existsSync(program)) fail(`There is no judge at ${judge}: give its folder with --judge or SYRINX_JUDGE`);

/** The judge bounds each call (its length + 30 s) and each replay (120 s); this bounds the judge. */
const HOST_SECONDS = 240;
const MORE = (['network', 'config'] as const).flatMap((flag) => {
  const value = values[flag];
  return value === undefined ? [] : [`--${flag} ${flag === 'config' ? resolve(value) : value}`];
});
const VADS = ['neural', 'energy', 'two-threshold'];
if (values.vad !== undefined && !VADS.includes(values.vad)) fail(`Unknown VAD "${values.vad}": use ${VADS.join(', ')}`);
const CALL = ['call {in} --out {out} --ledger {json} --record {rec}', ...MORE].join(' ');
const REPLAY = 'replay {rec} --effects {effects}';
const hosts: Readonly<Record<string, { readonly call: string; readonly replay: string }>> = {
  ...Object.fromEntries(
    ['bun', 'deno', 'node'].map((host) => [
      host,
      { call: `npm run -s on:${host} -- ${CALL}`, replay: `npm run -s on:${host} -- ${REPLAY}` },
    ]),
  ),
  binary: {
    call: `scripts/run-alone.sh "$(dirname {out})" {in} ${CALL}`,
    replay: `scripts/run-alone.sh "$(dirname {effects})" {rec} ${REPLAY}`,
  },
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
    ...(values.vad === undefined ? {} : { env: { SYRINX_LISTENING_VAD: values.vad } }),
    onOutput: (text) => process.stdout.write(text),
  });
  const [, good = '0', bad = '1'] = /^(\d+) passed, (\d+) failed\s*$/m.exec(output) ?? [];
  passed += Number(good);
  failed += Number(bad);
  // A judge that ends badly without counting a failure has judged nothing.
  if (code !== 0 && bad === '0') failed++;
  const [, table = ''] = /^# side by side\n((?:.+\n)+)/m.exec(output) ?? [];
  summary.push(`${name}: ${good} passed, ${bad} failed, ${seconds.toFixed(0)} s\n${table}`);
}
const how = [values.vad, values.network].filter((each) => each !== undefined).join(', ');
console.log(
  `\n# all dialogues on ${values.hosts}${how === '' ? '' : ` (${how})`}\n${summary.join('\n')}\n\n${passed} passed, ${failed} failed`,
);
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
