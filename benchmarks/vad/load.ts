// What loading the neural VAD takes in a fresh process of the host: code, weights and tables, until the first stream can be opened.
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PROCESSES = 9;

export interface Load {
  readonly importMs: number;
  readonly createMs: number;
}

/** Best of some processes: a first time can be had only once in each. */
export function loadTime(): Load {
  const arguments_ = process.versions['deno'] ? ['run', '-A', '--quiet'] : [];
  const loads = Array.from({ length: PROCESSES }, () => {
    const output = execFileSync(process.execPath, [...arguments_, fileURLToPath(import.meta.url)], {
      encoding: 'utf8',
    });
    return JSON.parse(output) as Load;
  });
  return {
    importMs: Math.min(...loads.map((load) => load.importMs)),
    createMs: Math.min(...loads.map((load) => load.createMs)),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  const { createNeuralVad } = await import('../../src/audio/neural/index.ts');
  const imported = performance.now();
  createNeuralVad({ maxSlots: 1000 });
  console.log(JSON.stringify({ importMs: imported - started, createMs: performance.now() - imported }));
}
