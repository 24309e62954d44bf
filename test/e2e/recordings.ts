// Callers as files: the demonstration's recordings laid out in time, and WAV files of every kind that users bring.
import { readWav, writeWav } from '../../src/audio/wav.ts';
import { demoDialogue } from '../../src/models/simulated/index.ts';

export const RATE_HZ = 16_000;
const all = demoDialogue.callerPcm();

/** What the demonstration's caller says, by name. */
export const PHRASES = {
  hello: phrase(0),
  weasels: phrase(1),
  monkeys: phrase(2),
  thanks: phrase(3),
} as const;
export type PhraseName = keyof typeof PHRASES;

function phrase(at: number) {
  const { text, startMs, endMs } = demoDialogue.phrases[at] as (typeof demoDialogue.phrases)[number];
  const samples = all.slice((startMs * RATE_HZ) / 1000, Math.ceil((endMs * RATE_HZ) / 1000));
  return { text, samples, lengthMs: endMs - startMs };
}

/** A caller who says phrases at times, and `lengthMs` in all. */
export function caller(lengthMs: number, ...said: readonly (readonly [atMs: number, PhraseName])[]): Int16Array {
  const pcm = new Int16Array((lengthMs * RATE_HZ) / 1000);
  for (const [atMs, name] of said) pcm.set(PHRASES[name].samples, (atMs * RATE_HZ) / 1000);
  return pcm;
}

export const wav = (samples: Int16Array, rateHz = RATE_HZ): Uint8Array => writeWav(rateHz, [samples]);

export interface Format {
  readonly code?: number;
  readonly bits?: number;
  readonly rateHz?: number;
  readonly channels?: number;
}

/** A WAV file of `data` with a header that says whatever it is told to. */
export function wavOf(data: Uint8Array, { code = 1, bits = 16, rateHz = RATE_HZ, channels = 1 }: Format): Uint8Array {
  const file = new Uint8Array(44 + data.length);
  file.set(writeWav(rateHz, [new Int16Array(1)]).subarray(0, 44));
  file.set(data, 44);
  const view = new DataView(file.buffer);
  const frame = (channels * bits) / 8;
  view.setUint32(4, 36 + data.length, true);
  view.setUint16(20, code, true);
  view.setUint16(22, channels, true);
  view.setUint32(28, rateHz * frame, true);
  view.setUint16(32, frame, true);
  view.setUint16(34, bits, true);
  view.setUint32(40, data.length, true);
  return file;
}

/** Every `step`th sample, or each one `-step` times: good enough for a recognizer that correlates. */
export function atRate(samples: Int16Array, rateHz: 8000 | 48000): Int16Array {
  if (rateHz === 8000) return samples.filter((_, i) => i % 2 === 0);
  const out = new Int16Array(samples.length * 3);
  for (let i = 0; i < out.length; i++) {
    const [a, b] = [samples[Math.floor(i / 3)] ?? 0, samples[Math.floor(i / 3) + 1] ?? 0];
    out[i] = a + ((b - a) * (i % 3)) / 3;
  }
  return out;
}

/** Stretches of sound of one channel, in ms: louder than noise, pauses of up to `gapMs` bridged. */
export function sounds(file: Uint8Array, channel: 'left' | 'right', gapMs = 400): { startMs: number; endMs: number }[] {
  const { rateHz, channels } = readWav(file);
  const samples = channels[channel === 'left' ? 0 : 1] ?? new Int16Array(0);
  const found: { startMs: number; endMs: number }[] = [];
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i] as number) < 200) continue;
    const ms = (i * 1000) / rateHz;
    const last = found.at(-1);
    if (last !== undefined && ms - last.endMs <= gapMs) last.endMs = ms;
    else found.push({ startMs: ms, endMs: ms });
  }
  return found;
}
