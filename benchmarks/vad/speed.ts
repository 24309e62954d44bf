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

export interface WindowCost {
  readonly ours: Best;
  readonly rival: Best;
  /** The rival's time over ours: median of the rounds, in each of which the two ran one after the other. */
  readonly ratio: number;
}

/** us per window without the gate, and of the rival, in turns in this process. */
export async function windowCost(rival: Vad, rounds = 200): Promise<WindowCost> {
  const windows = windowsOf('clean');
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
  const ratios = theirs.map((time, i) => time / ours[i]!);
  return { ratio: summary(ratios).median, ours: summary(ours), rival: summary(theirs) };
}

export interface LineCost {
  readonly line: string;
  /** Share of windows in which the net ran. */
  readonly netShare: number;
  /** A 20 ms frame in units of a window of the net without the gate, which ran in turns with it. */
  readonly inWindows: number;
}

/** Frames that are timed together, and windows of the net beside them: so near that a busy machine slows both. */
const TOGETHER = 50;
const BESIDE = 8;

/** Over all tracks of a condition, gate on, stream after stream: of each second of a track the median of the rounds. */
export function lineCost(line: string, rounds = 15): LineCost {
  const tracks = tracksOf(line).map((track) => framesOf(track.pcm));
  const vad = createNeuralVad({ maxSlots: 2 });
  const [stream, net] = [vad.open(), vad.open({ gated: false })];
  const windows = windowsOf('clean');
  let heard = 0;
  let runs = 0;
  let sum = 0;
  let frames = 0;
  let turn = 0;
  for (const track of tracks) {
    const ratios: number[][] = Array.from({ length: Math.ceil(track.length / TOGETHER) }, () => []);
    for (let round = 0; round < rounds; round++) {
      stream.reset();
      for (const [i, list] of ratios.entries()) {
        const part = track.slice(i * TOGETHER, (i + 1) * TOGETHER);
        const started = performance.now();
        for (const frame of part) stream.push(frame);
        const middle = performance.now();
        for (let k = 0; k < BESIDE; k++) net.push(windows[turn++ % windows.length]!);
        const window = (performance.now() - middle) / BESIDE;
        list.push((middle - started) / window);
      }
    }
    for (const list of ratios) sum += summary(list).median;
    frames += track.length;
    heard += stream.windows;
    runs += stream.netRuns;
  }
  return { line, netShare: runs / heard, inWindows: sum / frames };
}

/** us per stream and 20 ms frame, 1,000 gated streams in one memory, each at its own place in a call; best of the rounds of each hundred. */
export function manyStreams(
  line: string,
  frames = 100,
  rounds = 5,
): { readonly best: number; readonly memoryBytes: number } {
  const tracks = tracksOf(line).map((track) => framesOf(track.pcm));
  const vad = createNeuralVad({ maxSlots: 1000 });
  const streams: NeuralStream[] = Array.from({ length: 1000 }, () => vad.open());
  const times: number[][] = Array.from({ length: frames * 10 }, () => []);
  for (let round = 0; round < rounds; round++) {
    for (const stream of streams) stream.reset();
    for (let turn = 0; turn < frames + 50; turn++) {
      for (let group = 0; group < 10; group++) {
        const started = performance.now();
        for (let i = group * 100; i < group * 100 + 100; i++) {
          const track = tracks[i % tracks.length]!;
          streams[i]!.push(track[(turn + i) % track.length]!);
        }
        // The first second is heard in full by every stream.
        if (turn >= 50) times[(turn - 50) * 10 + group]!.push(performance.now() - started);
      }
    }
  }
  const sum = times.reduce((ms, each) => ms + Math.min(...each), 0);
  return { best: (sum * 1000) / (frames * 1000), memoryBytes: vad.memoryBytes };
}

function windowsOf(line: string): Int16Array[] {
  const pcm = tracksOf(line)[0]!.pcm;
  return Array.from({ length: pcm.length >> 9 }, (_, i) => pcm.subarray(i * 512, i * 512 + 512));
}

function framesOf(pcm: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(pcm.length / 320) }, (_, i) => pcm.subarray(i * 320, i * 320 + 320));
}
