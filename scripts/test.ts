// All tests: rules, the suites on Node, Bun and Deno, end to end. `npm test [-- PART_OF_A_PATH ...]`; the last line counts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bun, indent, line, node, root, run } from './steps.ts';
import {
  differences,
  type FileTime,
  type HostName,
  type HostRun,
  joined,
  nothing,
  runOnBun,
  runOnDeno,
  runOnNode,
} from './test-hosts.ts';
import { BUSY, CORES, costOf, createRoom, inOrder, inParts, limitOf, ROOM } from './test-schedule.ts';

const HOSTS: readonly HostName[] = ['node', 'bun', 'deno'];
const UNIT_SECONDS = 240;
const SLOWEST = 10;
/** So many files may fail beside others and count as they end alone. */
const AGAIN = 3;

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

const startedMs = performance.now();
const total = { passed: 0, failed: 0 };
const times: FileTime[] = [];
const details: string[] = [];
type Run = Promise<HostRun>;
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
  times.push(...hostRun.times);
  for (const leaf of hostRun.leaves) {
    if (leaf.status === 'skipped') note(`${leaf.file}: ${leaf.path.join(' > ')}`, leaf.reason ?? '');
  }
  const figure = `${passed} passed, ${failed} failed, ${count('skipped')} skipped in ${hostRun.files} files`;
  console.log(line(failed === 0, name, figure, hostRun.seconds));
  if (failed > 0) details.push(`\n# ${name}\n${indent([...troubles, hostRun.output].join('\n'))}`);
}

console.log(`node ${await versionOf(node)}, bun ${Bun.version}, files: ${files.length}\n`);
if (rules.length > 0) tell('rules', await runOnNode(rules, UNIT_SECONDS));

await together(suites.filter((path) => !isReal(path)));
await apart(suites.filter(isReal), endToEnd);

/** A process for each part of the suites on each host, so many at a time as there are cores. */
async function together(chosen: readonly string[]): Promise<void> {
  if (chosen.length === 0) return;
  const enter = createRoom(CORES);
  const runs = { node: [] as Run[], bun: [] as Run[], deno: [] as Run[] };
  for (const part of inParts(chosen)) {
    const of = (host: HostName) => part.filter((file) => hostsOf(file).includes(host));
    const onNode = enter(BUSY, () => nodeRun(of('node')));
    runs.node.push(onNode);
    runs.bun.push(enter(BUSY, () => runOnBun(of('bun'), UNIT_SECONDS)));
    runs.deno.push(enter(BUSY, () => runOnDeno(of('deno'), onNode, notOn('deno', part), UNIT_SECONDS)));
  }
  await tellAll('', chosen, runs);
}

/** `// alone: why` near the top of a file gives it a process of its own. */
async function nodeRun(chosen: readonly string[]): Promise<HostRun> {
  const alone = chosen.filter((file) => /^\/\/ alone: .{10,}/m.test(headOf(file)));
  const others = chosen.filter((file) => !alone.includes(file));
  const first = await runOnNode(others, UNIT_SECONDS, { together: true });
  return joined(first, await runOnNode(alone, UNIT_SECONDS, { concurrency: 1 }));
}

interface Job {
  readonly group: HostName | 'programs';
  readonly file: string;
  readonly work: () => Run;
  run: Run;
}

