// A voice of recorded clips: phrases and words it has, and everything else letter by letter.
import { bytesOfBase64, decodeAdpcm } from './adpcm.ts';
import { resample } from './resample.ts';

/** Clips as they are stored: IMA ADPCM, all in one text. */
export interface ClipBank {
  readonly sampleRateHz: number;
  readonly data: string;
  /** Spoken text (lower case words) -> [first byte, samples]. */
  readonly clips: Readonly<Record<string, readonly [number, number]>>;
}
export interface Voice {
  readonly sampleRateHz: number;
  /** PCM16 of a text; empty only when nothing in it can be spoken. */
  speak(text: string): Int16Array;
}

const OUTPUT_HZ = 24_000;
/** Pauses as people make them when they read slowly. */
const PAUSE_MS = { word: 40, letter: 60, clause: 180, sentence: 350 };
/** Decoded clips that are kept; the bank of the built-in voice has about 200. */
const MAX_CACHED = 400;

export function createVoice(bank: ClipBank): Voice {
  const longest = Math.max(1, ...Object.keys(bank.clips).map((key) => key.split(' ').length));
  const cache = new Map<string, Int16Array>();
  let bytes: Uint8Array | undefined;
  const clip = (key: string): Int16Array | undefined => {
    const place = bank.clips[key];
    if (!place) return undefined;
    const known = cache.get(key);
    if (known) return known;
    bytes ??= bytesOfBase64(bank.data);
    const pcm = decodeAdpcm(bytes.subarray(place[0], place[0] + ((place[1] + 1) >> 1)), place[1]);
    const samples = toOutputRate(pcm, bank.sampleRateHz);
    if (cache.size < MAX_CACHED) cache.set(key, samples);
    return samples;
  };
  return {
    sampleRateHz: OUTPUT_HZ,
    speak(text) {
      const parts: Int16Array[] = [];
      const pause = (ms: number): void => void parts.push(new Int16Array((ms * OUTPUT_HZ) / 1000));
      const words = wordsOf(text);
      for (let at = 0; at < words.length; ) {
        let taken = 0;
        for (let length = Math.min(longest, words.length - at); length > 0; length--) {
          const run = words.slice(at, at + length);
          // A clip holds the pauses inside itself, so its own punctuation decides whether it fits.
          const found = clip(run.map((word, i) => word.text + (i < length - 1 ? word.mark : '')).join(' '));
          if (!found) continue;
          parts.push(found);
          taken = length;
          break;
        }
        if (taken === 0) {
          taken = 1;
          for (const letter of words[at]?.text ?? '') {
            const found = clip(letter);
            if (!found) continue;
            parts.push(found);
            pause(PAUSE_MS.letter);
          }
        }
        at += taken;
        const mark = words[at - 1]?.mark;
        if (at < words.length) pause(mark === '' ? PAUSE_MS.word : mark === '.' ? PAUSE_MS.sentence : PAUSE_MS.clause);
      }
      return joined(parts);
    },
  };
}

/** Words in lower case without accents, each with the punctuation that follows it: '' , ',' or '.'. */
export function wordsOf(text: string): { text: string; mark: '' | ',' | '.' }[] {
  const words: { text: string; mark: '' | ',' | '.' }[] = [];
  for (const token of text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f'’]/g, '')
    .match(/[a-z0-9]+|[.!?,;:]/g) ?? []) {
    const last = words.at(-1);
    if (/[a-z0-9]/.test(token)) words.push({ text: token, mark: '' });
    else if (last) last.mark = /[.!?]/.test(token) ? '.' : last.mark || ',';
  }
  return words;
}

function toOutputRate(pcm: Int16Array, fromHz: number): Int16Array {
  const floats = resample(Float32Array.from(pcm), fromHz, OUTPUT_HZ);
  const out = new Int16Array(floats.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.max(-32768, Math.min(32767, Math.round(floats[i] as number)));
  return out;
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
