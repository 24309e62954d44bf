// The program at rest, as a process of its own: memory, processor time, and whether its health is answered.
import { existsSync } from 'node:fs';
import { bun, root } from '../../scripts/steps.ts';
import { startProgram } from '../program.ts';
import { BINARY, START_ENV } from '../start.ts';
import type { Measurement } from './report.ts';

export async function measureIdle(seconds: number): Promise<Measurement[]> {
  const isBuilt = existsSync(BINARY);
  const command = [...(isBuilt ? [BINARY] : [bun, 'src/hosts/bun.ts']), 'start', '--port', 'PORT'];
  const what = isBuilt ? 'dist/syrinx start' : 'src/hosts/bun.ts start on Bun (no binary was built)';
  const program = await startProgram({ command, env: START_ENV, cwd: root });
  try {
    await pause(1500);
    const cpuBefore = program.cpuSeconds();
    const fromMs = performance.now();
    await pause(seconds * 1000);
    const cpuAfter = program.cpuSeconds();
    const tookSeconds = (performance.now() - fromMs) / 1000;
    const bytes = program.rssBytes();
    const { good, all } = await probe(program.port);
    const percent = (good / all) * 100;
    const about = `${what}, a process of its own`;
    const found: Measurement[] = [
      {
        id: 'AVL-01',
        value: percent,
        method: `${good} of ${all} probes of /health/ready were answered with 200; ${about}`,
      },
      { id: 'AVL-02', value: percent, method: 'as AVL-01' },
    ];
    if (bytes !== null)
      found.push({ id: 'RES-01', value: bytes / 1e6, method: `resident memory without calls; ${about}` });
    if (cpuBefore !== null && cpuAfter !== null) {
      const value = ((cpuAfter - cpuBefore) / tookSeconds) * 100;
      found.push({ id: 'RES-06', value, method: `of one core, over ${seconds} s without calls; ${about}` });
    }
    return found;
  } finally {
    await program.stop();
  }
}

const PROBES = 50;

async function probe(port: number): Promise<{ good: number; all: number }> {
  let good = 0;
  for (let i = 0; i < PROBES; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.status === 200) good++;
  }
  return { good, all: PROBES };
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