/** Real files hold what a process has once, such as the native library: each has a process of its own, and as many run as there is room for. */
async function apart(real: readonly string[], programs: readonly string[]): Promise<void> {
  if (real.length + programs.length === 0) return;
  if (programs.length > 0) await buildBinary();
  const enter = createRoom(ROOM);
  const jobs: Job[] = [];
  const add = (group: Job['group'], file: string, work: () => Run): Job => {
    const job: Job = { group, file, work, run: enter(costOf(file), async () => told(file, await work())) };
    jobs.push(job);
    return job;
  };
  for (const file of inOrder([...real, ...programs])) {
    const limitSeconds = limitOf(file);
    const isProgram = programs.includes(file);
    const onNode = add(isProgram ? 'programs' : 'node', file, () => runOnNode([file], limitSeconds));
    if (isProgram) continue;
    const hosts = hostsOf(file);
    if (hosts.includes('bun')) add('bun', file, () => runOnBun([file], limitSeconds));
    // It waits for Node's list of the file, which entered before it.
    if (hosts.includes('deno')) add('deno', file, () => runOnDeno([file], onNode.run, [], limitSeconds));
  }
  await Promise.all(jobs.map(({ run: ended }) => ended));
  await againAlone(jobs);
  const of = (group: Job['group']) => jobs.filter((job) => job.group === group).map(({ run: ended }) => ended);
  await tellAll(' (real)', real, { node: of('node'), bun: of('bun'), deno: of('deno') });
  if (programs.length > 0) tell('end to end', await allOf('node', of('programs')));
}

/** Files share the machine to save time, and promise what they promise with the machine for themselves: that is what counts, once, of a few. */
async function againAlone(jobs: readonly Job[]): Promise<void> {
  const shared = jobs.filter(({ file }) => costOf(file).cores < CORES);
  const ended = await Promise.all(shared.map(async (job) => ({ job, well: isWell(await job.run) })));
  for (const { job } of ended.filter(({ well }) => !well).slice(0, AGAIN)) {
    console.log(`# failed beside others, again alone: ${job.file}`);
    job.run = job.work();
    told(job.file, await job.run);
  }
}

function isWell({ troubles, leaves }: HostRun): boolean {
  return troubles.length === 0 && !leaves.some(({ status }) => status === 'failed');
}

function told(file: string, ended: HostRun): HostRun {
  console.log(line(isWell(ended), ended.host, file, ended.seconds));
  if (!isWell(ended)) console.log(indent([...ended.troubles, ended.output.slice(-3000)].join('\n')));
  return ended;
}

async function buildBinary(): Promise<void> {
  const built = await run([bun, 'scripts/build-binary.ts'], { limitSeconds: 120 });
  console.log(line(built.code === 0, 'binary', '', built.seconds));
  if (built.code === 0) return;
  total.failed++;
  details.push(`\n# binary\n${indent(built.output)}`);
}

/** Files that Node or the other host was not given. */
function notOn(host: HostName, chosen: readonly string[]): string[] {
  return chosen.filter((file) => !hostsOf(file).includes('node') || !hostsOf(file).includes(host));
}

async function allOf(host: HostName, runs: readonly Run[]): Promise<HostRun> {
  return (await Promise.all(runs)).reduce(joined, nothing(host));
}

async function tellAll(
  kind: string,
  chosen: readonly string[],
  runs: Readonly<Record<HostName, Run[]>>,
): Promise<void> {
  if (chosen.length === 0) return;
  const onNode = await allOf('node', runs.node);
  tell(`node${kind}`, onNode);
  for (const host of ['bun', 'deno'] as const) {
    const other = await allOf(host, runs[host]);
    tell(`${host}${kind}`, other, differences(onNode, other, notOn(host, chosen)));
  }
}

if (endToEnd.length === 0 && wanted.length === 0) note('end to end', 'test/e2e holds no test');

for (const text of details) console.log(text);
if (skipped.size > 0) console.log('\nskipped:');
for (const [what, why] of skipped) console.log(`  ${what}: ${why === '' ? 'no reason given' : why}`);
if (total.passed + total.failed === 0) {
  console.log('\nNo test matches');
  total.failed = 1;
}
console.log(`\nslowest of ${Math.round((performance.now() - startedMs) / 1000)} s:`);
for (const { host, file, seconds } of times.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST))
  console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${host}  ${file}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

async function versionOf(program: string): Promise<string> {
  return (await run([program, '--version'])).output.trim();
}
