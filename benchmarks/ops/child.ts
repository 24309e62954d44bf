// One part of a benchmark in a process of its own, on the host that runs this one; its last line is its result as JSON.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { GC_LINE, GC_LOG } from './collections.ts';

const { bun, deno } = process.versions as Record<string, string | undefined>;
/** V8's young generation grows and shrinks between 3 and 100 MB by what has just survived, in whatever program: all get one size, so that they can be compared. */
const engine = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];
const flags = deno === undefined ? engine : ['run', '-A', `--v8-flags=${engine.join(',')}`];

export interface Child<Result> {
  /** What it has called `waitForStart` with; rejects where it ends without. */
  readonly ready: Promise<string>;
  readonly result: Promise<Result>;
  start(): void;
}

/** What a child says when it waits to be started. */
const READY = /^ready(?: (.*))?\n/;

export async function runChild<Result>(script: URL, args: readonly string[]): Promise<Result> {
  return await spawnChild<Result>(script, args).result;
}

export function spawnChild<Result>(script: URL, args: readonly string[]): Child<Result> {
  // On Bun what it says on its error output goes through a file, with the collector's log, which it reads there itself.
  const folder = bun === undefined ? undefined : mkdtempSync(join(tmpdir(), 'syrinx-child-'));
  const log = folder === undefined ? undefined : join(folder, 'stderr');
  const errors = log === undefined ? 'inherit' : openSync(log, 'a');
  const child = spawn(process.execPath, [...(bun === undefined ? flags : []), fileURLToPath(script), ...args], {
    stdio: ['pipe', 'pipe', errors],
    env: log === undefined ? process.env : { ...process.env, BUN_JSC_logGC: '1', [GC_LOG]: log },
  });
  let text = '';
  let isReady = (_: string): void => {};
  const ready = new Promise<string>((done) => (isReady = done));
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const said = READY.exec(text);
    if (said !== null) isReady(said[1] ?? '');
  });
  const end = async (): Promise<Result> => {
    const code = await new Promise<number | null>((done, fail) => {
      child.on('error', fail);
      child.on('close', done);
    });
    if (folder !== undefined && log !== undefined && typeof errors === 'number') {
      closeSync(errors);
      const lines = readFileSync(log, 'utf8').split('\n');
      for (const line of lines) if (!GC_LINE.test(line)) console.error(line);
      rmSync(folder, { recursive: true, force: true });
    }
    const last = text.trim().split('\n').at(-1) ?? '';
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${last}`);
    return JSON.parse(last) as Result;
  };
  const result = end();
  return { ready: Promise.race([ready, result.then(() => '')]), result, start: () => void child.stdin?.end('\n') };
}

/** In the child: everything is prepared, and what its parent needs to know. */
export async function waitForStart(known = ''): Promise<void> {
  const started = new Promise((go, fail) => {
    process.stdin.once('data', go).once('end', () => fail(new Error('nobody has started it')));
  });
  console.log(`ready ${known}`.trimEnd());
  await started;
}
