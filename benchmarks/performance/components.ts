// How long the parts of the program take to be made: the first time in this process, and again.
import { createAudioCore } from '../../src/audio/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createRegistry } from '../../src/metrics/index.ts';
import { createSimulatedOpenAi } from '../../src/models/simulated/index.ts';
import { createCallInstruments } from '../../src/runner/instruments.ts';
import { percentile } from '../statistics.ts';
import { benchmarkRuntime, openCall } from './calls.ts';
import { createAgent } from './rates.ts';
import type { Component } from './report.ts';

const AGAIN = 30;

/** In the order in which a program makes them. */
export async function measureComponents(): Promise<Component[]> {
  const found: Component[] = [];
  const measure = async (name: string, make: () => unknown, undo?: (made: never) => Promise<unknown>) => {
    const took: number[] = [];
    for (let i = 0; i <= AGAIN; i++) {
      const fromMs = performance.now();
      const made = make();
      took.push(performance.now() - fromMs);
      await undo?.(made as never);
    }
    const [coldMs = Number.NaN, ...later] = took;
    found.push({ name, coldMs, medianMs: percentile(later, 0.5), p95Ms: percentile(later, 0.95) });
  };
  await measure('configuration', () => loadConfig({}));
  await measure('agent with a tool', () => createAgent(0));
  await measure('audio core of 400 slots', () => createAudioCore({ maxSlots: 400 }));
  await measure('metrics of calls', () => createCallInstruments(createRegistry()));
  await measure('simulated models', () => createSimulatedOpenAi());
  await measure('runtime for 100 sessions', () => benchmarkRuntime({}));
  const runtime = benchmarkRuntime({});
  await measure(
    'session',
    () => openCall(runtime),
    async (call: ReturnType<typeof openCall>) => {
      call.close('measured');
      await call.done;
    },
  );
  return found;
}
