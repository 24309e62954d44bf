// Prints how far the score's borders are from the labels of recorded dialogues: `bun test/audio/check-dialogues.ts FOLDER [NOISE.wav ...]`.
// FOLDER holds folders with `dialogue.json` (phrases: turn, startMs, endMs, in noise also clearStartMs, clearEndMs) and the caller's WAV.
// Each is tried as it is, 12 dB up and down, through 8 kHz, begun 0.8 s later, and, where it is clean, in each NOISE at 20 and 10 dB SNR.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { createAudioCore, readWav, type SampleRateHz } from '../../src/audio/index.ts';
import { clampPcm } from './signals.ts';

interface Phrase {
  readonly turn: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly clearStartMs?: number;
  readonly clearEndMs?: number;
}

const TARGET_MS = 40;
const OUTSIDE_MS = 100;
const core = createAudioCore({ maxSlots: 2 });
const [folder, ...noiseFiles] = process.argv.slice(2);
if (!folder) {
  console.error('Usage: bun test/audio/check-dialogues.ts FOLDER [NOISE.wav ...]');
  process.exit(2);
}

function voicedFrames(pcm: Int16Array, rateHz: SampleRateHz): boolean[] {
  const analyzer = core.openAnalyzer(rateHz);
  const voiced: boolean[] = [];
  for (let at = 0; at < pcm.length; at += rateHz / 50) {
    const packet = pcm.subarray(at, at + rateHz / 50);
    analyzer.write(new Uint8Array(packet.buffer, packet.byteOffset, packet.byteLength));
    while (analyzer.next()) voiced.push(analyzer.score >= 0.5);
  }
  analyzer.release();
  return voiced;
}

function resample(pcm: Int16Array, fromHz: SampleRateHz, toHz: SampleRateHz): Int16Array {
  const resampler = core.openResampler(fromHz, toHz);
  const output = new Int16Array(resampler.maxOutput(pcm.length) + resampler.delaySamples);
  const produced = resampler.process(pcm, output);
  const total = produced + resampler.flush(output.subarray(produced));
  resampler.release();
  return output.subarray(0, total);
}

/** 0 between label and clear border (both are honest), else how far beyond. */
function beyond(value: number, label: number, clear: number): number {
  const low = Math.min(label, clear);
  const high = Math.max(label, clear);
  return value < low ? value - low : Math.max(0, value - high);
}

function report(name: string, voiced: readonly boolean[], phrases: readonly Phrase[]): boolean {
  const near = (k: number, p: Phrase) => k * 20 + 20 > p.startMs - OUTSIDE_MS && k * 20 < p.endMs + OUTSIDE_MS;
  const outside = voiced.filter((on, k) => on && !phrases.some((p) => near(k, p))).length;
  let worst = 0;
  let hidden = 0;
  const cells = phrases.map((phrase, i) => {
    const before = phrases[i - 1];
    const after = phrases[i + 1];
    const from = Math.max(phrase.startMs - 300, before ? (before.endMs + phrase.startMs) / 2 : 0);
    const to = Math.min(phrase.endMs + 300, after ? (phrase.endMs + after.startMs) / 2 : Infinity);
    const frames = voiced.flatMap((on, k) => (on && k * 20 >= from && k * 20 < to ? [k] : []));
    if (frames.length === 0) {
      worst = Infinity;
      return 'missed';
    }
    const start = beyond(frames[0]! * 20, phrase.startMs, phrase.clearStartMs ?? phrase.startMs);
    const end = beyond(frames.at(-1)! * 20 + 20, phrase.endMs, phrase.clearEndMs ?? phrase.endMs);
    worst = Math.max(worst, Math.abs(start), Math.abs(end));
    if (before && before.turn === phrase.turn) {
      const gap = voiced.filter((on, k) => !on && k * 20 >= before.endMs && k * 20 + 20 <= phrase.startMs).length * 20;
      if (gap < (phrase.startMs - before.endMs) / 2) hidden++;
    }
    return `${start}/${end}`;
  });
  const good = worst <= TARGET_MS && outside === 0 && hidden === 0;
  console.log(
    `${good ? 'ok ' : 'NO '} ${name.padEnd(34)} worst ${String(worst).padStart(3)} ms, ${outside} frames outside, ${hidden} pauses hidden: ${cells.join(' ')}`,
  );
  return good;
}

