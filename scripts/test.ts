// All tests: rules, the suites on Node, Bun and Deno, end to end. `npm test [-- PART_OF_A_PATH ...]`; the last line counts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bun, indent, line, node, root, run } from './steps.ts';
import { differences, type HostName, type HostRun, joined, runOnBun, runOnDeno, runOnNode } from './test-hosts.ts';

const HOSTS: readonly HostName[] = ['node', 'bun', 'deno'];
const UNIT_SECONDS = 240;
/** All real files of one host, one after the other. */
const REAL_SECONDS = 600;
const END_TO_END_SECONDS = 1200;

const wanted = process.argv.slice(2);
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((part) => path.includes(part))))
  .sort();
const inFolder = (folder: string) => files.filter((path) => path.startsWith(`test/${folder}/`));
const rules = inFolder('rules');
const endToEnd = inFolder('e2e');
const suites = files.filter((path) => !rules.includes(path) && !endToEnd.includes(path));
/** Suites with real processes, servers and sockets take real time; the others must stay quick. */
const isReal = (path: string) => path.startsWith('test/hosts/') || /\/real-[^/]*$/.test(path);

const total = { passed: 0, failed: 0 };
const details: string[] = [];
/** What was skipped and why, in the words of the first host that tells. */
const skipped = new Map<string, string>();

/** `// hosts: node, bun (reason)` near the top of a test file keeps it from the other hosts. */
function hostsOf(file: string): readonly HostName[] {
  const [, list, reason] = /^\/\/ hosts: ([a-z, ]+?) \(([^)]{10,})\)/m.exec(headOf(file)) ?? [];
  if (list === undefined) return HOSTS;
  const chosen = HOSTS.filter((host) => list.split(/,\s*/).includes(host));
  for (const host of HOSTS) if (!chosen.includes(host)) note(`${file} on ${host}`, reason ?? '');
  return chosen;
}

function headOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').split('\n', 8).join('\n');
}

function note(what: string, why: string): void {
  skipped.set(what, skipped.get(what) || why);
}

function tell(name: string, hostRun: HostRun, more: readonly string[] = []): void {
  const count = (status: string) => hostRun.leaves.filter((leaf) => leaf.status === status).length;
  const troubles = [...hostRun.troubles, ...more];
  const passed = count('passed');
  const failed = count('failed') + troubles.length;
  total.passed += passed;
  total.failed += failed;
  for (const leaf of hostRun.leaves) {
    if (leaf.status === 'skipped') note(`${leaf.file}: ${leaf.path.join(' > ')}`, leaf.reason ?? '');
  }
  const figure = `${passed} passed, ${failed} failed, ${count('skipped')} skipped in ${hostRun.files} files`;
  console.log(line(failed === 0, name, figure, hostRun.seconds));
  if (failed > 0) details.push(`\n# ${name}\n${indent([...troubles, hostRun.output].join('\n'))}`);
}

console.log(`node ${await versionOf(node)}, bun ${Bun.version}, files: ${files.length}\n`);
if (rules.length > 0) tell('rules', await runOnNode(rules, UNIT_SECONDS));

await onAllHosts(
  '',
  suites.filter((path) => !isReal(path)),
);
await onAllHosts(' (real)', suites.filter(isReal));

async function onAllHosts(kind: string, chosen: readonly string[]): Promise<void> {
  if (chosen.length === 0) return;
  const byHost = new Map(HOSTS.map((host) => [host, chosen.filter((file) => hostsOf(file).includes(host))]));
  const of = (host: HostName) => byHost.get(host) ?? [];
  const onNode = nodeRun(of('node'));
  // What is real has ports and time limits of its own: only the others run on all hosts at once.
  if (chosen.every(isReal)) await onNode;
  const limitSeconds = chosen.every(isReal) ? REAL_SECONDS : UNIT_SECONDS;
  const [onBun, onDeno] = await Promise.all([
    bunRun(of('bun')),
    runOnDeno(
      of('deno'),
      onNode,
      chosen.filter((file) => !of('deno').includes(file)),
      limitSeconds,
    ),
  ]);
  const reference = await onNode;
  /** Files that Node or the other host was not given. */
  const apart = (host: HostName) => chosen.filter((file) => !of('node').includes(file) || !of(host).includes(file));
  const missing = (hostRun: HostRun) => differences(reference, hostRun, apart(hostRun.host));
  tell(`node${kind}`, reference);
  tell(`bun${kind}`, onBun, missing(onBun));
  tell(`deno${kind}`, onDeno, missing(onDeno));
}

/** What is real holds what a process has once, such as the native library: each such file has a process of its own. */
async function bunRun(chosen: readonly string[]): Promise<HostRun> {
  const real = chosen.filter(isReal);
  let all = await runOnBun(
    chosen.filter((file) => !isReal(file)),
    UNIT_SECONDS,
  );
  for (const file of real) all = joined(all, await runOnBun([file], UNIT_SECONDS));
  return all;
}

/** `// alone: why` near the top of a file gives it a process of its own. */
async function nodeRun(chosen: readonly string[]): Promise<HostRun> {
  const alone = chosen.filter((file) => isReal(file) || /^\/\/ alone: .{10,}/m.test(headOf(file)));
  const together = chosen.filter((file) => !alone.includes(file));
  if (together.length === 0) return runOnNode(alone, REAL_SECONDS);
  const first = await runOnNode(together, UNIT_SECONDS, { together: true });
  return alone.length === 0 ? first : joined(first, await runOnNode(alone, REAL_SECONDS));
}

if (endToEnd.length > 0) {
  const built = await run([bun, 'scripts/build-binary.ts'], { limitSeconds: 120 });
  console.log(line(built.code === 0, 'binary', '', built.seconds));
  if (built.code !== 0) {
    total.failed++;
    details.push(`\n# binary\n${indent(built.output)}`);
  }
  tell('end to end', await runOnNode(endToEnd, END_TO_END_SECONDS, { concurrency: 1 }));
} else if (wanted.length === 0) {
  note('end to end', 'test/e2e holds no test');
}

for (const text of details) console.log(text);
if (skipped.size > 0) console.log('\nskipped:');
for (const [what, why] of skipped) console.log(`  ${what}: ${why === '' ? 'no reason given' : why}`);
if (total.passed + total.failed === 0) {
  console.log('\nNo test matches');
  total.failed = 1;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

async function versionOf(program: string): Promise<string> {
  return (await run([program, '--version'])).output.trim();
}
