// What the neural VAD costs: one window beside onnxruntime in turns, whole lines with the gate, a thousand streams, loading.
import { createNeuralVad, type NeuralStream } from '../../src/audio/neural/index.ts';
import { tracksOf, type Vad } from './set.ts';

export interface Best {
  readonly best: number;
  readonly median: number;
}

const summary = (times: number[]): Best => {
  times.sort((a, b) => a - b);
  return { best: times[0]!, median: times[times.length >> 1]! };
};

/** us per window without the gate, and of the rival, in turns in this process. */
export async function windowCost(rival: Vad, rounds = 120): Promise<{ readonly ours: Best; readonly rival: Best }> {
  const pcm = tracksOf('clean')[0]!.pcm;
  const windows = Array.from({ length: pcm.length >> 9 }, (_, i) => pcm.subarray(i * 512, i * 512 + 512));
  const stream = createNeuralVad({ maxSlots: 1 }).open({ gated: false });
  for (let i = 0; i < 3000; i++) stream.push(windows[i % windows.length]!);
  rival.reset();
  for (const window of windows.slice(0, 200)) await rival.process(window);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let started = performance.now();
    for (let i = 0; i < 60; i++) stream.push(windows[(round * 7 + i) % windows.length]!);
    ours.push(((performance.now() - started) * 1000) / 60);
    started = performance.now();
    for (let i = 0; i < 10; i++) await rival.process(windows[(round * 7 + i) % windows.length]!);
    theirs.push(((performance.now() - started) * 1000) / 10);
  }
  return { ours: summary(ours), rival: summary(theirs) };
}

export interface LineCost extends Best {
  readonly line: string;
  /** Share of windows in which the net ran. */
  readonly netShare: number;
}

/** us per 20 ms frame over all tracks of a condition, gate on, stream after stream. */
export function lineCost(line: string, rounds = 15): LineCost {
  const tracks = tracksOf(line).map((track) => framesOf(track.pcm));
  const stream = createNeuralVad({ maxSlots: 1 }).open();
  let windows = 0;
  let runs = 0;
  let best = 0;
  let median = 0;
  let frames = 0;
  // By track: a busy machine leaves few whole rounds undisturbed.
  for (const track of tracks) {
    const times = summary(
      Array.from({ length: rounds }, () => {
        stream.reset();
        const started = performance.now();
        for (const frame of track) stream.push(frame);
        return performance.now() - started;
      }),
    );
    best += times.best * 1000;
    median += times.median * 1000;
    frames += track.length;
    windows += stream.windows;
    runs += stream.netRuns;
  }
  return { line, netShare: runs / windows, best: best / frames, median: median / frames };
}

/** us per stream and 20 ms frame, 1,000 gated streams in one memory, each at its own place in a call. */
export function manyStreams(line: string, frames = 100): { readonly mean: number; readonly memoryBytes: number } {
  const tracks = tracksOf(line).map((track) => framesOf(track.pcm));
  const vad = createNeuralVad({ maxSlots: 1000 });
  const streams: NeuralStream[] = Array.from({ length: 1000 }, () => vad.open());
  const times: number[] = [];
  for (let turn = 0; turn < frames + 50; turn++) {
    const started = performance.now();
    for (let i = 0; i < 1000; i++) {
      const track = tracks[i % tracks.length]!;
      streams[i]!.push(track[(turn + i) % track.length]!);
    }
    // The first second is heard in full by every stream.
    if (turn >= 50) times.push(performance.now() - started);
  }
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  return { mean, memoryBytes: vad.memoryBytes };
}

function framesOf(pcm: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(pcm.length / 320) }, (_, i) => pcm.subarray(i * 320, i * 320 + 320));
}
