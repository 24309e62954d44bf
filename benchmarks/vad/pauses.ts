// Does a detector still start in time after a long pause? Pauses of the set's tracks, stretched by 20 s of the line's own noise.
import { modules, type Track, tracksOf, type Vad } from './set.ts';

const SECONDS = 20;
const FADE_SAMPLES = 160;

export interface Starts {
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly missed: number;
  readonly segments: number;
}

/** Start delays in a condition, pauses as they are or stretched with the noise of another one. */
export async function starts(vad: Vad, condition: string, noise?: string): Promise<Starts> {
  const noises = noise === undefined ? undefined : tracksOf(noise);
  const delays: number[] = [];
  let missed = 0;
  let segments = 0;
  for (const [i, plain] of tracksOf(condition).entries()) {
    const track = noises === undefined ? plain : stretch(plain, noises[i % noises.length]!.pcm);
    const hopMs = vad.hopSamples / 16;
    const positive = new Uint8Array(Math.floor(track.pcm.length / vad.hopSamples));
    vad.reset();
    for (let hop = 0; hop < positive.length; hop++) {
      const pcm = track.pcm.subarray(hop * vad.hopSamples, (hop + 1) * vad.hopSamples);
      positive[hop] = (await vad.process(pcm)) >= vad.threshold ? 1 : 0;
    }
    const events = modules.toEvents(positive, hopMs, 60, 200);
    for (const [start, end] of track.segments) {
      segments++;
      const event = events.find(([from, to]) => from < end * 10 + 100 && to > start * 10 + 30);
      if (event === undefined) missed++;
      else if (event[0] >= start * 10) delays.push(event[0] - start * 10);
    }
  }
  delays.sort((a, b) => a - b);
  const at = (q: number): number => delays[Math.min(delays.length - 1, Math.floor(q * delays.length))]!;
  return { medianMs: at(0.5), p90Ms: at(0.9), missed, segments };
}

/** Inserts noise at the level of each pause into its middle, faded in and out over 10 ms. */
function stretch(track: Track, noise: Int16Array): Track {
  const pieces: Int16Array[] = [];
  const segments: [number, number][] = [];
  let from = 0;
  let shift = 0;
  for (const [i, [start, end]] of track.segments.entries()) {
    const pauseStart = i === 0 ? 0 : track.segments[i - 1]![1];
    const middle = Math.round((pauseStart + start) / 2) * 160;
    const pause = track.pcm.subarray(pauseStart * 160 + 800, start * 160 - 800);
    pieces.push(track.pcm.subarray(from, middle), like(noise, rms(pause)));
    from = middle;
    shift += SECONDS * 100;
    segments.push([start + shift, end + shift]);
  }
  pieces.push(track.pcm.subarray(from));
  const pcm = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    pcm.set(piece, at);
    at += piece.length;
  }
  return { ...track, pcm, segments };
}

function like(noise: Int16Array, level: number): Int16Array {
  const samples = SECONDS * 16_000;
  const gain = level / rms(noise);
  return Int16Array.from({ length: samples }, (_, i) => {
    const edge = Math.min(1, (i + 1) / FADE_SAMPLES, (samples - i) / FADE_SAMPLES);
    return Math.max(-32768, Math.min(32767, Math.round(noise[i % noise.length]! * gain * edge)));
  });
}

function rms(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, pcm.length));
}
