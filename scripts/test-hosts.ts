// The node:test suites on each host, and what each of them says that it ran, in one form.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { Leaf } from './node-reporter.ts';
import { bun, deno, node, root, run } from './steps.ts';

export type HostName = 'node' | 'bun' | 'deno';
export interface HostRun {
  readonly host: HostName;
  readonly files: number;
  readonly leaves: readonly Leaf[];
  /** What went wrong beside the tests themselves. */
  readonly troubles: readonly string[];
  readonly output: string;
  readonly seconds: number;
  /** What each file took; of one without a process of its own, the sum of its tests. */
  readonly times: readonly FileTime[];
}
export interface FileTime {
  readonly host: HostName;
  readonly file: string;
  readonly seconds: number;
}

export interface NodeOptions {
  /** All files in one process, as on the other hosts: starting one for each takes longer than what is in it. */
  readonly together?: boolean | undefined;
  /** Files at one time, where each has a process of its own. */
  readonly concurrency?: number | undefined;
}

export async function runOnNode(
  files: readonly string[],
  limitSeconds: number,
  { together = false, concurrency }: NodeOptions = {},
): Promise<HostRun> {
  if (files.length === 0) return nothing('node');
  return inScratchFolder(async (folder) => {
    const list = join(folder, 'leaves.jsonl');
    const flags = ['--test-reporter=./scripts/node-reporter.ts', `--test-reporter-destination=${list}`];
    flags.push('--test-reporter=spec', '--test-reporter-destination=stdout');
    if (together) flags.push('--test-isolation=none');
    if (concurrency !== undefined) flags.push(`--test-concurrency=${concurrency}`);
    const { code, output, seconds } = await run([node, '--test', ...flags, ...files], { limitSeconds });
    const leaves = readOr(list, '')
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as Leaf)
      .map((leaf) => ({ ...leaf, file: relative(root, leaf.file) }));
    const cut = output.indexOf('failing tests:');
    return finished('node', files, leaves, code, cut < 0 ? output : output.slice(cut), seconds);
  });
}

export async function runOnBun(files: readonly string[], limitSeconds: number): Promise<HostRun> {
  if (files.length === 0) return nothing('bun');
  return inScratchFolder(async (folder) => {
    const report = join(folder, 'bun.xml');
    const command = [
      bun,
      'test',
      // Bun stops a test after 5 s where Node and Deno set no limit; a loaded machine is no failure.
      `--timeout=${limitSeconds * 1000}`,
      '--reporter=junit',
      `--reporter-outfile=${report}`,
      ...files.map((file) => `./${file}`),
    ];
    const { code, output, seconds } = await run(command, { limitSeconds });
    const leaves = testCases(readOr(report, '')).map(({ attributes, status }): Leaf => {
      const outer = attributes.classname === '' ? [] : (attributes.classname ?? '').split(' > ').reverse();
      return { file: attributes.file ?? '', path: [...outer, attributes.name ?? ''], status, ms: msOf(attributes) };
    });
    return finished('bun', files, leaves, code, onlyFailures(output), seconds);
  });
}

/** Deno reports suites and inner tests alike and loses the file of what is inside a suite, so Node's list (`reference`) says what to look for. `except`: files that Deno is not given. */
export async function runOnDeno(
  files: readonly string[],
  reference: Promise<HostRun>,
  except: readonly string[],
  limitSeconds: number,
): Promise<HostRun> {
  if (files.length === 0) return nothing('deno');
  return inScratchFolder(async (folder) => {
    const report = join(folder, 'deno.xml');
    const command = [deno, 'test', '-A', '--no-check', `--junit-path=${report}`, ...files];
    const { code, output, seconds } = await run(command, { limitSeconds });
    const told = new Map<string, Pick<Leaf, 'status' | 'ms'>[]>();
    for (const { attributes, status } of testCases(readOr(report, ''))) {
      const name = attributes.name ?? '';
      told.set(name, [...(told.get(name) ?? []), { status, ms: msOf(attributes) }]);
    }
    const known = (await reference).leaves.filter((leaf) => !except.includes(leaf.file));
    const leaves = known.flatMap((leaf): Leaf[] => {
      const one = told.get(leaf.path.join(' > '))?.shift();
      if (one === undefined) return [];
      // Deno reports a test that skips itself while it runs as passed.
      return [
        { ...leaf, ...one, status: leaf.status === 'skipped' && one.status === 'passed' ? 'skipped' : one.status },
      ];
    });
    const cut = output.indexOf('\n ERRORS ');
    return finished('deno', files, leaves, code, cut < 0 ? output : output.slice(cut), seconds);
  });
}

