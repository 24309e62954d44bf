// From nothing to the first 200: the binary, the same program from its sources, and a bare server of Bun as the control.
// `bun benchmarks/start.ts [--runs N] [--json FILE]`; build the binary before (`npm run -s binary`).
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { bun, root } from '../scripts/steps.ts';
import { describeMachine } from './machine.ts';
import { startProgram } from './program.ts';
import { round, type Spread, spread } from './statistics.ts';

export const BINARY = join(root, 'dist', 'syrinx');
/** A key that is never used: no call comes. */
export const START_ENV = { OPENAI_API_KEY: 'unused' };
const START = ['start', '--port', 'PORT'];
const BARE = 'Bun.serve({ port: PORT, hostname: "127.0.0.1", fetch: () => new Response("ok") })';

export interface StartFigure {
  readonly what: string;
  readonly firstAnswerMs: Spread;
  /** Two seconds after the first answer. */
  readonly idleRssBytes: Spread | null;
  readonly sizeBytes: number | null;
}

export async function measureStart(what: string, command: readonly string[], runs: number): Promise<StartFigure> {
  const times: number[] = [];
  const memory: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const program = await startProgram({ command, env: START_ENV, cwd: root });
    if (run === runs) await new Promise((done) => setTimeout(done, 2000));
    const bytes = program.rssBytes();
    await program.stop();
    // The first start reads the files from the disk.
    if (run > 0) times.push(round(program.firstAnswerMs, 1));
    if (run === runs && bytes !== null) memory.push(bytes);
  }
  const file = command[0] ?? '';
  return {
    what,
    firstAnswerMs: spread(times),
    idleRssBytes: memory.length === 0 ? null : spread(memory),
    sizeBytes: file === BINARY ? statSync(file).size : null,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '10' }, json: { type: 'string' } } });
  const runs = Number(values.runs);
  const figures: StartFigure[] = [];
  if (existsSync(BINARY)) figures.push(await measureStart('binary', [BINARY, ...START], runs));
  else console.log('binary: not measured (not built: npm run -s binary)');
  figures.push(await measureStart('sources on Bun', [bun, 'src/hosts/bun.ts', ...START], runs));
  figures.push(await measureStart('control: bare Bun.serve', [bun, '-e', BARE], runs));
  for (const { what, firstAnswerMs: ms, idleRssBytes, sizeBytes } of figures) {
    const size = sizeBytes === null ? '' : `, file ${round(sizeBytes / 1e6, 1)} MB`;
    const memory = idleRssBytes === null ? 'not told' : `${round(idleRssBytes.median / 1e6, 1)} MB`;
    console.log(`${what}: first 200 after ${ms.median} ms (${ms.min} to ${ms.max}), idle memory ${memory}${size}`);
  }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine: describeMachine(), figures }, null, 2)}\n`);
  process.exit(0);
}
