// What `benchmarks/audio.ts` says about the audio core, run as a process of its own on this same runtime.
import process from 'node:process';
import { root, run } from '../../scripts/steps.ts';
import type { Remark } from './report.ts';

interface AudioFigures {
  readonly passUs: number;
  readonly passRatio: number;
  readonly resamplers: readonly { fromHz: number; toHz: number; timesRealTime: number; ratio: number }[];
}

export async function measureAudioCore(): Promise<Remark[]> {
  const runtime = [process.execPath, ...('deno' in process.versions ? ['run', '-A', '--quiet'] : [])];
  const { code, output } = await run([...runtime, `${root}benchmarks/audio.ts`], { limitSeconds: 120 });
  const json = output.split('\n').findLast((text) => text.startsWith('{'));
  if (code !== 0 || json === undefined) throw new Error(`benchmarks/audio.ts failed: ${output.slice(-500)}`);
  const { passUs, passRatio, resamplers } = JSON.parse(json) as AudioFigures;
  const rates = resamplers.map(
    (r) => `${r.fromHz} to ${r.toHz} Hz ${r.timesRealTime} x real time (${r.ratio} x plain TypeScript)`,
  );
  return [
    { id: 'LAT-05', text: `fused pass of a 20 ms frame: ${passUs} us, ${passRatio} x plain TypeScript (best of 9)` },
    { id: 'LAT-07', text: rates.join(', ') },
  ];
}
