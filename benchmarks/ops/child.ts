// One part of a benchmark in a process of its own, on the host that runs this one; its last line is its result as JSON.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const isDeno = (process.versions as Record<string, string | undefined>).deno !== undefined;
const flags = isDeno ? ['run', '-A', '--v8-flags=--expose-gc'] : ['--expose-gc'];

export async function runChild<Result>(script: URL, args: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [...flags, fileURLToPath(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  const last = text.trim().split('\n').at(-1) ?? '';
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${last}`);
  return JSON.parse(last) as Result;
}
