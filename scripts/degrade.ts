// Known damage to recorded speech: noise, clipping, holes, filters, offset, level. The same for the same seed.
import { seeded } from '../test/audio/signals.ts';
import type { Voice } from './recorded-voices.ts';

const HZ = 16_000;

export function clampPcm(x: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(x)));
}

/** Mean power of the labelled samples from `from` to `to`, of full scale. */
export function speechPower({ pcm, labels }: Voice, from = 0, to = pcm.length): number {
  let sum = 0;
  let samples = 0;
  for (let i = from; i < to; i++) {
    if (labels[Math.floor(i / 160)] !== 1) continue;
    sum += pcm[i]! ** 2;
    samples++;
  }
  return sum / samples / 2 ** 30;
}

/** Gaussian for `white`, else a recording that is looped from a place that depends on the seed. Scaled to the SNR over labelled speech. */
export function noiseFor(voice: Voice, noise: Int16Array | 'white', snrDb: number, seed: number): Float64Array {
  const random = seeded(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const raw = Float64Array.from({ length: voice.pcm.length }, (_, i) =>
    noise === 'white' ? gauss() * 1000 : noise[(i + seed * 7777) % noise.length]!,
  );
  let power = 0;
  for (const x of raw) power += x * x;
  const gain = Math.sqrt(speechPower(voice) / 10 ** (snrDb / 10) / (power / raw.length / 2 ** 30));
  return raw.map((x) => x * gain);
}

export function added(pcm: Int16Array, noise: Float64Array): Int16Array {
  return pcm.map((s, i) => clampPcm(s + noise[i]!));
}

/** Cut off where `share` of the labelled samples is beyond. */
export function clipped({ pcm, labels }: Voice, share: number): { readonly pcm: Int16Array; readonly rail: number } {
  const sizes: number[] = [];
  for (let i = 0; i < pcm.length; i++) if (labels[Math.floor(i / 160)] === 1) sizes.push(Math.abs(pcm[i]!));
  const rail = sizes.sort((a, b) => b - a)[Math.floor(share * sizes.length)]!;
  return { pcm: pcm.map((s) => Math.max(-rail, Math.min(rail, s))), rail };
}

/** Blocks of `ms` are lost with a probability; those of a smaller share are among those of a larger one. */
export function holed(pcm: Int16Array, ms: number, share: number, seed: number) {
  const random = seeded(seed);
  const out = pcm.slice();
  const lost = new Uint8Array(pcm.length);
  const block = (ms * HZ) / 1000;
  for (let at = 0; at < out.length; at += block) {
    if (random() >= share) continue;
    out.fill(0, at, at + block);
    lost.fill(1, at, at + block);
  }
  return { pcm: out, lost };
}

/** Windowed sinc (Blackman), 140 Hz from pass to stop. */
export function lowPassed(pcm: Int16Array, hz: number): Int16Array {
  const taps = 639;
  const half = taps >> 1;
  const kernel = Float64Array.from({ length: taps }, (_, i) => {
    const x = i - half;
    const turn = (2 * Math.PI * (i + 0.5)) / taps;
    const window = 0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
    return window * (x === 0 ? (2 * hz) / HZ : Math.sin((2 * Math.PI * hz * x) / HZ) / (Math.PI * x));
  });
  const sum = kernel.reduce((a, b) => a + b, 0);
  const padded = new Float64Array(pcm.length + taps);
  padded.set(pcm, half);
  return Int16Array.from(pcm, (_, i) => {
    let y = 0;
    for (let k = 0; k < taps; k++) y += kernel[k]! * padded[i + k]!;
    return clampPcm(y / sum);
  });
}

export function moved(pcm: Int16Array, offset: number): Int16Array {
  return pcm.map((s) => clampPcm(s + offset * 32768));
}

export function scaled(pcm: Int16Array, db: number): Int16Array {
  const gain = 10 ** (db / 20);
  return pcm.map((s) => clampPcm(s * gain));
}
