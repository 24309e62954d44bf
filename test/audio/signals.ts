// Test signals of our own making: seeded noise, and sounds with the rhythm, pitch and formants of speech at known places.

/** A 32-bit generator (mulberry32): the same numbers on every host. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function clampPcm(x: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(x)));
}

/** White noise of a level (dBFS, RMS). */
export function whiteNoise(samples: number, db: number, seed: number): Float64Array {
  const random = seeded(seed);
  const scale = 10 ** (db / 20) * 32768 * Math.sqrt(3);
  return Float64Array.from({ length: samples }, () => (random() * 2 - 1) * scale);
}

/** Noise like rain or a ventilator: white noise through one pole. */
export function softNoise(samples: number, db: number, seed: number): Float64Array {
  const noise = whiteNoise(samples, 0, seed);
  let state = 0;
  let power = 0;
  for (let i = 0; i < samples; i++) {
    state = 0.7 * state + noise[i]!;
    noise[i] = state;
    power += state * state;
  }
  const scale = (10 ** (db / 20) * 32768) / Math.sqrt(power / samples);
  return noise.map((x) => x * scale);
}

export interface Phrase {
  readonly startMs: number;
  readonly endMs: number;
}

/** Adds a phrase at 16 kHz: syllables of 160-240 ms with a pitch that falls, three formants, a hiss before some of them; `db` is its level. */
export function addPhrase(signal: Float64Array, phrase: Phrase, db: number, seed: number): void {
  const random = seeded(seed);
  const start = Math.round(phrase.startMs * 16);
  const end = Math.round(phrase.endMs * 16);
  const voice = new Float64Array(end - start);
  const length = voice.length;
  let at = 0;
  while (at < length) {
    const syllable = Math.min(length - at, Math.round((160 + 80 * random()) * 16));
    const rest = length - at - syllable < 1600 ? length - at : syllable;
    const pitch = 110 + 90 * random();
    const formants = [350 + 400 * random(), 1100 + 900 * random(), 2500 + 500 * random()];
    const hiss = random() < 0.4 ? Math.round(0.25 * rest) : 0;
    for (let i = 0; i < rest; i++) {
      const edge = Math.min(1, i / 160, (rest - 1 - i) / 480);
      if (i < hiss) {
        voice[at + i] = (random() * 2 - 1) * 0.5 * Math.max(0, edge);
        continue;
      }
      let sum = 0;
      const f0 = pitch * (1 - (0.15 * i) / rest);
      for (let k = 1; k * f0 < 3800; k++) {
        let gain = 0.02;
        for (const formant of formants) gain += 1 / (1 + ((k * f0 - formant) / 120) ** 2);
        sum += (gain / Math.sqrt(k)) * Math.sin((2 * Math.PI * k * f0 * i) / 16000 + k);
      }
      voice[at + i] = sum * Math.max(0.03, edge);
    }
    at += rest;
  }
  let power = 0;
  for (const x of voice) power += x * x;
  const scale = (10 ** (db / 20) * 32768) / Math.sqrt(power / length);
  for (let i = 0; i < length; i++) signal[start + i]! += voice[i]! * scale;
}

export function toPcm(signal: Float64Array): Int16Array {
  return Int16Array.from(signal, clampPcm);
}

/** Some seconds of phrases of one second with pauses of half a second, in noise. */
export function speechLike(options: {
  readonly seconds: number;
  readonly seed: number;
  readonly noiseDb: number;
}): Int16Array {
  const signal = whiteNoise(options.seconds * 16000, options.noiseDb, options.seed);
  for (let ms = 500; ms + 1000 <= options.seconds * 1000; ms += 1500) {
    addPhrase(signal, { startMs: ms, endMs: ms + 1000 }, -24, options.seed + ms);
  }
  return toPcm(signal);
}
