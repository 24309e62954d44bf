// When this thread really ran, by a timer of its core that Linux' `perf` reads. The thread's own clock goes on where the machine's host stops the core without calling it
// stolen (it fetches memory of the guest first); the timer does not: behind such a gap it fires once.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { ThreadClocks } from './thread-clock.ts';

const PERIOD_MS = 0.25;
/** What samples and clock may differ by; the clock's surplus is what gaps take. */
const MAX_MISSING = 0.1;
const MAX_OUTPUT_BYTES = 2 ** 28;

export interface CoreSamples {
  /** Ends them; from then on `ranMs` answers. Rejects where so many samples are missing that it would tell too little. */
  stop(): Promise<void>;
  /** So many ms at most the main thread ran between these moments of `performance.now`. */
  ranMs(fromMs: number, toMs: number): number;
}

export function canSample(): boolean {
  return spawnSync('perf', ['--version']).status === 0;
}

export function sampleCore({ coreMs, monotonicMs }: ThreadClocks): CoreSamples {
  const folder = mkdtempSync(join(tmpdir(), 'syrinx-perf-'));
  const file = join(folder, 'samples');
  const how = ['-q', '-k', 'mono', '-e', 'cpu-clock', '-c', String(PERIOD_MS * 1e6), '-t', String(process.pid)];
  const perf = spawn('perf', ['record', ...how, '-o', file], { stdio: 'ignore' });
  const ended = new Promise((done) => perf.once('close', done));
  const fromCoreMs = coreMs();
  /** Of `performance.now`, rising. */
  let times = new Float64Array(0);
  return {
    async stop() {
      const ranMs = coreMs() - fromCoreMs;
      perf.kill('SIGINT');
      await ended;
      const offsetMs = monotonicMs() - performance.now();
      const script = spawnSync('perf', ['script', '-i', file, '-F', 'time', '--ns'], { maxBuffer: MAX_OUTPUT_BYTES });
      rmSync(folder, { recursive: true, force: true });
      const lines = script.stdout.toString().split('\n');
      times = Float64Array.from(
        lines.map((line) => parseFloat(line) * 1000 - offsetMs).filter((ms) => ms === ms),
      ).sort();
      const seen = times.length * PERIOD_MS;
      if (seen < (1 - MAX_MISSING) * ranMs)
        throw new Error(`perf has ${times.length} samples of ${Math.round(ranMs / PERIOD_MS)}`);
    },
    ranMs(fromMs, toMs) {
      return (below(times, toMs) - below(times, fromMs) + 1) * PERIOD_MS;
    },
  };
}

/** How many are before this one. */
function below(times: Float64Array, ms: number): number {
  let from = 0;
  let to = times.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (times[middle]! < ms) from = middle + 1;
    else to = middle;
  }
  return from;
}
