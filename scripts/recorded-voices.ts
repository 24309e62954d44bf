// Recorded voices and noises with labels, from a folder beside the project (or `--voices DIR`, SYRINX_VOICES): read by its own program.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './steps.ts';

/** 16 kHz mono. `labels`: 1 for each 10 ms of speech. */
export interface Voice {
  readonly name: string;
  readonly pcm: Int16Array;
  readonly labels: Uint8Array;
}

export interface Recordings {
  readonly voices: readonly Voice[];
  readonly noises: ReadonlyMap<string, Int16Array>;
}

/** Ends the program with a line that helps when there is no such folder. */
export async function loadRecordings(): Promise<Recordings> {
  const { values } = parseArgs({ options: { voices: { type: 'string' } }, strict: false });
  const given = typeof values.voices === 'string' ? values.voices : process.env.SYRINX_VOICES;
  const folder = resolve(given ?? join(root, '..', 'shared', 'vad'));
  const program = join(folder, 'mix.mjs');
  if (!existsSync(program)) {
    console.error(`There are no recordings at ${folder}: give their folder with --voices or SYRINX_VOICES`);
    console.log('\n0 passed, 1 failed');
    process.exit(1);
  }
  const { loadSet } = (await import(pathToFileURL(program).href)) as { loadSet(): Recordings };
  return loadSet();
}

/** Lines of a proof, and its end. */
export class Proof {
  #passed = 0;
  #failed = 0;

  check(good: boolean, text: string): void {
    console.log(`${good ? 'ok  ' : 'FAIL'} ${text}`);
    if (good) this.#passed++;
    else this.#failed++;
  }

  /** Counts, and ends the program. */
  finish(): never {
    console.log(`\n${this.#passed} passed, ${this.#failed} failed`);
    process.exit(this.#failed === 0 ? 0 : 1);
  }
}