/** Without a file a test runner would look for all there are. */
export function nothing(host: HostName): HostRun {
  return { host, files: 0, leaves: [], troubles: [], output: '', seconds: 0, times: [] };
}

/** Two runs of one host as one. */
export function joined(a: HostRun, b: HostRun): HostRun {
  return {
    host: a.host,
    files: a.files + b.files,
    leaves: [...a.leaves, ...b.leaves],
    troubles: [...a.troubles, ...b.troubles],
    output: [a.output, b.output].join('\n'),
    seconds: a.seconds + b.seconds,
    times: [...a.times, ...b.times],
  };
}

/** Names of tests that one of two hosts ran more often than the other. `except`: files that one of them was not given. */
export function differences(reference: HostRun, other: HostRun, except: readonly string[]): string[] {
  const count = (hostRun: HostRun) => {
    const counts = new Map<string, number>();
    for (const { file, path } of hostRun.leaves) {
      if (except.includes(file)) continue;
      const name = path.at(-1) ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  };
  const [expected, got] = [count(reference), count(other)];
  return [...new Set([...expected.keys(), ...got.keys()])].flatMap((name) => {
    const [here, there] = [expected.get(name) ?? 0, got.get(name) ?? 0];
    return here === there ? [] : [`"${name}" ran ${here} times on ${reference.host}, ${there} times on ${other.host}`];
  });
}

function finished(
  host: HostName,
  files: readonly string[],
  leaves: readonly Leaf[],
  code: number | null,
  output: string,
  seconds: number,
): HostRun {
  const troubles: string[] = [];
  if (code === null) troubles.push('stopped at its time limit');
  else if (code !== 0 && !leaves.some((leaf) => leaf.status === 'failed'))
    troubles.push(`exit code ${code} although no test failed`);
  return { host, files: files.length, leaves, troubles, output, seconds, times: timesOf(host, files, leaves, seconds) };
}

function timesOf(host: HostName, files: readonly string[], leaves: readonly Leaf[], seconds: number): FileTime[] {
  if (files.length === 1) return files.map((file) => ({ host, file, seconds }));
  const sums = new Map<string, number>();
  for (const { file, ms } of leaves) sums.set(file, (sums.get(file) ?? 0) + ms / 1000);
  return [...sums].map(([file, sum]) => ({ host, file, seconds: sum }));
}

interface TestCase {
  readonly attributes: Readonly<Record<string, string>>;
  readonly status: Leaf['status'];
}
/** The test cases of a JUnit report. */
export function testCases(xml: string): TestCase[] {
  return [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, head = '', body = '']) => ({
    attributes: Object.fromEntries(
      [...head.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, decoded(value)]),
    ),
    status: /<failure\b|<error\b/.test(body) ? 'failed' : /<skipped\b/.test(body) ? 'skipped' : 'passed',
  }));
}

function msOf({ time }: TestCase['attributes']): number {
  return Number(time ?? 0) * 1000;
}

function decoded(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return named[name] ?? whole;
    return String.fromCodePoint(decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16));
  });
}

/** Bun's output without the lines of what passed. */
function onlyFailures(output: string): string {
  return output.replace(/^\((?:pass|skip|todo)\).*\n/gm, '').replace(/^\n?test\/\S+:\n(?=\n|test\/)/gm, '');
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

async function inScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(resolve(tmpdir()), 'syrinx-test-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
