// Where and on what a figure was measured: machine, load, versions, commit.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly loadAverage: number;
  readonly runtime: string;
  readonly version: string;
  /** With `+` when the tree had changes; null outside a checkout. */
  readonly commit: string | null;
}

export function describeMachine(): Machine {
  const packageUrl = new URL('../package.json', import.meta.url);
  return {
    date: new Date().toISOString(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
    loadAverage: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
    runtime: runtimeName(),
    version: (JSON.parse(readFileSync(packageUrl, 'utf8')) as { version: string }).version,
    commit: commit(),
  };
}

export function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  return bun !== undefined ? `bun ${bun}` : deno !== undefined ? `deno ${deno}` : `node ${node}`;
}

function commit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', new URL('..', import.meta.url).pathname, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+');
  } catch {
    return null;
  }
}