let bad = 0;
for (const entry of readdirSync(folder).sort()) {
  const dialogue = JSON.parse(readFileSync(join(folder, entry, 'dialogue.json'), 'utf8')) as {
    readonly audio: string;
    readonly phrases: readonly Phrase[];
  };
  const wav = readWav(readFileSync(join(folder, entry, dialogue.audio)));
  const rateHz = wav.rateHz as SampleRateHz;
  const pcm = wav.channels[0]!;
  const { phrases } = dialogue;
  const tell = (what: string, signal: Int16Array, labels = phrases, hz = rateHz) => {
    if (!report(`${entry}, ${what}`, voicedFrames(signal, hz), labels)) bad++;
  };
  tell('as it is', pcm);
  for (const db of [-12, 12])
    tell(
      `${db} dB`,
      pcm.map((x) => clampPcm(x * 10 ** (db / 20))),
    );
  tell('at 8 kHz', resample(pcm, rateHz, 8000), phrases, 8000);
  const shifted = phrases.map((p) =>
    Object.fromEntries(
      Object.entries(p).map(([key, value]) => [key, key.endsWith('Ms') ? Number(value) - 800 : value]),
    ),
  ) as unknown as Phrase[];
  tell('begun 0.8 s later', pcm.subarray((rateHz * 4) / 5), shifted);
  if (phrases.some((p) => p.clearStartMs !== undefined)) continue;
  for (const file of noiseFiles) {
    const noise = readWav(readFileSync(file)).channels[0]!;
    for (const snrDb of [20, 10])
      mixIn(pcm, noise, snrDb, rateHz, phrases, (mix, labels) =>
        tell(`${basename(file, '.wav')} ${snrDb} dB`, mix, labels),
      );
  }
}
console.log(
  bad === 0 ? 'all within the target' : `${bad} beyond the target (${TARGET_MS} ms, nothing outside, pauses visible)`,
);

/** Adds noise at an SNR over the labelled speech; clear borders are where the speech stands 6 dB out of it. */
function mixIn(
  pcm: Int16Array,
  noise: Int16Array,
  snrDb: number,
  hz: number,
  labels: readonly Phrase[],
  use: (mix: Int16Array, labels: readonly Phrase[]) => void,
): void {
  const ms = hz / 1000;
  const power = (x: Int16Array) => x.reduce((sum, v) => sum + v * v, 0);
  const spoken = labels.map((p) => pcm.subarray(p.startMs * ms, p.endMs * ms));
  const speechPower = spoken.reduce((sum, x) => sum + power(x), 0) / spoken.reduce((sum, x) => sum + x.length, 0);
  const noisePower = speechPower / 10 ** (snrDb / 10);
  const gain = Math.sqrt(noisePower / (power(noise) / noise.length));
  const mix = pcm.map((x, i) => clampPcm(x + noise[(i + 7777) % noise.length]! * gain));
  // Over 20 ms around each 10 ms, as the labels are.
  const clear = (at: number) => power(pcm.subarray((at - 5) * ms, (at + 15) * ms)) / (20 * ms) > noisePower * 4;
  use(
    mix,
    labels.map((p) => {
      let clearStartMs = p.startMs;
      let clearEndMs = p.endMs;
      while (clearStartMs < clearEndMs && !clear(clearStartMs)) clearStartMs += 10;
      while (clearEndMs > clearStartMs && !clear(clearEndMs - 10)) clearEndMs -= 10;
      return { ...p, clearStartMs, clearEndMs };
    }),
  );
}
